import { describe, expect, it } from "vitest";
import { applicable, carriedHealth, changedSections } from "../../src/compose/restart.ts";
import { configSchema, type Config } from "../../src/core/config/schema.ts";
import { initialState } from "../../src/health/state.ts";
import type { HealthSnapshot, Region, ServiceHealth } from "../../src/core/contracts.ts";

function config(parts: Readonly<Record<string, unknown>> = {}): Config {
  return configSchema.parse({ regions: [{ name: "west", streaming: "https://west.example" }], ...parts });
}

const WEST: Region = { name: "west", streaming: "https://west.example", keys: "https://keys.west.example" };
const NORTH: Region = { name: "north", streaming: "https://north.example", keys: null };
const ILL: ServiceHealth = { status: "unhealthy", since: 1, reason: "timeout", detail: "", checkedAt: 2, pending: 0 };
const WELL: ServiceHealth = { ...ILL, status: "healthy", reason: null };
const SNAPSHOT: HealthSnapshot = { takenAt: 9, regions: { west: { streaming: ILL, keys: WELL }, north: { streaming: WELL } } };

const RECORD = { at: 1, ok: true, reason: null, durationMs: 5, detail: "" };
const STATE = initialState(1);
const FORMER = { snapshot: () => SNAPSHOT, history: () => [RECORD], state: () => STATE };
const carried = (before: readonly Region[], after: readonly Region[]) => carriedHealth(FORMER, before, after);

describe("what is known of services", () => {
  it("is kept for those that stay, whatever their order", () => {
    expect(carried([WEST, NORTH], [NORTH, WEST]).snapshot).toEqual(SNAPSHOT);
    expect(carried([WEST, NORTH], [NORTH, WEST]).history("west", "keys")).toEqual([RECORD]);
    expect(carried([WEST, NORTH], [NORTH, WEST]).state("west", "keys")).toBe(STATE);
  });

  it("is forgotten for those that moved or have gone, and for them alone", () => {
    const moved = { ...WEST, streaming: "https://west.elsewhere.example" };
    expect(carried([WEST, NORTH], [moved]).snapshot.regions).toEqual({ west: { keys: WELL } });
    expect(carried([WEST, NORTH], [moved]).history("west", "streaming")).toEqual([]);
    expect(carried([WEST, NORTH], [moved]).state("west", "streaming")).toBeUndefined();
    expect(carried([WEST, NORTH], [moved]).state("west", "keys")).toBe(STATE);
    expect(carried([WEST, NORTH], [{ ...WEST, keys: null }]).snapshot.regions).toEqual({ west: { streaming: ILL } });
  });

  it("is not made up for those that are new", () => {
    const east: Region = { name: "east", streaming: NORTH.streaming, keys: null };
    const withKeys: Region = { ...NORTH, keys: "https://keys.north.example" };
    expect(carried([WEST, NORTH], [east, withKeys]).snapshot.regions).toEqual({ north: { streaming: WELL } });
  });
});

describe("a new configuration", () => {
  it("differs by sections", () => {
    expect(changedSections(config(), config())).toEqual([]);
    expect(changedSections(config(), config({ health: { interval: "1s" }, log: { level: "debug" } }))).toEqual(["health", "log"]);
    // One that may be left out.
    const encoding = config({ encoding: { transforms: [{ name: "ladder", outputs: [{}] }] } });
    expect([changedSections(config(), encoding), changedSections(encoding, config())]).toEqual([["encoding"], ["encoding"]]);
  });

  it("keeps the state that is open, and says so", () => {
    const before = config({ state: { path: "one.db" } });
    const after = config({ state: { path: "two.db" }, log: { level: "debug" } });
    expect(applicable(before, after)).toEqual({ config: { ...after, state: before.state }, awaitingRestart: ["state.path"] });
    expect(applicable(before, { ...after, state: before.state }).awaitingRestart).toEqual([]);
    const tables = config({ state: { tables: { url: "https://a.table.core.windows.net" } } });
    expect(applicable(before, tables)).toEqual({
      config: { ...tables, state: before.state },
      awaitingRestart: ["state.path", "state.tables"],
    });
  });
});
