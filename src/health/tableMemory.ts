/** Health over a restart, in a table: one row for each machine, because each sees the regions from where it stands. */
import type { Clock } from "../core/clock.ts";
import type { HealthSnapshot } from "../core/contracts.ts";
import { errorCode } from "../core/errors.ts";
import type { HealthMemory } from "../core/ports/health.ts";
import type { Table } from "../core/table.ts";
import { jsonValues, keyOf, recordOf } from "../core/tableRows.ts";
import { rememberedSnapshot, snapshotText } from "./remembered.ts";

const PARTITION = "health";

export interface TableHealthMemoryOptions {
  readonly table: Table;
  readonly clock: Clock;
  /** Name of this machine. */
  readonly machine: string;
}

export class TableHealthMemory implements HealthMemory {
  readonly #options: TableHealthMemoryOptions;

  constructor(options: TableHealthMemoryOptions) {
    this.#options = options;
  }

  async load(): Promise<HealthSnapshot | null> {
    const { table, clock, machine } = this.#options;
    try {
      const row = await table.get(PARTITION, keyOf(machine));
      const text = row === null ? null : recordOf(row);
      return typeof text === "string" ? rememberedSnapshot(text, clock.now()) : null;
    } catch (error) {
      if (errorCode(error) === "state_unavailable") return null;
      throw error;
    }
  }

  async save(snapshot: HealthSnapshot): Promise<void> {
    const { table, machine } = this.#options;
    const values = jsonValues(snapshotText(snapshot), "the last health");
    await table.write(PARTITION, [{ type: "replace", key: keyOf(machine), values, etag: null }]);
  }
}
