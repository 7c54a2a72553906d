/** Streaming endpoints; start, stop, creation and deletion are long-running operations. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, type Call, type Reply, type Route } from "./call.ts";
import { changedSettings, endpointBody, ENDPOINT_TYPE, newSettings, scaleUnits, sku } from "./endpointBody.ts";
import type { EndpointOperation, EndpointRecord, OperationKind } from "./endpointMachine.ts";
import type { Emulator } from "./emulator.ts";
import { badRequest, notFound, resourceNotFound } from "./errors.ts";
import { asText, objectField, textField } from "./fields.ts";
import { locationDisplayName } from "./locations.ts";
import { LISTINGS, page } from "./odata.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const CDN_FIELDS = ["cdnEnabled", "cdnProvider", "cdnProfile"] as const;

export function endpointRoutes(emulator: Emulator): Route[] {
  const endpoints = new Endpoints(emulator);
  const one = "streamingendpoints/:endpoint";
  return [
    { method: "GET", path: "streamingendpoints", handle: (call) => endpoints.list(call) },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: endpoints.body(endpoints.named(call)) }) },
    { method: "PUT", path: one, handle: (call) => endpoints.put(call) },
    { method: "PATCH", path: one, handle: (call) => endpoints.patch(call) },
    { method: "DELETE", path: one, handle: (call) => endpoints.remove(call) },
    { method: "POST", path: `${one}/start`, handle: (call) => endpoints.begin(call, "start") },
    { method: "POST", path: `${one}/stop`, handle: (call) => endpoints.begin(call, "stop") },
    { method: "POST", path: `${one}/scale`, handle: (call) => endpoints.scale(call) },
    { method: "GET", path: `${one}/skus`, handle: (call) => endpoints.skus(call) },
    { method: "GET", path: "streamingendpointoperations/:operation", handle: (call) => endpoints.status(call) },
    { method: "GET", path: `${one}/operationlocations/:operation`, handle: (call) => endpoints.result(call) },
  ];
}

class Endpoints {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  body(endpoint: EndpointRecord): JsonObject {
    return endpointBody(this.#emulator.account, endpoint, this.#emulator.hosts.streaming);
  }

  named(call: Call): EndpointRecord {
    const { account, store } = this.#emulator;
    const name = call.param("endpoint");
    const endpoint = store.endpoints.get(name);
    if (endpoint === undefined) throw resourceNotFound(`mediaservices/${account.name}/streamingEndpoints/${name}`, account.resourceGroup);
    return endpoint;
  }

  list(call: Call): Reply {
    const { store, switches } = this.#emulator;
    const bodies = store.endpoints.values().map((endpoint) => this.body(endpoint));
    return { status: 200, body: page(bodies, LISTINGS.plain, call.url, switches.pageSize) };
  }

  put(call: Call): Reply {
    const { store } = this.#emulator;
    const body = bodyOf(call);
    const settings = newSettings(objectField(body, "properties"));
    const existing = store.endpoints.get(call.param("endpoint"));
    if (existing !== undefined) return this.#change(existing, objectField(body, "tags"), settings, call);
    const location = locationDisplayName(textField(body, "location") ?? store.account?.location ?? "");
    const endpoint = store.endpoints.create(call.param("endpoint"), location, objectField(body, "tags"), settings);
    const start = call.url.searchParams.get("autoStart") === "true";
    const operation = store.endpoints.begin(endpoint, start ? "create-and-start" : "create");
    return { status: 201, body: this.body(endpoint), headers: this.#headers(call, operation) };
  }

  patch(call: Call): Reply {
    const endpoint = this.named(call);
    const body = bodyOf(call);
    const settings = changedSettings(endpoint.settings, objectField(body, "properties"));
    return this.#change(endpoint, "tags" in body ? objectField(body, "tags") : endpoint.tags, settings, call);
  }

  remove(call: Call): Reply {
    const endpoint = this.#emulator.store.endpoints.get(call.param("endpoint"));
    if (endpoint === undefined) return { status: 204 };
    if (endpoint.state === "Running") throw badRequest(`The streaming endpoint '${endpoint.name}' must be stopped before it is deleted.`);
    return this.begin(call, "delete");
  }

  begin(call: Call, kind: OperationKind): Reply {
    const operation = this.#emulator.store.endpoints.begin(this.named(call), kind);
    return { status: 202, headers: this.#headers(call, operation) };
  }

  scale(call: Call): Reply {
    const { endpoints } = this.#emulator.store;
    const endpoint = this.named(call);
    endpoints.assertIdle(endpoint);
    endpoint.settings = { ...endpoint.settings, scaleUnits: scaleUnits(bodyOf(call)["scaleUnit"] ?? null) };
    endpoints.touch(endpoint);
    return { status: 200 };
  }

  skus(call: Call): Reply {
    const { name } = sku(this.named(call).settings);
    const capacity = { scaleType: "Automatic", default: 1, minimum: 1, maximum: 50 };
    return { status: 200, body: { value: [{ resourceType: ENDPOINT_TYPE, capacity, sku: { name: name ?? null } }] } };
  }

  status(call: Call): Reply {
    const operation = this.#operation(call);
    const { id, done, kind, endpoint } = operation;
    const target = done && kind === "delete" ? NOBODY : endpoint.endpointId;
    const body = { name: id, status: done ? "Succeeded" : "InProgress", error: { code: "None", message: null, target } };
    return { status: 200, body, headers: { "azure-asyncoperation": this.#operationUrl(call, operation) } };
  }

  /** The endpoint as it is now, under the id of the operation. */
  result(call: Call): Reply {
    const operation = this.#operation(call);
    if (!operation.done) return { status: 202, headers: this.#headers(call, operation) };
    if (operation.kind === "delete") return { status: 204 };
    const body = this.body(operation.endpoint);
    return { status: 200, body: { ...body, id: `${asText(body["id"])}/operationlocations/${operation.id}` } };
  }

  /** A change of the CDN takes an operation, any other change is done at once. */
  #change(endpoint: EndpointRecord, tags: JsonObject, settings: JsonObject, call: Call): Reply {
    const { endpoints } = this.#emulator.store;
    endpoints.assertIdle(endpoint);
    const cdnChanged = CDN_FIELDS.some((field) => (endpoint.settings[field] ?? "") !== (settings[field] ?? ""));
    Object.assign(endpoint, { tags, settings });
    if (!cdnChanged) {
      endpoints.touch(endpoint);
      return { status: 200, body: this.body(endpoint) };
    }
    const operation = endpoints.begin(endpoint, "update");
    return { status: 202, body: this.body(endpoint), headers: this.#headers(call, operation) };
  }

  #operation(call: Call): EndpointOperation {
    const operation = this.#emulator.store.endpoints.operation(call.param("operation").toLowerCase());
    if (operation === undefined) throw notFound();
    return operation;
  }

  #headers(call: Call, operation: EndpointOperation): Record<string, string> {
    const location = this.#url(call, `streamingendpoints/${operation.endpoint.name}/operationlocations/${operation.id}`);
    return { "azure-asyncoperation": this.#operationUrl(call, operation), location };
  }

  #operationUrl(call: Call, operation: EndpointOperation): string {
    return this.#url(call, `streamingendpointoperations/${operation.id}`);
  }

  #url({ url, apiVersion }: Call, path: string): string {
    const { subscriptionId, resourceGroup, name } = this.#emulator.account;
    const base = `${url.origin}/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${name}`;
    return `${base}/${path}?api-version=${apiVersion}`;
  }
}
