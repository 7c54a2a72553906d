/** The watch over live events, on two channels over real sockets: which copies the catalogue has as on air. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { healthSection } from "../../src/core/config/health.ts";
import type { CatalogueEntry, RegionCopy } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import type { OnAirByRegion } from "../../src/core/liveMetrics.ts";
import { silentLog } from "../../src/core/log.ts";
import { watchLiveCopies } from "../../src/health/liveCopies.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { LiveChannel } from "../fakes/liveChannel.ts";
import { startOrigin } from "../fakes/origin.ts";
import { testKey } from "../fakes/packagedVideo.ts";
import { eventually } from "../harness/wait.ts";

const config = healthSection.parse({ interval: "300ms", timeout: "4s", fall: 2, rise: 2 });
const LOCATOR = "11111111-0000-4000-8000-000000000001";
const OUT: RegionCopy = { state: "withdrawn", at: 0, detail: "not seen on air yet" };

interface Stage extends AsyncDisposable {
  readonly channels: readonly [LiveChannel, LiveChannel];
  /** Regions whose copy serves, and every change in the order in which the catalogue was told. */
  serving(): string;
  readonly told: string[];
  /** What the last look has shown, for the metrics. */
  standing(): readonly OnAirByRegion[];
  until(serving: string): Promise<void>;
}

async function start(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const channels = [new LiveChannel("/live/", systemClock), new LiveChannel("/live/", systemClock)] as const;
  const urls: string[] = [];
  for (const channel of channels) urls.push(stack.use(await startOrigin({ files: new Map(), key: testKey("right"), channel })).url);
  const regions = urls.map((streaming, at) => ({ name: ["west", "north"][at] ?? "", streaming }));
  const manifests = { hls: "/live/master.m3u8", dash: null };
  let entry: CatalogueEntry = catalogueEntry(LOCATOR, { assetName: "paircast-live-Show", manifests, regions: { west: OUT, north: OUT } });
  const told: string[] = [];
  let standing: readonly OnAirByRegion[] = [];
  const stop = new AbortController();
  const watch = watchLiveCopies(
    {
      entries: () => [entry],
      regions,
      http: stack.use(new RegionHttpClient({ origins: urls.map((url) => ({ url, ca: null })) })),
      config,
      fingerprint: keyedFingerprint(testKey("secret")),
      setCopy: async (_, region, copy) => {
        told.push(`${region} ${copy.state}`);
        entry = { ...entry, regions: { ...entry.regions, [region]: copy } };
      },
      metrics: {
        standing: (events) => {
          standing = events;
        },
      },
      clock: systemClock,
      log: silentLog,
    },
    stop.signal,
  );
  stack.defer(async () => {
    stop.abort();
    await watch;
  });
  const serving = (): string =>
    Object.entries(entry.regions)
      .flatMap(([region, { state }]) => (state === "verified" ? [region] : []))
      .join();
  const owned = stack.move();
  return {
    channels,
    told,
    serving,
    standing: () => standing,
    until: async (wanted) => void (await eventually(25_000, `${wanted} to serve`, async () => (serving() === wanted ? true : null))),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

describe("copies of a live event", () => {
  it("serve once they are seen to go on; one that stands still is out until it moves, the last is left", async () => {
    await using stage = await start();
    const [west, north] = stage.channels;
    await stage.until("west,north");
    west.frozenAt = systemClock.monotonic();
    await stage.until("north");
    expect(stage.standing()).toEqual([
      new Map([
        ["west", false],
        ["north", true],
      ]),
    ]);
    north.frozenAt = systemClock.monotonic();
    west.frozenAt = null;
    await stage.until("west");
    west.frozenAt = systemClock.monotonic();
    north.frozenAt = systemClock.monotonic();
    // Longer than it takes to notice: nothing is better than what there is.
    const before = stage.told.length;
    await eventually(8_000, "a dozen looks at two channels that stand still", async () =>
      systemClock.monotonic() - (west.frozenAt ?? Infinity) > 6_000 ? true : null,
    );
    expect([stage.serving(), stage.told.length]).toEqual(["west", before]);
    // The catalogue keeps the last one; what is seen is told all the same.
    expect(stage.standing().map((copies) => [...copies.values()])).toEqual([[false, false]]);
    north.frozenAt = null;
    await stage.until("north");
  });

  it("that have ended are recordings, which nobody is sent to while the event goes on elsewhere", async () => {
    await using stage = await start();
    const [west] = stage.channels;
    await stage.until("west,north");
    west.ended = true;
    await stage.until("north");
    expect(stage.standing().map((copies) => [...copies.values()])).toEqual([[false, true]]);
  });
});
