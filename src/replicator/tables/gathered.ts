/** Writes of rows that come while another one is under way go together with the next transaction: a hundred for the price of one. */
import { PaircastError } from "../../core/errors.ts";
import { MAX_CHANGES, type RowValues, type Table } from "../../core/table.ts";

/** What one transaction may hold at most, of the service's 4 MiB (Cosmos DB: 2) in UTF-8. */
const MAX_CHARACTERS = 500_000;

interface Waiting {
  values: RowValues;
  readonly written: PromiseWithResolvers<void>;
}

export class GatheredWrites {
  readonly #table: Table;
  readonly #waiting = new Map<string, Map<string, Waiting>>();
  readonly #running = new Set<string>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Replaces the row, whatever it is; resolves when it is stored. Of two writes of a row that wait the later one counts. */
  async replace(partition: string, key: string, values: RowValues): Promise<void> {
    const rows = this.#waiting.get(partition) ?? new Map<string, Waiting>();
    this.#waiting.set(partition, rows);
    const waiting = rows.get(key) ?? { values, written: Promise.withResolvers<void>() };
    waiting.values = values;
    rows.set(key, waiting);
    void this.#run(partition);
    return waiting.written.promise;
  }

  /** Rejects for nobody: whoever waits is told. */
  async #run(partition: string): Promise<void> {
    if (this.#running.has(partition)) return;
    this.#running.add(partition);
    for (let rows = this.#take(partition); rows.length > 0; rows = this.#take(partition)) await this.#write(partition, rows);
    this.#running.delete(partition);
  }

  async #write(partition: string, rows: readonly (readonly [string, Waiting])[]): Promise<void> {
    try {
      const changes = rows.map(([key, { values }]) => ({ type: "replace", key, values, etag: null }) as const);
      if ((await this.#table.write(partition, changes)) === null)
        throw new PaircastError("state_unavailable", `write rows of ${partition}: an unconditional write was refused`, { retry: "retry" });
      for (const [, { written }] of rows) written.resolve();
    } catch (error) {
      for (const [, { written }] of rows) written.reject(error);
    }
  }

  #take(partition: string): readonly (readonly [string, Waiting])[] {
    const rows = this.#waiting.get(partition);
    const taken: (readonly [string, Waiting])[] = [];
    let characters = 0;
    for (const entry of rows ?? []) {
      characters += lengthOf(entry[1].values);
      if (taken.length === MAX_CHANGES || (taken.length > 0 && characters > MAX_CHARACTERS)) break;
      taken.push(entry);
    }
    for (const [key] of taken) rows?.delete(key);
    if (rows?.size === 0) this.#waiting.delete(partition);
    return taken;
  }
}

function lengthOf(values: RowValues): number {
  return Object.values(values).reduce((sum, value) => sum + value.length, 0);
}
