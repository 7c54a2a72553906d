/** A table in memory, with the service's limits. Keeps the contract of `Table`. */
import { MAX_CHANGES, type Row, type RowChange, type RowRange, type Table } from "../../src/core/table.ts";
import { Calls } from "./calls.ts";

const PAGE = 1000;
/** Bytes of a row, in UTF-16. */
const MAX_ROW = 1_048_576;
const MAX_VALUE = 65_536;
/** By the service: separators and control characters; `%` and `'` suffer on the way. */
const FORBIDDEN = /[/\\#?%']|\p{Cc}/u;

export class MemoryTable implements Table {
  readonly calls = new Calls();
  readonly #partitions = new Map<string, Map<string, Row>>();
  #writes = 0;
  /** The next write is made, and its answer lost: it is sent again by itself. */
  loseNextAnswer = false;

  async get(partition: string, key: string): Promise<Row | null> {
    await this.calls.enter("get", `${partition} ${key}`, "reads");
    return this.#rows(partition).get(key) ?? null;
  }

  async *list(partition: string, { from, below, limit = Number.POSITIVE_INFINITY }: RowRange): AsyncGenerator<Row> {
    let after: string | null = null;
    let left = limit;
    while (left > 0) {
      await this.calls.enter("list", `${partition} ${from}`, "reads");
      const page: Row[] = [...this.#rows(partition).values()]
        .filter(({ key }) => key >= from && key < below && (after === null || key > after))
        .sort((one, other) => (one.key < other.key ? -1 : 1))
        .slice(0, Math.min(PAGE, left));
      yield* page;
      if (page.length < PAGE) return;
      left -= page.length;
      after = page.at(-1)?.key ?? null;
    }
  }

  async write(partition: string, changes: readonly RowChange[]): Promise<readonly string[] | null> {
    await this.calls.enter("write", `${partition} ${changes.map(({ key }) => key).join(" ")}`, "writes");
    checkLimits(partition, changes);
    const made = this.#make(partition, changes);
    if (!this.loseNextAnswer) return made;
    this.loseNextAnswer = false;
    return this.#make(partition, changes);
  }

  #make(partition: string, changes: readonly RowChange[]): readonly string[] | null {
    const rows = this.#rows(partition);
    if (!changes.every((change) => holds(change, rows.get(change.key)))) return null;
    return changes.map((change) => {
      if (change.type === "delete") {
        rows.delete(change.key);
        return "";
      }
      this.#writes += 1;
      const etag = `W/"${this.#writes}"`;
      rows.set(change.key, { key: change.key, etag, values: { ...change.values } });
      return etag;
    });
  }

  #rows(partition: string): Map<string, Row> {
    const rows = this.#partitions.get(partition) ?? new Map<string, Row>();
    this.#partitions.set(partition, rows);
    return rows;
  }
}

function holds(change: RowChange, stored: Row | undefined): boolean {
  if (change.type === "insert") return stored === undefined;
  if (change.etag !== null) return stored?.etag === change.etag;
  return change.type === "replace" || stored !== undefined;
}

function checkLimits(partition: string, changes: readonly RowChange[]): void {
  const keys = changes.map(({ key }) => key);
  if (changes.length === 0 || changes.length > MAX_CHANGES) throw new TypeError(`${changes.length} changes in one write`);
  if (new Set(keys).size < keys.length) throw new TypeError("a row is written twice in one write");
  if (changes.length > 1 && changes.some((change) => change.type === "delete" && change.etag !== null))
    throw new TypeError("a delete with an etag stands alone");
  for (const key of [partition, ...keys]) checkKey(key);
  for (const change of changes) if (change.type !== "delete") checkValues(change.values);
}

function checkKey(key: string): void {
  if (key.length > 512 || FORBIDDEN.test(key)) throw new TypeError(`key ${key}`);
}

function checkValues(values: Readonly<Record<string, string>>): void {
  const entries = Object.entries(values);
  if (entries.length > 252) throw new TypeError(`${entries.length} values in one row`);
  if (entries.some(([, value]) => 2 * value.length > MAX_VALUE)) throw new TypeError("a value of more than 64 KiB");
  if (entries.some(([, value]) => !value.isWellFormed())) throw new TypeError("a value that is no text");
  if (entries.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0) > MAX_ROW)
    throw new TypeError("a row of more than 1 MiB");
}
