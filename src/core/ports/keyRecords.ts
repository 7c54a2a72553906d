import type { Fence } from "./journal.ts";

/** What is known of one entity, encrypted. Everything but `sealed` is in the clear, and none of it is a secret. */
export interface SealedRecord {
  /** `locator/{locatorId}`, or `{kind}/{source region}/{name}`. */
  readonly id: string;
  /** Another one with every write. The encryption is bound to it and to the id, so that no record can stand in for another. */
  readonly version: string;
  /** Fingerprint of the master key that it is encrypted under. */
  readonly keyId: string;
  /** When its content was read from the source. */
  readonly at: number;
  /** Base64: nonce, ciphertext and tag. */
  readonly sealed: string;
}

/**
 * Keeps the record of keys: what it takes to make published locators again, encrypted. It never sees a master key or a plain text.
 * - `put` writes if and only if the stored version equals `expected` (null: there is no record); otherwise it throws `key_record_conflict` (retry
 *   class `conflict`) and nothing changes. A write that returned survives a crash. A version is never used twice for one id.
 * - With `fence`, `put` writes only while that lease of the journal is held by that owner, or was and nobody has taken it since; otherwise it
 *   throws `lease_lost` (retry class `retry`) and nothing changes. The look at the lease and the write are one.
 * - `remove` follows the same rule as `put` without a fence.
 * - `list` yields every record that existed during the whole listing exactly once, ordered by id.
 * - A record of 200,000 characters is kept; one that is too large for the store fails with `state_too_large`.
 */
export interface KeyRecords extends AsyncDisposable {
  get(id: string): Promise<SealedRecord | null>;
  put(record: SealedRecord, expected: string | null, fence?: Fence): Promise<void>;
  remove(id: string, expected: string): Promise<void>;
  list(): AsyncIterable<SealedRecord>;
}
