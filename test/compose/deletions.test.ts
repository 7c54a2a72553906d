import { expect, it } from "vitest";
import { lookForOrphansInLoop } from "../../src/compose/deletions.ts";
import type { Foundations } from "../../src/compose/foundations.ts";
import { parseConfig } from "../../src/core/config/load.ts";
import { silentLog, type Log } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryDeletions } from "../fakes/memoryDeletions.ts";
import { unavailable, World } from "../replicator/world.ts";

const ACCOUNT = "account: { driver: ams, subscriptionId: s, resourceGroup: r, accountName: a }";
const HOUR = 3_600_000;

function configured(deletion: string): Foundations["config"] {
  const regions = ["west", "north"].map((name) => `  - { name: ${name}, streaming: "https://${name}.example", ${ACCOUNT} }\n`).join("");
  const text = `regions:\n${regions}replication: { sources: [west], targets: [north], deletion: ${deletion} }\n`;
  return parseConfig("paircast.yaml", text, { env: {}, readFile: () => "" });
}

function stage(deletion: string) {
  const world = new World();
  const clock = new ManualClock();
  const lines: string[] = [];
  const log: Log = { ...silentLog, error: (event) => void lines.push(event) };
  const metrics = new Metrics({ version: "0", regions: ["west", "north"].map((name) => ({ name, keys: false })) });
  const config = configured(deletion);
  const { deps: jobs } = world;
  const accounts = new Map(["west", "north"].map((name) => [name, world.account(name)]));
  const all = { config, accounts, jobs, deletions: new MemoryDeletions(), clock, log, metrics };
  const count = async (kind: string): Promise<number | undefined> => {
    const values = (await metrics.registry.getSingleMetric("paircast_orphans")?.get())?.values ?? [];
    return values.find(({ labels }) => labels["target"] === "north" && labels["kind"] === kind)?.value;
  };
  return { world, clock, lines, count, foundations: all as unknown as Foundations };
}

it("counts as often as it is told to what is nobody's, also where nothing is deleted; half a look counts for nothing", async () => {
  const { world, clock, lines, count, foundations } = stage("{ orphans: 1h }");
  const stop = new AbortController();
  const run = lookForOrphansInLoop(foundations, stop.signal);
  const north = world.account("north");
  for (const name of ["one", "two"]) await north.createAsset({ name, container: `c-${name}`, alternateId: null, description: null });
  await clock.advance(HOUR);
  expect([await count("asset"), await count("locator")]).toEqual([2, 0]);
  await north.deleteAsset("one");
  await clock.advance(HOUR);
  expect(await count("asset")).toBe(1);
  north.calls.failAll("*", unavailable());
  await clock.advance(HOUR);
  expect([await count("asset"), lines]).toEqual([1, ["deletion.orphans_unknown"]]);
  stop.abort();
  await run;
});

it("does not look where nobody wants to know", async () => {
  await lookForOrphansInLoop(stage("{}").foundations, new AbortController().signal);
});
