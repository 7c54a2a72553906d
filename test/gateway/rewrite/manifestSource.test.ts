import { beforeEach, describe, expect, it } from "vitest";
import { configSchema } from "../../../src/core/config/schema.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import type { Outcome } from "../../../src/core/contracts.ts";
import { ManifestSource, type Wanted } from "../../../src/gateway/rewrite/manifestSource.ts";
import { ManualClock, series } from "../world.ts";
import { Files, MASTER, mediaPlaylist, mpd, NORTH, WEST } from "./stage.ts";

const BASES: Readonly<Record<string, string>> = { west: WEST, north: NORTH };
const REGIONS = ["west", "north"];
const PATH = "/vod/film/master.m3u8";

let clock: ManualClock;
let files: Files;
let metrics: Metrics;
let observed: string[];

beforeEach(() => {
  clock = new ManualClock();
  files = new Files();
  metrics = new Metrics({ version: "0", regions: REGIONS.map((name) => ({ name, keys: false })) });
  observed = [];
});

function source(manifests: Readonly<Record<string, unknown>> = {}): ManifestSource {
  const { gateway } = configSchema.parse({ regions: [{ name: "west", streaming: WEST }], gateway: { manifests } });
  const outcomes = {
    observe: (region: string, _: string, outcome: Outcome) => {
      observed.push(`${region}:${outcome.ok ? "ok" : outcome.reason}`);
    },
  };
  return new ManifestSource({ http: files, outcomes, metrics, clock, options: gateway.manifests, base: (region) => BASES[region] ?? "" });
}

function wanted(changes: Partial<Wanted> = {}, order: readonly string[] = REGIONS): Wanted {
  const regions = () => {
    const left = [...order];
    return () => left.shift() ?? null;
  };
  return { target: PATH, protocol: "hls", version: "1", regions, from: REGIONS, ...changes };
}

async function textOf(reading: ReturnType<ManifestSource["read"]>): Promise<string> {
  const read = await reading;
  return read.type === "read" ? `${read.read.manifest.region} ${read.read.manifest.text}` : read.reason;
}

