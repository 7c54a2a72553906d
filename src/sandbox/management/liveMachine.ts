/** The live events of an account, their outputs, and the long-running operations on both. */
import type { JsonObject } from "../contracts.ts";
import { ArmError } from "./errors.ts";
import { NamedMap } from "./namedMap.ts";
import { Operations, type Operation, type OperationsOptions } from "./operations.ts";
import { instantNow, type Instant, type Stamp } from "./times.ts";

/** `Creating` is in the service's examples, and not among the states that its specification lists. */
export type LiveEventState = "Creating" | "Stopped" | "Allocating" | "StandBy" | "Starting" | "Running" | "Stopping" | "Deleting";

interface Changing {
  readonly name: string;
  readonly stamp: Stamp;
  modified: Instant;
  pending: LiveOperation | null;
}

export interface LiveEventRecord extends Changing {
  readonly eventId: string;
  readonly location: string;
  readonly accessToken: string;
  readonly previewLocator: string;
  readonly outputs: NamedMap<LiveOutputRecord>;
  tags: JsonObject;
  /** `properties` as they were sent, without what the service assigns. */
  settings: JsonObject;
  state: LiveEventState;
}

export interface LiveOutputRecord extends Changing {
  readonly assetName: string;
  /** `properties` as they were sent. */
  readonly settings: JsonObject;
  readonly manifestName: string;
  state: "Creating" | "Running" | "Deleting";
}

export type LiveOperationKind = "create" | "create-and-start" | "allocate" | "start" | "stop" | "reset" | "delete";

interface AboutLive {
  readonly kind: LiveOperationKind;
  readonly event: LiveEventRecord;
  /** Null for an operation on the event itself. */
  readonly output: LiveOutputRecord | null;
}

export type LiveOperation = AboutLive & Operation;

const DURING: Readonly<Record<LiveOperationKind, LiveEventState>> = {
  create: "Creating",
  "create-and-start": "Creating",
  allocate: "Allocating",
  start: "Starting",
  stop: "Stopping",
  reset: "Starting",
  delete: "Deleting",
};
const AFTER: Readonly<Record<Exclude<LiveOperationKind, "delete">, LiveEventState>> = {
  create: "Stopped",
  "create-and-start": "Running",
  allocate: "StandBy",
  start: "Running",
  stop: "Stopped",
  reset: "Running",
};

type NewEvent = Pick<LiveEventRecord, "name" | "location" | "accessToken" | "previewLocator" | "tags" | "settings">;
type NewOutput = Pick<LiveOutputRecord, "name" | "assetName" | "settings" | "manifestName">;

export class LiveMachine {
  readonly #options: OperationsOptions;
  readonly #events = new NamedMap<LiveEventRecord>();
  readonly #operations: Operations<AboutLive>;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#operations = new Operations(options);
  }

  clear(): void {
    this.#events.clear();
    this.#operations.clear();
  }

  get(name: string): LiveEventRecord | undefined {
    this.#settle();
    return this.#events.get(name);
  }

  values(): LiveEventRecord[] {
    this.#settle();
    return this.#events.values();
  }

  operation(id: string): LiveOperation | undefined {
    this.#settle();
    return this.#operations.get(id);
  }

  /** True while an output writes to the asset and its event does not run: there is nothing to stream. */
  offAir(assetName: string): boolean {
    const wanted = assetName.toLowerCase();
    const writers = this.values().filter((event) => event.outputs.values().some((output) => output.assetName.toLowerCase() === wanted));
    return writers.length > 0 && !writers.some(({ state }) => state === "Running");
  }

  createEvent(given: NewEvent, kind: "create" | "create-and-start"): LiveOperation {
    const { random } = this.#options;
    const event: LiveEventRecord = {
      ...given,
      ...this.#fresh(),
      eventId: random.uuid(),
      outputs: new NamedMap(),
      state: "Creating",
    };
    this.#events.set(event);
    return this.begin(event, kind);
  }

  createOutput(event: LiveEventRecord, given: NewOutput): LiveOperation {
    const output: LiveOutputRecord = { ...given, ...this.#fresh(), state: "Creating" };
    event.outputs.set(output);
    return this.#operate("create", event, output);
  }

  /** 409 in the service's words while another operation runs on the event. */
  begin(event: LiveEventRecord, kind: LiveOperationKind): LiveOperation {
    assertIdle(event);
    event.state = DURING[kind];
    return this.#operate(kind, event, null);
  }

  deleteOutput(event: LiveEventRecord, output: LiveOutputRecord): LiveOperation {
    assertIdle(output);
    output.state = "Deleting";
    return this.#operate("delete", event, output);
  }

  touch(subject: LiveEventRecord | LiveOutputRecord): void {
    subject.modified = instantNow(this.#options.clock, this.#options.random);
  }

  #fresh(): Pick<LiveEventRecord, "stamp" | "modified" | "pending"> {
    const now = instantNow(this.#options.clock, this.#options.random);
    return { stamp: { created: now, modified: now }, modified: now, pending: null };
  }

  #operate(kind: LiveOperationKind, event: LiveEventRecord, output: LiveOutputRecord | null): LiveOperation {
    const operation = this.#operations.begin({ kind, event, output });
    const subject = output ?? event;
    subject.pending = operation;
    this.touch(subject);
    return operation;
  }

  #settle(): void {
    this.#operations.settle(({ kind, event, output }) => {
      const subject = output ?? event;
      subject.pending = null;
      this.touch(subject);
      if (output === null) this.#settleEvent(event, kind);
      else if (kind === "delete") event.outputs.delete(output.name);
      else output.state = "Running";
    });
  }

  #settleEvent(event: LiveEventRecord, kind: LiveOperationKind): void {
    if (kind === "delete") this.#events.delete(event.name);
    else event.state = AFTER[kind];
  }
}

function assertIdle({ pending }: Changing): void {
  if (pending === null) return;
  throw new ArmError(409, "OperationInProgress", "There is another operation already in progress on the channel.");
}
