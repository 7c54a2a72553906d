/** Health over a restart, in the state file: one row, replaced as a whole. */
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../core/clock.ts";
import type { HealthSnapshot } from "../core/contracts.ts";
import type { HealthMemory } from "../core/ports/health.ts";
import { openDatabase } from "../core/sqlite.ts";
import { rememberedSnapshot, snapshotText } from "./remembered.ts";

/** The event loop waits for the write lock; probes that are late would cost more than a snapshot that is lost. */
const BUSY_MS = 50;

/** Throws `state_unavailable` or `state_newer` where the file cannot be used. */
export class SqliteHealthMemory implements HealthMemory, Disposable {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#database = openDatabase(path);
    // Nothing here is worth a wait for the disk: what is lost with the machine is found out again.
    this.#database.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${BUSY_MS};`);
    this.#clock = clock;
  }

  async load(): Promise<HealthSnapshot | null> {
    const text = this.#database.prepare("SELECT snapshot FROM health_memory").get()?.["snapshot"];
    return typeof text === "string" ? rememberedSnapshot(text, this.#clock.now()) : null;
  }

  async save(snapshot: HealthSnapshot): Promise<void> {
    this.#database
      .prepare("INSERT INTO health_memory (id, snapshot) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET snapshot = excluded.snapshot")
      .run(snapshotText(snapshot));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
