/** A media account's jobs in memory. Keeps the contract of `EncodingAccount`, and remembers what it was asked to do. */
import type { Clock } from "../../src/core/clock.ts";
import type { AccountJobState, Sighting, Transform } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { AccountJob, EncodingAccount } from "../../src/core/ports/encodingAccount.ts";
import { Calls } from "./calls.ts";

export interface MemoryEncodingAccountOptions {
  readonly name: string;
  readonly clock: Clock;
  /** How long a job takes: a third of it queued, scheduled and processing each; null: until `finishAll`. */
  readonly workMs: number | null;
}

interface Held {
  readonly request: AccountJob;
  readonly createdAt: number;
  /** In the place of what time makes of it. */
  fixed: AccountJobState | null;
}

const PAGE = 100;
const STATES = ["queued", "scheduled", "processing", "finished"] as const;
const FINAL: ReadonlySet<AccountJobState> = new Set(["finished", "canceled", "error"]);

export class MemoryEncodingAccount implements EncodingAccount {
  readonly name: string;
  readonly calls = new Calls();
  readonly assets = new Set<string>();
  /** Names of jobs in the order in which they were created: a name that is here twice was removed and created again. */
  readonly created: string[] = [];
  /** The most jobs that were not final at one time. */
  busiest = 0;
  /** What every call is answered with; null: with what it asks for. */
  refusal: { readonly error: Error; readonly afterEffect: boolean } | null = null;
  readonly #options: MemoryEncodingAccountOptions;
  readonly #transforms = new Map<string, Transform>();
  readonly #jobs = new Map<string, Held>();

  constructor(options: MemoryEncodingAccountOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Jobs that are not final come to their end. */
  finishAll(): void {
    for (const held of this.#jobs.values()) if (!FINAL.has(this.#stateOf(held))) held.fixed = "finished";
  }

  /** Jobs that are there. */
  get size(): number {
    return this.#jobs.size;
  }

  async ensureTransform(transform: Transform, signal: AbortSignal): Promise<void> {
    await this.#answered("ensureTransform", transform.name, signal, () => {
      this.#transforms.set(transform.name, transform);
    });
  }

  async submit(request: AccountJob, signal: AbortSignal): Promise<void> {
    await this.#answered("submit", request.name, signal, () => {
      const transform = this.#transforms.get(request.transform);
      if (transform === undefined) throw rejected(`there is no transform ${request.transform}`);
      const key = keyOf(request.transform, request.name);
      if (this.#jobs.has(key)) return;
      if (transform.outputs.length !== request.outputs.length)
        throw rejected(`${request.transform} has ${transform.outputs.length} outputs`);
      for (const { assetName } of request.outputs) this.assets.add(assetName);
      this.#jobs.set(key, { request, createdAt: this.#options.clock.now(), fixed: null });
      this.created.push(request.name);
      this.busiest = Math.max(this.busiest, [...this.#jobs.values()].filter((held) => !FINAL.has(this.#stateOf(held))).length);
    });
  }

  async job(transform: string, name: string, signal: AbortSignal): Promise<readonly Sighting[] | null> {
    return this.#answered("job", name, signal, () => {
      const held = this.#jobs.get(keyOf(transform, name));
      return held === undefined ? null : this.#shown(held);
    });
  }

  async *jobs(transform: string, since: number, signal: AbortSignal): AsyncGenerator<readonly Sighting[]> {
    for (let at = 0; ; at += PAGE) {
      const page = await this.#answered("jobs", transform, signal, () =>
        [...this.#jobs.values()]
          .filter(({ request, createdAt }) => request.transform === transform && createdAt >= since)
          .slice(at, at + PAGE)
          .map((held) => this.#shown(held)),
      );
      yield* page;
      if (page.length < PAGE) return;
    }
  }

  async cancel(transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#answered("cancel", name, signal, () => {
      const held = this.#jobs.get(keyOf(transform, name));
      if (held !== undefined && !FINAL.has(this.#stateOf(held))) held.fixed = "canceled";
    });
  }

  async removeJob(transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#answered("removeJob", name, signal, () => {
      const held = this.#jobs.get(keyOf(transform, name));
      if (held !== undefined && !FINAL.has(this.#stateOf(held))) throw rejected(`job ${name} is ${this.#stateOf(held)}`);
      this.#jobs.delete(keyOf(transform, name));
    });
  }

  async removeAsset(assetName: string, signal: AbortSignal): Promise<void> {
    await this.#answered("removeAsset", assetName, signal, () => {
      this.assets.delete(assetName);
    });
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#answered("ping", this.name, signal, () => undefined);
  }

  async #answered<T>(operation: string, subject: string, signal: AbortSignal, effect: () => T): Promise<T> {
    signal.throwIfAborted();
    const reads = operation === "job" || operation === "jobs" || operation === "ping";
    await this.calls.enter(operation, subject, reads ? "reads" : "writes");
    const { refusal } = this;
    if (refusal !== null && !refusal.afterEffect) throw refusal.error;
    const result = effect();
    if (refusal !== null) throw refusal.error;
    return result;
  }

  #stateOf({ createdAt, fixed }: Held): AccountJobState {
    const { clock, workMs } = this.#options;
    if (fixed !== null || workMs === null) return fixed ?? "queued";
    return STATES[Math.min(3, Math.floor((3 * (clock.now() - createdAt)) / workMs))] ?? "finished";
  }

  #shown(held: Held): readonly Sighting[] {
    const { request } = held;
    const state = this.#stateOf(held);
    const subject = { account: this.name, jobName: request.name, at: this.#options.clock.now(), state, failure: null };
    const progress = state === "finished" ? 100 : 0;
    return [{ ...subject, label: null, progress: null }, ...request.outputs.map(({ label }) => ({ ...subject, label, progress }))];
  }
}

function keyOf(transform: string, name: string): string {
  return `${transform}\n${name}`;
}

function rejected(why: string): PaircastError {
  return new PaircastError("account_rejected", `the account refused: ${why}`);
}
