/**
 * Rows under two keys, as Azure Table storage and Cosmos DB's Table API keep them: what stores for several machines are made of. The service is
 * behind `AzureTable`; tests have one in memory.
 */

/** Texts only: the service's numbers end at 2^31, and what is stored as text reads the same everywhere. */
export type RowValues = Readonly<Record<string, string>>;

export interface Row {
  readonly key: string;
  /** Another one after every write of the row. Opaque. */
  readonly etag: string;
  readonly values: RowValues;
}

/** A write of one row. `etag`: only while the row has it; null: whatever is there, or nothing. A `delete` of what is not there fails. */
export type RowChange =
  | { readonly type: "insert"; readonly key: string; readonly values: RowValues }
  | { readonly type: "replace"; readonly key: string; readonly values: RowValues; readonly etag: string | null }
  | { readonly type: "delete"; readonly key: string; readonly etag: string | null };

export interface RowRange {
  /** First key. */
  readonly from: string;
  /** First key that is not in it any more. */
  readonly below: string;
  /** Rows at most; left out: all. */
  readonly limit?: number;
}

/** The service's limit for one transaction. */
export const MAX_CHANGES = 100;

/**
 * One table. Keys are made by `keyOf`, values that may be long by `jsonValues`.
 * - `write` makes all changes or none, at most `MAX_CHANGES` in one partition and none of them twice. It gives the new etag of each row ("" for a
 *   deleted one), or null where a row was not as expected, and then nothing has changed. A `delete` with an etag stands alone.
 * - A write whose answer was lost is sent again by itself, and may so fail on its own first sending: whoever has to know puts something of his own
 *   into a row and looks.
 * - `list` gives rows in the order of their keys, page by page as they are read.
 * - Errors: `state_unavailable` (retry: no answer, 5xx, 429 after the service's own Retry-After was honoured), `state_denied` (never: 401, 403),
 *   `state_rejected` (never).
 */
export interface Table {
  get(partition: string, key: string): Promise<Row | null>;
  list(partition: string, range: RowRange): AsyncIterable<Row>;
  write(partition: string, changes: readonly RowChange[]): Promise<readonly string[] | null>;
}
