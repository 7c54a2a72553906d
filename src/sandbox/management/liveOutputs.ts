/**
 * Live outputs. The service records what it is sent; the emulator is sent nothing, and gives the asset a test signal (`LiveSignal`), which is on
 * air while the event runs. See `liveEvents.ts` for what is known of the service.
 */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, type Call, type Reply, type Route } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { badRequest, conflict, notFound, resourceNotFound } from "./errors.ts";
import { objectField, requiredText, textField } from "./fields.ts";
import { checkDuration, checkOutputName, outputBody } from "./liveBody.ts";
import { liveEventOf } from "./liveEvents.ts";
import type { LiveEventRecord, LiveOperation, LiveOutputRecord } from "./liveMachine.ts";
import { operationHeaders, operationStatus } from "./liveOperations.ts";
import { LISTINGS, page } from "./odata.ts";
import { same } from "./store.ts";

export function liveOutputRoutes(emulator: Emulator): Route[] {
  const outputs = new LiveOutputs(emulator);
  const all = "liveevents/:event/liveoutputs";
  const one = `${all}/:output`;
  return [
    { method: "GET", path: all, handle: (call) => outputs.list(call) },
    { method: "GET", path: one, handle: (call) => outputs.get(call) },
    { method: "PUT", path: one, handle: async (call) => outputs.put(call) },
    { method: "DELETE", path: one, handle: async (call) => outputs.remove(call) },
    { method: "GET", path: "liveoutputoperations/:operation", handle: (call) => operationStatus(outputs.operation(call)) },
    { method: "GET", path: `${one}/operationlocations/:operation`, handle: (call) => outputs.result(call) },
  ];
}

class LiveOutputs {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  list(call: Call): Reply {
    const event = liveEventOf(this.#emulator, call);
    const bodies = event.outputs.values().map((output) => this.#body(event, output));
    return { status: 200, body: page(bodies, LISTINGS.plain, call.url, this.#emulator.switches.pageSize) };
  }

  get(call: Call): Reply {
    const event = liveEventOf(this.#emulator, call);
    return { status: 200, body: this.#body(event, this.#named(event, call)) };
  }

  async put(call: Call): Promise<Reply> {
    const { store, liveSignal } = this.#emulator;
    const event = liveEventOf(this.#emulator, call);
    const name = call.param("output");
    checkOutputName(name);
    if (event.outputs.get(name) !== undefined) throw conflict(`The live output '${name}' already exists and cannot be updated.`);
    const settings = objectField(bodyOf(call), "properties");
    const assetName = this.#asset(settings);
    checkDuration(requiredText(settings, "archiveWindowLength"), "archiveWindowLength");
    checkDuration(textField(settings, "rewindWindowLength"), "rewindWindowLength");
    const manifestName = textField(settings, "manifestName") ?? this.#emulator.random.uuid();
    const operation = store.live.createOutput(event, { name, assetName, settings, manifestName });
    await liveSignal?.begin(store.container(assetName), manifestName);
    const [output, headers] = [this.#named(event, call), operationHeaders(this.#emulator.account, call, operation)];
    return { status: 201, body: this.#body(event, output), headers };
  }

  /** What was recorded stays in the asset. */
  async remove(call: Call): Promise<Reply> {
    const { store, liveSignal, account } = this.#emulator;
    const event = store.live.get(call.param("event"));
    const output = event?.outputs.get(call.param("output"));
    if (event === undefined || output === undefined) return { status: 204 };
    const operation = store.live.deleteOutput(event, output);
    await liveSignal?.end(store.container(output.assetName), output.manifestName);
    return { status: 202, headers: operationHeaders(account, call, operation) };
  }

  operation(call: Call): LiveOperation {
    const operation = this.#emulator.store.live.operation(call.param("operation").toLowerCase());
    if (operation === undefined) throw notFound();
    return operation;
  }

  result(call: Call): Reply {
    const operation = this.operation(call);
    const { done, kind, event, output } = operation;
    if (!done) return { status: 202, headers: operationHeaders(this.#emulator.account, call, operation) };
    return kind === "delete" || output === null ? { status: 204 } : { status: 200, body: this.#body(event, output) };
  }

  /** One output at a time writes to an asset. */
  #asset(settings: JsonObject): string {
    const { store } = this.#emulator;
    const assetName = requiredText(settings, "assetName");
    const asset = store.assets.get(assetName);
    if (asset === undefined) throw badRequest(`The asset '${assetName}' does not exist.`);
    const outputs = store.live.values().flatMap((event) => event.outputs.values());
    if (outputs.some((output) => same(output.assetName, asset.name)))
      throw badRequest(`The asset '${assetName}' has a live output already.`);
    return asset.name;
  }

  #named(event: LiveEventRecord, call: Call): LiveOutputRecord {
    const { account } = this.#emulator;
    const output = event.outputs.get(call.param("output"));
    if (output !== undefined) return output;
    throw resourceNotFound(
      `mediaservices/${account.name}/liveEvents/${event.name}/liveOutputs/${call.param("output")}`,
      account.resourceGroup,
    );
  }

  #body(event: LiveEventRecord, output: LiveOutputRecord): JsonObject {
    return outputBody(this.#emulator.account, event, output);
  }
}
