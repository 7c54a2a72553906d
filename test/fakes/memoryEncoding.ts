/** Encoding's records in memory. Keeps the contract of `EncodingStore`. */
import {
  ENCODING_STATES,
  PRIORITIES,
  type AccountState,
  type EncodingJob,
  type EncodingMessage,
  type EncodingState,
} from "../../src/core/encoding.ts";
import type {
  EncodingStore,
  Errand,
  JobFilter,
  JobWrite,
  Timers,
  VersionedAccount,
  VersionedJob,
  WriteResult,
} from "../../src/core/ports/encodingStore.ts";
import { placesChanged, placesFit } from "../../src/encoding/placesTaken.ts";

interface Stored {
  readonly job: EncodingJob;
  readonly version: number;
  readonly timers: Timers;
  readonly places: readonly string[];
}

export class MemoryEncoding implements EncodingStore {
  readonly #jobs = new Map<string, Stored>();
  readonly #clientIds = new Map<string, string>();
  /** Ids of jobs with a timer, so that looking for what is due does not look at all. */
  readonly #timed: Readonly<Record<Errand, Set<string>>> = { place: new Set(), follow: new Set() };
  /** Nothing is due before. */
  readonly #earliest: Record<Errand, number> = { place: Number.POSITIVE_INFINITY, follow: Number.POSITIVE_INFINITY };
  readonly #places = new Map<string, number>();
  readonly #outbox = new Map<string, { readonly message: EncodingMessage; visibleAt: number }>();
  readonly #accounts = new Map<string, { readonly state: AccountState; readonly version: number }>();

  async write(writes: readonly JobWrite[]): Promise<readonly WriteResult[]> {
    return writes.map((write) => this.#write(write));
  }

  async get(id: string): Promise<VersionedJob | null> {
    const stored = this.#jobs.get(id);
    return stored === undefined ? null : versioned(stored);
  }

  async byClientId(clientId: string): Promise<VersionedJob | null> {
    return this.get(this.#clientIds.get(clientId) ?? "");
  }

  async take(errand: Errand, now: number, leaseMs: number, limit: number): Promise<readonly VersionedJob[]> {
    if (now < this.#earliest[errand]) return [];
    const due: Stored[] = [];
    for (const id of this.#timed[errand]) {
      const stored = this.#jobs.get(id);
      if (stored !== undefined && (stored.timers[errand] ?? Number.POSITIVE_INFINITY) <= now) due.push(stored);
    }
    const taken = due.sort(errand === "place" ? byPriority : byFollowTime).slice(0, limit);
    const leased = taken.map((stored) => this.#timedAt(stored, errand, now + leaseMs));
    const times = [...this.#timed[errand]].map((id) => this.#jobs.get(id)?.timers[errand] ?? Number.POSITIVE_INFINITY);
    this.#earliest[errand] = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
    return leased.map(versioned);
  }

  async hasten(account: string, at: number): Promise<void> {
    for (const id of this.#timed.follow) {
      const stored = this.#jobs.get(id);
      if (stored === undefined || !stored.places.includes(account) || (stored.timers.follow ?? 0) <= at) continue;
      this.#timedAt(stored, "follow", at);
    }
  }

  async places(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.#places);
  }

  async remove(id: string, expected: string): Promise<boolean> {
    const stored = this.#jobs.get(id);
    if (stored === undefined || String(stored.version) !== expected) return false;
    this.#take(placesChanged(stored.places, []));
    this.#jobs.delete(id);
    this.#clientIds.delete(stored.job.clientId);
    for (const timed of Object.values(this.#timed)) timed.delete(id);
    return true;
  }

  async list({ state, after, limit }: JobFilter): Promise<readonly EncodingJob[]> {
    const jobs = [...this.#jobs.values()].map(({ job }) => job);
    const chosen = jobs.filter((job) => (state === undefined || job.state === state) && (after === undefined || job.id < after));
    return chosen.sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, limit);
  }

  async count(): Promise<Readonly<Record<EncodingState, number>>> {
    const counts = Object.fromEntries(ENCODING_STATES.map((state) => [state, 0])) as Record<EncodingState, number>;
    for (const { job } of this.#jobs.values()) counts[job.state] += 1;
    return counts;
  }

  async outbox(now: number, leaseMs: number, limit: number): Promise<readonly EncodingMessage[]> {
    const due = [...this.#outbox.values()].filter(({ visibleAt }) => visibleAt <= now).slice(0, limit);
    for (const entry of due) entry.visibleAt = now + leaseMs;
    return due.map(({ message }) => message);
  }

  async settle(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#outbox.delete(id);
  }

  async oldestMessageAt(): Promise<number | null> {
    const [oldest] = this.#outbox.values();
    return oldest?.message.at ?? null;
  }

  async accounts(): Promise<readonly VersionedAccount[]> {
    const known = [...this.#accounts.values()].sort((one, other) => (one.state.account < other.state.account ? -1 : 1));
    return known.map(({ state, version }) => ({ state, version: String(version) }));
  }

  async saveAccount(state: AccountState, expected: string | null): Promise<string | null> {
    const version = this.#accounts.get(state.account)?.version ?? 0;
    if (expected !== versionText(version)) return null;
    this.#accounts.set(state.account, { state, version: version + 1 });
    return String(version + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #write({ job, expected, timers, places, capacity, messages }: JobWrite): WriteResult {
    const stored = this.#jobs.get(job.id);
    const version = stored?.version ?? 0;
    if (expected !== versionText(version) || this.#isTaken(job)) return { ok: false, why: "conflict" };
    const changes = placesChanged(stored?.places ?? [], places);
    if (!placesFit(changes, (account) => this.#places.get(account) ?? 0, capacity)) return { ok: false, why: "full" };
    this.#jobs.set(job.id, { job, version: version + 1, timers, places });
    this.#clientIds.set(job.clientId, job.id);
    for (const errand of ["place", "follow"] as const) this.#setTimer(job.id, errand, timers[errand]);
    this.#take(changes);
    for (const message of messages) this.#outbox.set(message.id, { message, visibleAt: 0 });
    return { ok: true, version: String(version + 1) };
  }

  #isTaken({ id, clientId }: EncodingJob): boolean {
    return (this.#clientIds.get(clientId) ?? id) !== id;
  }

  #timedAt(stored: Stored, errand: Errand, at: number): Stored {
    const next = { ...stored, version: stored.version + 1, timers: { ...stored.timers, [errand]: at } };
    this.#jobs.set(stored.job.id, next);
    this.#setTimer(stored.job.id, errand, at);
    return next;
  }

  #setTimer(id: string, errand: Errand, at: number | null): void {
    if (at === null) this.#timed[errand].delete(id);
    else this.#timed[errand].add(id);
    this.#earliest[errand] = Math.min(this.#earliest[errand], at ?? Number.POSITIVE_INFINITY);
  }

  #take(changes: ReadonlyMap<string, number>): void {
    for (const [account, change] of changes) this.#places.set(account, (this.#places.get(account) ?? 0) + change);
  }
}

function versionText(version: number): string | null {
  return version === 0 ? null : String(version);
}

function versioned({ job, version }: Stored): VersionedJob {
  return { job, version: String(version) };
}

function byPriority({ job: one }: Stored, { job: other }: Stored): number {
  return PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) || one.createdAt - other.createdAt;
}

function byFollowTime(one: Stored, other: Stored): number {
  return (one.timers.follow ?? 0) - (other.timers.follow ?? 0);
}
