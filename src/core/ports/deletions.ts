/** One copy of a video that its source does not publish any more, on its way to being deleted in one target. */
export interface Deletion {
  /** `{target}/{locatorId}`. */
  readonly id: string;
  /** Lower case. */
  readonly locatorId: string;
  readonly locatorName: string;
  readonly assetName: string;
  readonly source: string;
  readonly target: string;
  /** When the catalogue says that its source stopped publishing it. */
  readonly goneAt: number;
  /** When it was written down first. The grace period counts from here: it begins when somebody can see it in the list. */
  readonly notedAt: number;
  /** What an operator has said of it, and null for nothing. `keep`: it is never deleted; `approve`: it is meant. */
  readonly word: "approve" | "keep" | null;
  /**
   * `pending`: nothing was done. `deleting`: begun, perhaps not to its end. `done`: it is not on the target any more.
   * `foreign`: nothing shows that replication made it, so it is reported and left alone.
   */
  readonly state: "pending" | "deleting" | "done" | "foreign";
  /** When the state was entered. */
  readonly at: number;
  /** When it was begun, or gone on with, last; null: never. */
  readonly begunAt: number | null;
  /** One sentence for people: what was deleted, what was left, or why. Null: nothing to say. */
  readonly detail: string | null;
  /** Length of the asset's files; null where nobody has looked. */
  readonly bytes: number | null;
}

/** A stored deletion with the version that a later write must name. Opaque. */
export interface VersionedDeletion {
  readonly deletion: Deletion;
  readonly version: string;
}

/**
 * Keeps what is to be deleted, what is being deleted, and, as a record for auditors, what was.
 * - `put` writes if and only if the stored version equals `expected` (null: there is none); otherwise it throws `deletion_conflict` (retry class
 *   `conflict`) and nothing changes. It returns the new version. A write that returned survives a crash.
 * - `remove` follows the same rule.
 * - `list` yields every deletion that existed during the whole listing exactly once, ordered by id.
 */
export interface DeletionStore extends AsyncDisposable {
  get(id: string): Promise<VersionedDeletion | null>;
  put(deletion: Deletion, expected: string | null): Promise<string>;
  remove(id: string, expected: string): Promise<void>;
  list(): AsyncIterable<VersionedDeletion>;
}
