import { expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { SqliteEncoding } from "../../src/encoding/sqliteEncoding.ts";
import { TableEncoding } from "../../src/encoding/tableEncoding.ts";
import { encodingStoreConformance } from "../conformance/encodingStore.ts";
import { seededRandom } from "../fakes/clock.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { MemoryTable } from "../fakes/memoryTable.ts";
import { closing, stateFiles } from "../harness/stateFiles.ts";
import { ID, NOW, waitingJob } from "./samples.ts";

const statePath = stateFiles();

encodingStoreConformance("memory", async () => {
  const store = new MemoryEncoding();
  return closing({ store, second: store });
});

encodingStoreConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ store: new SqliteEncoding(path), second: new SqliteEncoding(path) });
});

const chance = { clock: systemClock, random: seededRandom(5) };

encodingStoreConformance("tables in memory, two processes", async () => {
  const table = new MemoryTable();
  return closing({ store: new TableEncoding({ table, ...chance }), second: new TableEncoding({ table, ...chance }) });
});

it("knows a write in a table again whose answer was lost", async () => {
  const table = new MemoryTable();
  const store = new TableEncoding({ table, ...chance });
  const write = { expected: null, timers: { place: NOW, follow: null }, places: ["west"], capacity: { west: 1 }, messages: [] };
  table.loseNextAnswer = true;
  const [result] = await store.write([{ job: waitingJob(), ...write }]);
  expect(result).toMatchObject({ ok: true });
  expect((await store.get(ID))?.version).toBe(result?.ok === true ? result.version : "");
  expect((await store.places()).get("west")).toBe(1);
  table.loseNextAnswer = true;
  expect((await store.take("place", NOW, 1_000, 1)).map(({ job }) => job.id)).toEqual([ID]);
});
