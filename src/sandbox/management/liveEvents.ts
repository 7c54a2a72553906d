/**
 * Live events. Creation, allocation, start, stop, reset and deletion are long-running operations, as in the specification of 2022-08-01. There is
 * no recording of them: what the service refuses with which words is not known, and follows here from what its documentation says may be done.
 */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, type Call, type Reply, type Route } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { badRequest, notFound, resourceNotFound } from "./errors.ts";
import { asText, guidField, objectField } from "./fields.ts";
import { checkEventName, checkEventSettings, eventBody } from "./liveBody.ts";
import type { LiveEventRecord, LiveEventState, LiveOperation, LiveOperationKind } from "./liveMachine.ts";
import { operationHeaders, operationStatus } from "./liveOperations.ts";
import { locationDisplayName } from "./locations.ts";
import { LISTINGS, page } from "./odata.ts";

type Action = Extract<LiveOperationKind, "allocate" | "start" | "stop" | "reset">;

/** States from which an action may be asked for. */
const MAY: Readonly<Record<Action, readonly LiveEventState[]>> = {
  allocate: ["Stopped"],
  start: ["Stopped", "StandBy"],
  stop: ["Running", "StandBy"],
  reset: ["Running"],
};

export function liveEventRoutes(emulator: Emulator): Route[] {
  const events = new LiveEvents(emulator);
  const one = "liveevents/:event";
  const actions = (["allocate", "start", "stop", "reset"] as const).map((action): Route => {
    return { method: "POST", path: `${one}/${action}`, handle: async (call) => events.act(call, action) };
  });
  return [
    { method: "GET", path: "liveevents", handle: (call) => events.list(call) },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: events.body(liveEventOf(emulator, call)) }) },
    { method: "PUT", path: one, handle: (call) => events.put(call) },
    { method: "PATCH", path: one, handle: (call) => events.patch(call) },
    { method: "DELETE", path: one, handle: (call) => events.remove(call) },
    ...actions,
    { method: "GET", path: "liveeventoperations/:operation", handle: (call) => events.status(call) },
    { method: "GET", path: `${one}/operationlocations/:operation`, handle: (call) => events.result(call) },
  ];
}

export function liveEventOf({ store, account }: Emulator, call: Call): LiveEventRecord {
  const name = call.param("event");
  const event = store.live.get(name);
  if (event === undefined) throw resourceNotFound(`mediaservices/${account.name}/liveEvents/${name}`, account.resourceGroup);
  return event;
}

class LiveEvents {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  body(event: LiveEventRecord): JsonObject {
    return eventBody(this.#emulator.account, event);
  }

  list(call: Call): Reply {
    const { store, switches } = this.#emulator;
    const bodies = store.live.values().map((event) => this.body(event));
    return { status: 200, body: page(bodies, LISTINGS.plain, call.url, switches.pageSize) };
  }

  put(call: Call): Reply {
    const { store, random } = this.#emulator;
    const body = bodyOf(call);
    const settings = objectField(body, "properties");
    checkEventSettings(settings);
    const existing = store.live.get(call.param("event"));
    if (existing !== undefined) return this.#change(existing, objectField(body, "tags"), settings);
    checkEventName(call.param("event"));
    const operation = store.live.createEvent(
      {
        name: call.param("event"),
        location: locationDisplayName(asText(body["location"]) || (store.account?.location ?? "")),
        accessToken: guidField(objectField(settings, "input"), "accessToken")?.replaceAll("-", "") ?? random.uuid().replaceAll("-", ""),
        previewLocator: guidField(objectField(settings, "preview"), "previewLocator") ?? random.uuid(),
        tags: objectField(body, "tags"),
        settings,
      },
      call.url.searchParams.get("autoStart") === "true" ? "create-and-start" : "create",
    );
    return { status: 201, body: this.body(operation.event), headers: this.#headers(call, operation) };
  }

  patch(call: Call): Reply {
    const event = liveEventOf(this.#emulator, call);
    const body = bodyOf(call);
    const settings = { ...event.settings, ...objectField(body, "properties") };
    checkEventSettings(settings);
    return this.#change(event, "tags" in body ? objectField(body, "tags") : event.tags, settings);
  }

  remove(call: Call): Reply {
    const event = this.#emulator.store.live.get(call.param("event"));
    if (event === undefined) return { status: 204 };
    if (event.outputs.values().length > 0) throw badRequest(`The live event '${event.name}' has live outputs: delete them first.`);
    if (event.pending === null && event.state !== "Stopped") throw badRequest(`The live event '${event.name}' must be stopped first.`);
    return this.#begin(call, event, "delete");
  }

  async act(call: Call, action: Action): Promise<Reply> {
    const event = liveEventOf(this.#emulator, call);
    if (event.pending === null && !MAY[action].includes(event.state))
      throw badRequest(`The live event '${event.name}' is in the state '${event.state}': '${action}' is not possible.`);
    const reply = this.#begin(call, event, action);
    if (action === "stop" && call.body !== null && bodyOf(call)["removeOutputsOnStop"] === true) await this.#removeOutputs(event);
    return reply;
  }

  status(call: Call): Reply {
    return operationStatus(this.#operation(call));
  }

  /** The event as it is now. */
  result(call: Call): Reply {
    const operation = this.#operation(call);
    if (!operation.done) return { status: 202, headers: this.#headers(call, operation) };
    return operation.kind === "delete" ? { status: 204 } : { status: 200, body: this.body(operation.event) };
  }

  async #removeOutputs(event: LiveEventRecord): Promise<void> {
    const { store, liveSignal } = this.#emulator;
    for (const output of event.outputs.values()) {
      await liveSignal?.end(store.container(output.assetName), output.manifestName);
      event.outputs.delete(output.name);
    }
  }

  /** What tells one event from another cannot be changed, and nothing while it is in use. */
  #change(event: LiveEventRecord, tags: JsonObject, settings: JsonObject): Reply {
    if (event.state !== "Stopped") throw badRequest(`The live event '${event.name}' must be stopped to be changed.`);
    const fixed = (from: JsonObject): string => {
      const input = objectField(from, "input");
      return JSON.stringify([input["streamingProtocol"], objectField(from, "encoding")["encodingType"], from["useStaticHostname"]]);
    };
    if (fixed(event.settings) !== fixed(settings)) throw badRequest(`Protocol, encoding and host name of a live event cannot be changed.`);
    Object.assign(event, { tags, settings });
    this.#emulator.store.live.touch(event);
    return { status: 200, body: this.body(event) };
  }

  #begin(call: Call, event: LiveEventRecord, kind: LiveOperationKind): Reply {
    return { status: 202, headers: this.#headers(call, this.#emulator.store.live.begin(event, kind)) };
  }

  #operation(call: Call): LiveOperation {
    const operation = this.#emulator.store.live.operation(call.param("operation").toLowerCase());
    if (operation === undefined) throw notFound();
    return operation;
  }

  #headers(call: Call, operation: LiveOperation): Record<string, string> {
    return operationHeaders(this.#emulator.account, call, operation);
  }
}
