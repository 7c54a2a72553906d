import type { AccountState, EncodingJob, EncodingMessage, EncodingState } from "../encoding.ts";

/**
 * The two reasons to look at a job: `place` it waits for an account; `follow` something is due in the accounts that it is or was in, or its record
 * is to be removed.
 */
export type Errand = "place" | "follow";

/** When to look at a job next; null: not for that. */
export type Timers = Readonly<Record<Errand, number | null>>;

export interface VersionedJob {
  readonly job: EncodingJob;
  /** Another one after every write and every `take`. Opaque. */
  readonly version: string;
}

export interface JobWrite {
  readonly job: EncodingJob;
  /** Version that is stored; null: there is neither a job of this id nor one of this client id. */
  readonly expected: string | null;
  readonly timers: Timers;
  /** Accounts in which it takes up a place, once for each place. */
  readonly places: readonly string[];
  /** How many places accounts have; an account that is left out has any number. */
  readonly capacity: Readonly<Record<string, number>>;
  readonly messages: readonly EncodingMessage[];
}

/** `conflict`: the stored version is another one. `full`: an account in which it takes up more places than before has none left. */
export type WriteResult = { readonly ok: true; readonly version: string } | { readonly ok: false; readonly why: "conflict" | "full" };

export interface JobFilter {
  /** Left out: any. */
  readonly state?: EncodingState;
  /** Id of the last job of the page before; left out: the newest first. */
  readonly after?: string;
  readonly limit: number;
}

export interface VersionedAccount {
  readonly state: AccountState;
  readonly version: string;
}

/**
 * Keeps encoding's records: jobs with their timers, the places that they take up in accounts, the outbox, and what is known of accounts. Job ids
 * ascend with time.
 * - `write` makes each write or refuses it, one independent of the other; together they cost little more than one. A write is whole: record,
 *   timers, places and messages, or nothing. What returned survives a crash. A write never fails for `full` where it takes up no more places
 *   in any account than the stored record.
 * - `take` gives jobs whose timer for the errand has passed, each to one caller, and sets that timer to `now + leaseMs`: who dies with a job in
 *   hand loses it by and by. `place` goes by priority and then by age, `follow` by time. Who was slow is not stopped by the lease, but by
 *   the version.
 * - `hasten` makes all jobs that take up a place in the account due for `follow` at `at`, where they were due later.
 * - `places` counts the places taken up, per account; accounts without any may be left out.
 * - `outbox` gives messages that were not settled and not given out since `now - leaseMs`, oldest first; a message may be given out twice.
 *   `settle` removes them and ignores those that are not there. `oldestMessageAt` says of when the oldest is that is not settled, null: none is.
 * - `remove` drops a job whose version is the expected one, and says whether it did; its messages stay.
 * - `list` pages through the newest first. `count` counts the jobs of each state.
 * - `saveAccount` writes if and only if the stored version is `expected` (null: there is none) and gives the new version, else null.
 * - Errors: `state_unavailable` (retry), `state_denied`, `state_rejected` (never).
 */
export interface EncodingStore extends AsyncDisposable {
  write(writes: readonly JobWrite[]): Promise<readonly WriteResult[]>;
  get(id: string): Promise<VersionedJob | null>;
  byClientId(clientId: string): Promise<VersionedJob | null>;
  take(errand: Errand, now: number, leaseMs: number, limit: number): Promise<readonly VersionedJob[]>;
  hasten(account: string, at: number): Promise<void>;
  places(): Promise<ReadonlyMap<string, number>>;
  remove(id: string, expected: string): Promise<boolean>;
  list(filter: JobFilter): Promise<readonly EncodingJob[]>;
  count(): Promise<Readonly<Record<EncodingState, number>>>;
  outbox(now: number, leaseMs: number, limit: number): Promise<readonly EncodingMessage[]>;
  settle(ids: readonly string[]): Promise<void>;
  oldestMessageAt(): Promise<number | null>;
  accounts(): Promise<readonly VersionedAccount[]>;
  saveAccount(state: AccountState, expected: string | null): Promise<string | null>;
}
