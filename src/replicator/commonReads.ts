/**
 * What many assets of an account have in common, content key policies, streaming policies and account filters, read once for several of them. A
 * job takes what another has read only where that was read after the job was asked for, and a short time ago. Secrets are in it.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import type { ContentKeyPolicy, MediaFilter, StreamingPolicy } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";

/** `shared`: what was read for another asset of the run will do. `anew`: the service is asked, as it is before and after every write. */
export type Freshness = "shared" | "anew";

/** So long what was read serves others: what somebody changes by hand meanwhile is found that much later. */
const SHARED_MS = 30_000;
const SHARED_AT_MOST = 200;

type Times = Pick<Clock, "now" | "monotonic">;

interface Known<T> {
  readonly value: T;
  /** When it was asked for: epoch milliseconds, and by the monotonic clock. */
  readonly at: number;
  readonly monotonic: number;
}

class SharedValues<T extends object> {
  readonly #clock: Times;
  readonly #known = new LRUCache<string, Known<T>>({ max: SHARED_AT_MOST });
  #writes = 0;

  constructor(clock: Times) {
    this.#clock = clock;
  }

  /** `since` as in `CommonReadsOptions`. What is not there is not remembered. */
  async read(name: string, since: number, freshness: Freshness, ask: () => Promise<T | null>): Promise<T | null> {
    this.#forgetOld();
    const known = this.#known.get(name);
    if (freshness === "shared" && known !== undefined && known.at > since) return known.value;
    const [at, monotonic, writes] = [this.#clock.now(), this.#clock.monotonic(), this.#writes];
    const value = await ask();
    // An answer that was under way while something was written may be that of before.
    if (value === null || writes !== this.#writes) this.#known.delete(name);
    else this.#known.set(name, { value, at, monotonic });
    return value;
  }

  /** Also a write that fails may have been done. */
  async write(name: string, work: () => Promise<void>): Promise<void> {
    this.#forget(name);
    try {
      await work();
    } finally {
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    this.#writes += 1;
    this.#known.delete(name);
  }

  #forgetOld(): void {
    const oldest = this.#clock.monotonic() - SHARED_MS;
    for (const [name, { monotonic }] of this.#known) if (monotonic < oldest) this.#known.delete(name);
  }
}

class SharedOfAccount {
  readonly contentKeyPolicies: SharedValues<ContentKeyPolicy>;
  readonly streamingPolicies: SharedValues<StreamingPolicy>;
  readonly accountFilters: SharedValues<readonly MediaFilter[]>;

  constructor(clock: Times) {
    this.contentKeyPolicies = new SharedValues(clock);
    this.streamingPolicies = new SharedValues(clock);
    this.accountFilters = new SharedValues(clock);
  }
}

/** Of all accounts, for the jobs of one process. */
export class SharedReads {
  readonly #clock: Times;
  readonly #accounts = new Map<string, SharedOfAccount>();

  constructor(clock: Times) {
    this.#clock = clock;
  }

  of(region: string): SharedOfAccount {
    const known = this.#accounts.get(region) ?? new SharedOfAccount(this.#clock);
    this.#accounts.set(region, known);
    return known;
  }
}

export interface CommonReadsOptions {
  readonly account: MediaAccount;
  readonly signal: AbortSignal;
  /** Left out: every read is a request. */
  readonly shared?: SharedReads | undefined;
  /** When the job was asked for, epoch milliseconds: what was read before may be what it was asked for to carry a change of. */
  readonly since?: number;
}

const ALL = "all";

/** One account's, as one job reads and writes them. */
export class CommonReads {
  readonly #account: MediaAccount;
  readonly #signal: AbortSignal;
  readonly #since: number;
  readonly #shared: SharedOfAccount | null;

  constructor({ account, signal, shared, since = Number.POSITIVE_INFINITY }: CommonReadsOptions) {
    this.#account = account;
    this.#signal = signal;
    this.#since = since;
    this.#shared = shared?.of(account.region) ?? null;
  }

  async contentKeyPolicy(name: string, freshness: Freshness = "shared"): Promise<ContentKeyPolicy | null> {
    const ask = async () => this.#account.contentKeyPolicy(name, this.#signal);
    return this.#shared === null ? ask() : this.#shared.contentKeyPolicies.read(name, this.#since, freshness, ask);
  }

  async streamingPolicy(name: string, freshness: Freshness = "shared"): Promise<StreamingPolicy | null> {
    const ask = async () => this.#account.streamingPolicy(name, this.#signal);
    return this.#shared === null ? ask() : this.#shared.streamingPolicies.read(name, this.#since, freshness, ask);
  }

  async accountFilters(freshness: Freshness = "shared"): Promise<readonly MediaFilter[]> {
    const ask = async (): Promise<readonly MediaFilter[]> => Array.fromAsync(this.#account.accountFilters(this.#signal));
    return (await (this.#shared?.accountFilters.read(ALL, this.#since, freshness, ask) ?? ask())) ?? [];
  }

  async putContentKeyPolicy(policy: ContentKeyPolicy): Promise<void> {
    const write = async () => this.#account.putContentKeyPolicy(policy, this.#signal);
    await (this.#shared?.contentKeyPolicies.write(policy.name, write) ?? write());
  }

  async createStreamingPolicy(policy: StreamingPolicy): Promise<void> {
    const write = async () => this.#account.createStreamingPolicy(policy, this.#signal);
    await (this.#shared?.streamingPolicies.write(policy.name, write) ?? write());
  }

  async deleteStreamingPolicy(name: string): Promise<void> {
    const write = async () => this.#account.deleteStreamingPolicy(name, this.#signal);
    await (this.#shared?.streamingPolicies.write(name, write) ?? write());
  }

  async putAccountFilter(filter: MediaFilter): Promise<void> {
    const write = async () => this.#account.putAccountFilter(filter, this.#signal);
    await (this.#shared?.accountFilters.write(ALL, write) ?? write());
  }
}
