/** The streaming endpoints of an account and the long-running operations on them. */
import type { JsonObject } from "../contracts.ts";
import { ArmError } from "./errors.ts";
import { NamedMap } from "./namedMap.ts";
import { Operations, type Operation, type OperationsOptions } from "./operations.ts";
import { instantNow, type Instant, type Stamp } from "./times.ts";

export type ResourceState = "Stopped" | "Starting" | "Running" | "Stopping" | "Deleting";

export interface EndpointRecord {
  readonly name: string;
  readonly endpointId: string;
  readonly location: string;
  /** Null for the endpoint that came with the account. */
  readonly stamp: Stamp | null;
  readonly created: Instant;
  modified: Instant;
  tags: JsonObject;
  /** Everything that can be set, as in answers to GET. */
  settings: JsonObject;
  state: ResourceState;
  pending: EndpointOperation | null;
}

export type OperationKind = "create" | "create-and-start" | "update" | "start" | "stop" | "delete";

interface AboutEndpoint {
  readonly kind: OperationKind;
  readonly endpoint: EndpointRecord;
}

export type EndpointOperation = AboutEndpoint & Operation;

export interface EndpointMachineOptions extends OperationsOptions {
  /** State of the endpoint that comes with the account. */
  readonly defaultState: "Running" | "Stopped";
}

const DEFAULT_SETTINGS: JsonObject = {
  description: "",
  scaleUnits: 0,
  availabilitySetName: null,
  cdnEnabled: false,
  cdnProvider: null,
  cdnProfile: null,
  maxCacheAge: null,
  customHostNames: [],
  accessControl: null,
  crossSiteAccessPolicies: null,
};

const DURING: Readonly<Partial<Record<OperationKind, ResourceState>>> = { start: "Starting", stop: "Stopping", delete: "Deleting" };
const AFTER: Readonly<Partial<Record<OperationKind, ResourceState>>> = { start: "Running", stop: "Stopped", "create-and-start": "Running" };

export class EndpointMachine {
  readonly #options: EndpointMachineOptions;
  readonly #endpoints = new NamedMap<EndpointRecord>();
  readonly #operations: Operations<AboutEndpoint>;

  constructor(options: EndpointMachineOptions) {
    this.#options = options;
    this.#operations = new Operations(options);
  }

  /** Makes the endpoint `default` of a new account. */
  provision(location: string): void {
    this.#endpoints.set({ ...this.#blank("default", location), settings: DEFAULT_SETTINGS, state: this.#options.defaultState });
  }

  clear(): void {
    this.#endpoints.clear();
    this.#operations.clear();
  }

  get(name: string): EndpointRecord | undefined {
    this.#settle();
    return this.#endpoints.get(name);
  }

  values(): EndpointRecord[] {
    this.#settle();
    return this.#endpoints.values();
  }

  operation(id: string): EndpointOperation | undefined {
    this.#settle();
    return this.#operations.get(id);
  }

  anyRunning(): boolean {
    return this.values().some(({ state }) => state === "Running");
  }

  create(name: string, location: string, tags: JsonObject, settings: JsonObject): EndpointRecord {
    const blank = this.#blank(name, location);
    const endpoint = { ...blank, stamp: { created: blank.created, modified: blank.created }, tags, settings };
    this.#endpoints.set(endpoint);
    return endpoint;
  }

  /** 409 in the service's words while another operation runs on the endpoint. */
  begin(endpoint: EndpointRecord, kind: OperationKind): EndpointOperation {
    this.assertIdle(endpoint);
    const operation = this.#operations.begin({ kind, endpoint });
    endpoint.pending = operation;
    endpoint.state = DURING[kind] ?? endpoint.state;
    this.touch(endpoint);
    return operation;
  }

  assertIdle(endpoint: EndpointRecord): void {
    if (endpoint.pending === null) return;
    throw new ArmError(409, "OperationInProgress", "There is another operation already in progress on the Origin.");
  }

  touch(endpoint: EndpointRecord): void {
    endpoint.modified = instantNow(this.#options.clock, this.#options.random);
  }

  #settle(): void {
    this.#operations.settle(({ endpoint, kind }) => {
      endpoint.pending = null;
      endpoint.state = AFTER[kind] ?? endpoint.state;
      this.touch(endpoint);
      if (kind === "delete") this.#endpoints.delete(endpoint.name);
    });
  }

  #blank(name: string, location: string): EndpointRecord {
    const created = instantNow(this.#options.clock, this.#options.random);
    const endpointId = this.#options.random.uuid();
    return { name, endpointId, location, stamp: null, created, modified: created, tags: {}, settings: {}, state: "Stopped", pending: null };
  }
}
