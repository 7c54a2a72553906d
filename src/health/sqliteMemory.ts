/** Health over a restart, in the state file: one row, replaced as a whole. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { FAILURE_REASONS, HEALTH_STATUSES, SERVICES, type HealthSnapshot, type Service, type ServiceHealth } from "../core/contracts.ts";
import type { HealthMemory } from "../core/ports.ts";
import { openDatabase } from "../core/sqlite.ts";

/** What was known this long ago says nothing about now. */
export const REMEMBERED_MS = 600_000;
/** The event loop waits for the write lock; probes that are late would cost more than a snapshot that is lost. */
const BUSY_MS = 50;

const remembered = z.object({
  status: z.enum(HEALTH_STATUSES),
  since: z.number(),
  reason: z.enum(FAILURE_REASONS).nullable(),
  detail: z.string().nullable(),
  checkedAt: z.number().nullable(),
});
const snapshots = z.object({
  takenAt: z.number(),
  regions: z.record(z.string(), z.partialRecord(z.enum(SERVICES), remembered)),
});
type Remembered = z.infer<typeof remembered>;

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
    const parsed = typeof text === "string" ? snapshots.safeParse(jsonOrNull(text)) : null;
    if (parsed?.success !== true || Math.abs(this.#clock.now() - parsed.data.takenAt) > REMEMBERED_MS) return null;
    const { takenAt, regions } = parsed.data;
    return { takenAt, regions: mapServices(regions, (health: Remembered): ServiceHealth => ({ ...health, pending: 0 })) };
  }

  async save({ takenAt, regions }: HealthSnapshot): Promise<void> {
    const kept = mapServices(regions, ({ status, since, reason, detail, checkedAt }: ServiceHealth): Remembered => {
      // Why a change is pending passes with the change.
      const stands = status === "unhealthy";
      return { status, since, reason: stands ? reason : null, detail: stands ? detail : null, checkedAt };
    });
    this.#database
      .prepare("INSERT INTO health_memory (id, snapshot) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET snapshot = excluded.snapshot")
      .run(JSON.stringify({ takenAt, regions: kept }));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

type ByService<T> = Readonly<Partial<Record<Service, T>>>;

function mapServices<T, U>(regions: Readonly<Record<string, ByService<T>>>, map: (of: T) => U): Record<string, ByService<U>> {
  const mapped = (services: ByService<T>): ByService<U> =>
    Object.fromEntries(SERVICES.flatMap((service) => (services[service] === undefined ? [] : [[service, map(services[service])]])));
  return Object.fromEntries(Object.entries(regions).map(([name, services]) => [name, mapped(services)]));
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