/** Lets everything happen that waits for nothing but promises. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe("a manifest that does not change", () => {
  it("is asked for once, as long as it is fresh", async () => {
    files.everywhere(PATH, MASTER);
    const manifests = source();
    expect(await textOf(manifests.read(wanted()))).toBe(`west ${MASTER}`);
    clock.advance(59_999);
    expect(await textOf(manifests.read(wanted({}, ["north"])))).toBe(`west ${MASTER}`);
    expect(files.urls).toEqual([WEST + PATH]);
    clock.advance(2);
    expect(await textOf(manifests.read(wanted({}, ["north"])))).toBe(`north ${MASTER}`);
    expect(observed).toEqual(["west:ok", "north:ok"]);
    expect(await series(metrics, "paircast_manifest_reads_total", { result: "cached" })).toBe(1);
    expect(await series(metrics, "paircast_manifest_reads_total", { result: "fetched" })).toBe(2);
  });

  it("is another one for another query, version, or choice of regions", async () => {
    files.everywhere(PATH, MASTER);
    files.everywhere(`${PATH}?token=a`, MASTER);
    const manifests = source();
    await manifests.read(wanted());
    await manifests.read(wanted({ target: `${PATH}?token=a` }));
    expect(files.urls).toHaveLength(2);
    await manifests.read(wanted({ version: "2" }));
    expect(files.urls).toHaveLength(3);
    expect(await textOf(manifests.read(wanted({ version: "2", from: ["north"] }, ["north"])))).toBe(`north ${MASTER}`);
  });

  it("is asked for once for all who come at the same time, whoever goes away", async () => {
    const gate = Promise.withResolvers<string>();
    files.set(WEST + PATH, async () => gate.promise);
    const manifests = source({ hedge: "0s" });
    const all = Array.from({ length: 50 }, async () => textOf(manifests.read(wanted())));
    await settled();
    gate.resolve(MASTER);
    expect(new Set(await Promise.all(all))).toEqual(new Set([`west ${MASTER}`]));
    expect(files.urls).toEqual([WEST + PATH]);
    expect(await series(metrics, "paircast_manifest_reads_total", { result: "shared" })).toBe(49);
  });

  it("takes no more memory than it may", async () => {
    const manifests = source({ entries: 10 });
    for (let at = 0; at < 30; at += 1) {
      files.everywhere(`/vod/${at}.m3u8`, MASTER);
      await manifests.read(wanted({ target: `/vod/${at}.m3u8` }));
    }
    expect(manifests.known(wanted({ target: "/vod/0.m3u8" }))).toBeNull();
    expect(manifests.known(wanted({ target: "/vod/29.m3u8" }))).not.toBeNull();
  });
});

describe("a region that fails", () => {
  it.each([
    ["refuses", "refused", "west:refused"],
    ["answers 503", 503, "west:status"],
    ["answers a page", "<html>", "west:body"],
  ] as const)("%s: the next one is asked, and health hears of it", async (_, file, word) => {
    files.set(WEST + PATH, file);
    files.set(NORTH + PATH, MASTER);
    expect(await textOf(source().read(wanted()))).toBe(`north ${MASTER}`);
    expect(observed).toEqual([word, "north:ok"]);
  });

  it("and all others do: there is none, and the next viewer asks again", async () => {
    files.everywhere(PATH, 503);
    const manifests = source();
    expect(await textOf(manifests.read(wanted()))).toBe("unfetchable");
    expect(await textOf(manifests.read(wanted()))).toBe("unfetchable");
    expect(files.urls).toHaveLength(4);
    expect(await series(metrics, "paircast_upstream_failures_total", { origin: "west", service: "streaming", reason: "status" })).toBe(2);
    expect(await series(metrics, "paircast_manifest_reads_total", { result: "failed" })).toBe(2);
  });

  it("by saying nothing gets company after the hedge", async () => {
    const gate = Promise.withResolvers<string>();
    files.set(WEST + PATH, async () => gate.promise);
    files.set(NORTH + PATH, MASTER);
    const reading = textOf(source({ hedge: "300ms" }).read(wanted()));
    await settled();
    expect(files.urls).toEqual([WEST + PATH]);
    clock.advance(300);
    expect(await reading).toBe(`north ${MASTER}`);
    gate.resolve(MASTER);
  });

  it("says that it has not: only where all say so there is none", async () => {
    files.set(NORTH + PATH, MASTER);
    expect(await textOf(source().read(wanted()))).toBe(`north ${MASTER}`);
    files.set(NORTH + PATH, 410);
    expect(await textOf(source().read(wanted()))).toBe("absent");
    files.set(NORTH + PATH, 503);
    expect(await textOf(source().read(wanted()))).toBe("unfetchable");
    expect(observed.filter((word) => word.startsWith("west"))).toEqual([]);
  });

  it.each([
    [401, "denied"],
    [403, "denied"],
    [302, "moved"],
  ])("answers %i: the reason is %s, for a second, and says nothing of its health", async (status, reason) => {
    files.everywhere(PATH, status);
    const manifests = source();
    expect(await textOf(manifests.read(wanted()))).toBe(reason);
    expect(await textOf(manifests.read(wanted()))).toBe(reason);
    expect(files.urls).toHaveLength(2);
    clock.advance(1_001);
    await manifests.read(wanted());
    expect(files.urls).toHaveLength(4);
    expect(observed).toEqual([]);
  });

  it("has a manifest beyond the limit", async () => {
    files.everywhere(PATH, MASTER + "#".repeat(20_000));
    expect(await textOf(source({ maxBytes: 10_000 }).read(wanted()))).toBe("too_large");
    expect(observed).toEqual([]);
  });
});

describe("a live playlist", () => {
  const live = (first: number): string => mediaPlaylist({ first, ended: false });

  it("is kept for a second, or half a step", async () => {
    files.everywhere(PATH, live(10));
    files.everywhere("/vod/fast.m3u8", live(10).replace("TARGETDURATION:4", "TARGETDURATION:1"));
    files.everywhere("/vod/live.mpd", mpd({ live: true }));
    const manifests = source();
    const targets = [PATH, "/vod/fast.m3u8", "/vod/live.mpd"];
    const readAll = async () => {
      for (const target of targets) await manifests.read(wanted({ target, protocol: target.endsWith("mpd") ? "dash" : "hls" }));
      return files.urls.length;
    };
    expect(await readAll()).toBe(3);
    clock.advance(499);
    expect(await readAll()).toBe(3);
    clock.advance(2);
    expect(await readAll()).toBe(4);
    clock.advance(500);
    expect(await readAll()).toBe(7);
  });

  it("does not go back: a region that is behind is passed over for one that is not", async () => {
    files.set(WEST + PATH, live(12));
    files.set(NORTH + PATH, live(10));
    const manifests = source();
    expect(await textOf(manifests.read(wanted()))).toBe(`west ${live(12)}`);
    clock.advance(1_001);
    expect(await textOf(manifests.read(wanted({}, ["north", "west"])))).toBe(`west ${live(12)}`);
  });

  it("stands still where all are behind, and not for ever", async () => {
    files.set(WEST + PATH, live(12));
    const manifests = source();
    await manifests.read(wanted());
    files.set(WEST + PATH, "refused");
    files.set(NORTH + PATH, live(10));
    clock.advance(1_001);
    expect(await textOf(manifests.read(wanted()))).toBe(`west ${live(12)}`);
    clock.advance(5_000);
    expect(await textOf(manifests.read(wanted()))).toBe(`west ${live(12)}`);
    clock.advance(6_500);
    expect(await textOf(manifests.read(wanted()))).toBe(`north ${live(10)}`);
  });

  it("goes on as soon as any region has gone on", async () => {
    files.set(WEST + PATH, live(12));
    const manifests = source();
    await manifests.read(wanted());
    files.set(WEST + PATH, "refused");
    files.set(NORTH + PATH, live(13));
    clock.advance(1_001);
    expect(await textOf(manifests.read(wanted()))).toBe(`north ${live(13)}`);
  });

  it("that is asked for in advance waits at one region for longer than others, and only there", async () => {
    const target = `${PATH}?_HLS_msn=20`;
    const gate = Promise.withResolvers<string>();
    files.set(WEST + target, async () => gate.promise);
    files.set(NORTH + target, live(18));
    const reading = textOf(source({ hedge: "300ms", timeout: "2s" }).read(wanted({ target })));
    await settled();
    clock.advance(5_000);
    await settled();
    expect(files.urls).toEqual([WEST + target]);
    expect(files.asked[0]?.timeoutMs).toBe(18_000);
    gate.resolve(live(18));
    expect(await reading).toBe(`west ${live(18)}`);
  });
});

it("begins no more readings than it can hold", async () => {
  const gate = Promise.withResolvers<string>();
  const manifests = source({ hedge: "0s" });
  const all = Array.from({ length: 200 }, async (_, at) => {
    files.set(`${WEST}/vod/${at}.m3u8`, async () => gate.promise);
    return textOf(manifests.read(wanted({ target: `/vod/${at}.m3u8` })));
  });
  await settled();
  gate.resolve(MASTER);
  const texts = await Promise.all(all);
  expect(texts.filter((text) => text === "busy")).toHaveLength(72);
  expect(texts.filter((text) => text === `west ${MASTER}`)).toHaveLength(128);
});
