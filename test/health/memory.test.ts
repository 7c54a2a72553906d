/** Health over a restart: the store, when it is written, and what the next process makes of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/core/sqlite.ts";
import { REMEMBERED_MS } from "../../src/health/remembered.ts";
import { SqliteHealthMemory } from "../../src/health/sqliteMemory.ts";
import { TableHealthMemory } from "../../src/health/tableMemory.ts";
import { describeHealthMemory } from "../conformance/healthMemory.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryHealthMemory } from "../fakes/memoryHealth.ts";
import { MemoryTable } from "../fakes/memoryTable.ts";
import { begin, endStages, status } from "./stage.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paircast-health-"));
});
afterEach(async () => {
  await endStages();
  await rm(folder, { recursive: true });
});

describeHealthMemory("in memory", async (clock) => ({
  memory: new MemoryHealthMemory(() => clock.now(), 1000),
  maxAgeMs: 1000,
  [Symbol.asyncDispose]: async () => undefined,
}));

describeHealthMemory("SQLite", async (clock) => {
  const memory = new SqliteHealthMemory(join(folder, "state.db"), clock);
  return {
    memory,
    maxAgeMs: REMEMBERED_MS,
    [Symbol.asyncDispose]: async () => {
      memory[Symbol.dispose]();
    },
  };
});

describeHealthMemory("table", async (clock) => ({
  memory: new TableHealthMemory({ table: new MemoryTable(), clock, machine: "gateway-1.example" }),
  maxAgeMs: REMEMBERED_MS,
  [Symbol.asyncDispose]: async () => undefined,
}));

describe("the store in SQLite", () => {
  const health = { status: "unhealthy", since: 1, reason: "refused", detail: "closed", checkedAt: 2, pending: 0 } as const;

  it("is read by the next process", async () => {
    const clock = new ManualClock();
    const snapshot = { takenAt: clock.now(), regions: { we: { streaming: health } } };
    const path = join(folder, "state.db");
    {
      using first = new SqliteHealthMemory(path, clock);
      await first.save(snapshot);
    }
    using second = new SqliteHealthMemory(path, clock);
    expect(await second.load()).toEqual(snapshot);
  });

  it.each(["", "{", '{"takenAt":1}', '{"takenAt":"now","regions":{}}', '{"takenAt":1,"regions":{"we":{"streaming":{"status":"fine"}}}}'])(
    "remembers nothing where it reads %j",
    async (text) => {
      const path = join(folder, "state.db");
      using memory = new SqliteHealthMemory(path, new ManualClock(1));
      const database = openDatabase(path);
      database.prepare("INSERT INTO health_memory (id, snapshot) VALUES (1, ?)").run(text);
      database.close();
      expect(await memory.load()).toBeNull();
    },
  );

  it("refuses a file that is no database", async () => {
    const path = join(folder, "state.db");
    await writeFile(path, "not a database, and long enough to be seen as none".repeat(40));
    expect(() => new SqliteHealthMemory(path, new ManualClock())).toThrow(expect.objectContaining({ code: "state_unavailable" }));
  });

  it("gives up soon while another process writes", async () => {
    const path = join(folder, "state.db");
    using memory = new SqliteHealthMemory(path, new ManualClock());
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    await expect(memory.save({ takenAt: 1, regions: {} })).rejects.toThrow(/locked|busy/);
    // Other stores wait for five seconds.
    expect(performance.now() - began).toBeLessThan(4_000);
    other.exec("ROLLBACK");
    other.close();
    await memory.save({ takenAt: 1, regions: {} });
  });
});

describe("a monitor with a memory", () => {
  const memoryOf = (clock: ManualClock): MemoryHealthMemory => new MemoryHealthMemory(() => clock.now(), REMEMBERED_MS);

  it("saves every change of a status at once, everything every 30 s, and once more at its end", async () => {
    const memory = memoryOf(new ManualClock());
    const stage = begin({}, { memory });
    await stage.clock.advance(2);
    expect(memory.saved.at(-1)?.regions).toMatchObject({
      we: { streaming: { status: "healthy" } },
      ne: { streaming: { status: "healthy" } },
    });
    const atStart = memory.saved.length;
    await stage.clock.advance(29_000);
    expect(memory.saved.length).toBe(atStart);
    await stage.clock.advance(31_000);
    expect(memory.saved.length - atStart).toBe(2);
    stage.west.behaviour = "refused";
    await stage.clock.advance(1000);
    expect(memory.saved.length - atStart).toBe(3);
    expect(memory.saved.at(-1)?.regions["we"]?.streaming).toMatchObject({ status: "unhealthy", reason: "refused" });
    await stage.monitor.stop();
    expect(memory.saved.length - atStart).toBe(4);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it("reports a store that fails once, and works on", async () => {
    const memory = memoryOf(new ManualClock());
    memory.failure = new Error("disk full");
    const stage = begin({}, { memory });
    const reported = () => stage.lines.filter(({ event }) => event === "health.not_saved");
    await stage.clock.advance(200_000);
    expect(reported()).toEqual([{ event: "health.not_saved", fields: { error: "disk full" } }]);
    expect(status(stage)).toBe("healthy");
    memory.failure = null;
    await stage.clock.advance(30_000);
    memory.failure = new Error("disk full");
    await stage.clock.advance(60_000);
    expect(reported()).toHaveLength(2);
  });

  it("starts from what the process before it knew, which probes then confirm or not", async () => {
    const path = join(folder, "state.db");
    const clock = new ManualClock();
    {
      using memory = new SqliteHealthMemory(path, clock);
      const stage = begin({}, { memory }, "status");
      await stage.clock.advance(5000);
      expect([status(stage), status(stage, "ne")]).toEqual(["unhealthy", "healthy"]);
      await stage.monitor.stop();
    }
    clock.jump(60_000);
    using memory = new SqliteHealthMemory(path, clock);
    const previous = await memory.load();
    expect(previous).not.toBeNull();
    const stage = begin({}, previous === null ? {} : { memory, previous });
    expect([status(stage), status(stage, "ne")]).toEqual(["unhealthy", "healthy"]);
    expect(stage.monitor.snapshot().regions["we"]?.streaming).toMatchObject({ reason: "status", detail: "planted status", pending: 0 });
    await stage.clock.advance(10);
    expect(stage.transitions).toEqual([]);
    await stage.clock.advance(1000);
    expect(stage.transitions).toEqual(["201 we unhealthy>healthy -"]);
    expect((await memory.load())?.regions["we"]?.streaming?.status).toBe("healthy");
  });
});
