import type { Override } from "../contracts.ts";

/** One thing that was done to the overrides, for the audit. */
export interface OverrideEvent {
  readonly at: number;
  readonly action: "set" | "lifted" | "expired";
  readonly override: Override;
  readonly by: string;
}

/**
 * Keeps operators' overrides for everyone who shares the store.
 * - `set` replaces an override of the same region and service (a drain becomes a disable); `lift` by id is idempotent and returns what was lifted.
 *   With `expected`, `set` writes if and only if that is still the revision; otherwise it throws `overrides_conflict` (retry class `conflict`)
 *   and nothing changes: what was decided on is what is stored.
 * - `active` gives those that have not expired at `now`, oldest first; expired ones are removed by the next write, or by `expire`, and audited as
 *   `expired` at the time they expired, once, whoever shares the store. `expire` returns what it removed.
 * - `audit` lists the newest events first, at most `limit`; nothing in it is ever changed.
 * - `revision` changes whenever any override has changed, through whichever process; it is cheap to call.
 * - A write that returned survives a crash.
 */
export interface OverrideStore extends AsyncDisposable {
  set(override: Override, expected?: string): Promise<void>;
  lift(id: string, by: string, now: number): Promise<Override | null>;
  expire(now: number): Promise<readonly Override[]>;
  active(now: number): Promise<readonly Override[]>;
  audit(limit: number): Promise<readonly OverrideEvent[]>;
  revision(): Promise<string>;
}

/**
 * Reads overrides on the hot path: a plain read of memory, at most a second old, oldest first. Expired ones are left out.
 * The same array is returned until something changes, so that what is computed from it can be kept.
 */
export interface OverrideView {
  active(): readonly Override[];
}
