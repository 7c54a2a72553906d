/** A region's live events in memory, with faults. Keeps the contract of `LiveAccount`. */
import { PaircastError } from "../../src/core/errors.ts";
import type { LiveState } from "../../src/core/live.ts";
import type { LiveAccount, LiveEvent, LiveEventSpec, LiveOutput, LiveOutputSpec } from "../../src/core/ports/liveAccount.ts";
import { Calls } from "./calls.ts";

interface Kept {
  event: LiveEvent;
  readonly outputs: Map<string, LiveOutput>;
}

export class MemoryLiveAccount implements LiveAccount {
  readonly region: string;
  readonly calls = new Calls();
  readonly #events = new Map<string, Kept>();

  constructor(region = "westeurope") {
    this.region = region;
  }

  /** As if an encoder, an operator or the service had done it. */
  become(name: string, change: { readonly state?: LiveState; readonly isOurs?: boolean }): void {
    const kept = this.#events.get(name.toLowerCase());
    if (kept !== undefined) kept.event = { ...kept.event, ...change };
  }

  async event(name: string, signal: AbortSignal): Promise<LiveEvent | null> {
    await this.#enter("event", name, "reads", signal);
    return this.#events.get(name.toLowerCase())?.event ?? null;
  }

  async *events(signal: AbortSignal): AsyncGenerator<LiveEvent> {
    await this.#enter("events", "*", "reads", signal);
    for (const { event } of this.#events.values()) yield event;
  }

  async createEvent(spec: LiveEventSpec, signal: AbortSignal): Promise<void> {
    await this.#enter("createEvent", spec.name, "writes", signal);
    if (this.#events.has(spec.name.toLowerCase())) throw this.#exists(`live event ${spec.name}`);
    const ingest = [{ protocol: "RTMP", url: `rtmps://${this.region}.example:2935/live/${spec.accessToken}` }];
    const event: LiveEvent = { ...spec, state: "stopped", ingest, preview: [`https://${this.region}.example/preview`], isOurs: true };
    this.#events.set(spec.name.toLowerCase(), { event, outputs: new Map() });
  }

  async start(name: string, signal: AbortSignal): Promise<void> {
    await this.#enter("start", name, "writes", signal);
    const kept = this.#known(name);
    kept.event = { ...kept.event, state: "running" };
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    await this.#enter("stop", name, "writes", signal);
    const kept = this.#known(name);
    kept.event = { ...kept.event, state: "stopped" };
  }

  async deleteEvent(name: string, signal: AbortSignal): Promise<void> {
    await this.#enter("deleteEvent", name, "writes", signal);
    const kept = this.#events.get(name.toLowerCase());
    if (kept === undefined) return;
    if (kept.event.state !== "stopped" || kept.outputs.size > 0)
      throw new PaircastError("account_rejected", `delete live event ${name} in ${this.region}: it is in use`);
    this.#events.delete(name.toLowerCase());
  }

  async outputs(event: string, signal: AbortSignal): Promise<readonly LiveOutput[]> {
    await this.#enter("outputs", event, "reads", signal);
    return [...(this.#events.get(event.toLowerCase())?.outputs.values() ?? [])];
  }

  async createOutput(event: string, spec: LiveOutputSpec, signal: AbortSignal): Promise<void> {
    await this.#enter("createOutput", spec.name, "writes", signal);
    const { outputs } = this.#known(event);
    if (outputs.has(spec.name.toLowerCase())) throw this.#exists(`live output ${spec.name}`);
    outputs.set(spec.name.toLowerCase(), spec);
  }

  async deleteOutput(event: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#enter("deleteOutput", name, "writes", signal);
    this.#events.get(event.toLowerCase())?.outputs.delete(name.toLowerCase());
  }

  async #enter(operation: string, subject: string, kind: "reads" | "writes", signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.calls.enter(operation, subject, kind);
  }

  #known(name: string): Kept {
    const kept = this.#events.get(name.toLowerCase());
    if (kept === undefined) throw new PaircastError("live_missing", `live event ${name} in ${this.region}: there is none`);
    return kept;
  }

  #exists(what: string): PaircastError {
    return new PaircastError("live_exists", `create ${what} in ${this.region}: it exists already`, { retry: "conflict" });
  }
}
