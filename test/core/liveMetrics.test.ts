import { beforeEach, describe, expect, test } from "vitest";
import { LiveMetrics } from "../../src/core/liveMetrics.ts";
import { Registry } from "prom-client";

let registry: Registry;
let metrics: LiveMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = new LiveMetrics(registry);
  for (const origin of ["west", "north"]) metrics.addOrigin(origin);
});

/** Series that are not 0: `west on_air` -> 2. */
async function copies(): Promise<Record<string, number>> {
  const { values = [] } = (await registry.getSingleMetric("paircast_live_copies")?.get()) ?? {};
  const told = values.filter(({ value }) => value !== 0);
  return Object.fromEntries(told.map(({ labels, value }) => [`${labels["origin"] ?? ""} ${labels["state"] ?? ""}`, value]));
}

async function events(): Promise<Record<string, number>> {
  const { values = [] } = (await registry.getSingleMetric("paircast_live_events")?.get()) ?? {};
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels["state"]), value]));
}

const NONE = { several_regions: 0, one_region: 0, off_air: 0, unknown: 0 };
const seen = (west: boolean | null, north: boolean | null) =>
  new Map([
    ["west", west],
    ["north", north],
  ]);

describe("live events", () => {
  test("are none before any is there, and every series is", async () => {
    expect(await events()).toEqual(NONE);
    expect(await copies()).toEqual({});
    expect((await registry.getSingleMetric("paircast_live_copies")?.get())?.values).toHaveLength(6);
  });

  test("count by where they are on air, and their copies by region", async () => {
    metrics.standing([seen(true, true), seen(true, false), seen(false, false), seen(true, null), seen(null, false)]);
    expect(await events()).toEqual({ several_regions: 1, one_region: 1, off_air: 1, unknown: 2 });
    expect(await copies()).toEqual({
      "west on_air": 3,
      "west off_air": 1,
      "west unknown": 1,
      "north on_air": 1,
      "north off_air": 3,
      "north unknown": 1,
    });
    metrics.standing([]);
    expect([await events(), await copies()]).toEqual([NONE, {}]);
  });

  test("in one region of three are in one, in two of three they have a reserve", async () => {
    metrics.addOrigin("east");
    metrics.standing([new Map([...seen(true, false), ["east", false]]), new Map([...seen(true, false), ["east", true]])]);
    expect(await events()).toEqual({ ...NONE, one_region: 1, several_regions: 1 });
  });

  test("have no series of regions that are not configured, or not any more", async () => {
    metrics.removeOrigin("north");
    metrics.standing([new Map([...seen(true, true), ["elsewhere", true]])]);
    expect(await copies()).toEqual({ "west on_air": 1 });
  });
});
