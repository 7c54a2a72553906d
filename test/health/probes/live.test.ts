import { beforeEach, describe, expect, it } from "vitest";
import { keyedFingerprint } from "../../../src/core/fingerprint.ts";
import { probeContext } from "../../../src/health/probes/context.ts";
import { look, type Finding, type Probe } from "../../../src/health/probes/probe.ts";
import { streamingProbe } from "../../../src/health/probes/streaming.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { FileHttpClient } from "../../fakes/fileHttpClient.ts";
import { LiveChannel, TARGET_MS } from "../../fakes/liveChannel.ts";
import { testKey } from "../../fakes/packagedVideo.ts";

const ORIGIN = "https://we.example";
const INTERVAL = 1_000;

let clock: ManualClock;
let channel: LiveChannel;
let http: FileHttpClient;

function probeOf(manifest: string): Probe {
  const region = { name: "we", streaming: ORIGIN, keys: `${ORIGIN}/k`, canary: { manifest } };
  const signals = { certificateWarn: 0, clockSkew: 5_000, firstByte: 1_000, throughputFactor: 1.2 };
  const canaries = { canary: async () => null };
  const fingerprint = keyedFingerprint(testKey("secret"));
  return streamingProbe(region, probeContext([region], { http, canaries, timeoutMs: 1_000, fingerprint, clock, signals }));
}

async function once(run: Probe): Promise<Finding & { readonly lookAgainMs?: number }> {
  const { outcome, detail, lookAgainMs } = await look(run, { clock, timeoutMs: 1_000, signal: new AbortController().signal });
  return outcome.ok
    ? { ok: true, detail, ...(lookAgainMs === undefined ? {} : { lookAgainMs }) }
    : { ok: false, reason: outcome.reason, detail };
}

/** Probes at the interval until `ms` have passed; the first failure ends it. */
async function failureWithin(run: Probe, ms: number): Promise<{ readonly finding: Finding; readonly afterMs: number } | null> {
  const began = clock.monotonic();
  while (clock.monotonic() - began < ms) {
    await clock.advance(INTERVAL);
    const finding = await once(run);
    if (!finding.ok) return { finding, afterMs: clock.monotonic() - began };
  }
  return null;
}

beforeEach(async () => {
  clock = new ManualClock();
  await clock.advance(500_300);
  channel = new LiveChannel("/live/", clock);
  http = new FileHttpClient(ORIGIN, new Map());
  http.override = ({ url, headers }) => channel.serve(new URL(url).pathname, headers?.["range"]) ?? undefined;
});

describe.each([
  ["HLS", "/live/master.m3u8"],
  ["DASH", "/live/manifest.mpd"],
])("a live canary in %s", (protocol, manifest) => {
  it("is well for ten minutes, of which every probe reads the newest segment", async () => {
    const run = probeOf(manifest);
    expect(await failureWithin(run, 600_000)).toBeNull();
    expect((await once(run)).detail).toMatch(/segment 6 of 6: 1200 bytes, media; audio .*, segment 6 of 6/);
  });

  it.each([0, 700, 1_900])("is stale within 1.5 target durations and one probe, frozen %s ms after an advance", async (phase) => {
    const run = probeOf(manifest);
    expect(await failureWithin(run, 10_000)).toBeNull();
    await clock.advance(TARGET_MS - (clock.monotonic() % TARGET_MS) + phase);
    channel.frozenAt = clock.monotonic();
    const found = await failureWithin(run, 60_000);
    expect(found?.finding).toMatchObject({ ok: false, reason: "stale" });
    const allowed = protocol === "HLS" ? 1.5 * TARGET_MS : 2 * TARGET_MS;
    // One more interval may have passed before the probe saw the last advance: the loop looks again at `lookAgainMs` for that.
    expect(found?.afterMs).toBeLessThanOrEqual(allowed + 2 * INTERVAL);
  });

  it("says when it wants to be looked at again, and would be stale then", async () => {
    const run = probeOf(manifest);
    await once(run);
    channel.frozenAt = clock.monotonic();
    const finding = await once(run);
    const allowed = protocol === "HLS" ? 1.5 * TARGET_MS : 2 * TARGET_MS;
    expect(finding.lookAgainMs).toBe(allowed + 2);
    await clock.advance(allowed);
    expect(await once(run)).toMatchObject({ ok: true });
    await clock.advance(2);
    expect(await once(run)).toMatchObject({ ok: false, reason: "stale" });
  });

  it("is well again when it goes on", async () => {
    const run = probeOf(manifest);
    await once(run);
    channel.frozenAt = clock.monotonic();
    await clock.advance(30_000);
    expect(await once(run)).toMatchObject({ ok: false, reason: "stale" });
    channel.frozenAt = null;
    expect(await once(run)).toMatchObject({ ok: true });
    expect(await failureWithin(run, 20_000)).toBeNull();
  });

  it.each([
    ["an earlier place", "regressed", () => (channel.offset = -4)],
    ["other names of published segments", "rewritten", () => (channel.naming = "g2/")],
  ])("shows %s with the next probe as %s", async (_, reason, change) => {
    const run = probeOf(manifest);
    await once(run);
    change();
    await clock.advance(INTERVAL);
    expect(await once(run)).toMatchObject({ ok: false, reason });
  });

  it("is not watched any more once it has ended", async () => {
    const run = probeOf(manifest);
    await once(run);
    channel.frozenAt = clock.monotonic();
    channel.ended = true;
    await clock.advance(60_000);
    const finding = await once(run);
    expect(finding).toMatchObject({ ok: true });
    expect(finding.lookAgainMs).toBeUndefined();
  });

  it("fails by its newest segment, its initialisation section and either kind of media", async () => {
    for (const broken of [/v1\/\d+\.m4s$/, /a1\/\d+\.m4s$/, /v1\/init/, /a1\/init/]) {
      const run = probeOf(manifest);
      expect(await once(run)).toMatchObject({ ok: true });
      const well = http.override;
      http.override = (question) => (broken.test(question.url) ? { status: 404, headers: {}, body: new Uint8Array() } : well(question));
      expect(await once(run), String(broken)).toMatchObject({ ok: false, reason: "segment" });
      http.override = well;
    }
  });
});

describe("a live HLS canary", () => {
  it("is stale when one of its playlists is, which is named", async () => {
    const run = probeOf("/live/master.m3u8");
    channel.frozenTracks = ["a1"];
    expect(await failureWithin(run, 10_000)).toBeNull();
    channel.frozenAt = clock.monotonic();
    expect((await failureWithin(run, 20_000))?.finding).toMatchObject({
      reason: "stale",
      detail: expect.stringContaining("audio English"),
    });
  });

  it("is rewritten by another duration of a published segment, and shrinks below what is allowed", async () => {
    const run = probeOf("/live/master.m3u8");
    await once(run);
    channel.stretchMs = -300;
    expect(await once(run)).toMatchObject({ ok: false, reason: "rewritten" });
    channel.stretchMs = 0;
    channel.count = 2;
    expect(await once(run)).toMatchObject({ ok: false, reason: "regressed" });
  });

  it("is judged without a time of day too", async () => {
    channel.dated = false;
    const run = probeOf("/live/master.m3u8");
    expect(await failureWithin(run, 20_000)).toBeNull();
    channel.frozenAt = clock.monotonic();
    expect((await failureWithin(run, 20_000))?.finding).toMatchObject({ reason: "stale" });
  });

  it("starts anew when another video takes its place", async () => {
    const other = new LiveChannel("/other/", clock);
    other.offset = -500;
    http.override = ({ url, headers }) => {
      const { pathname } = new URL(url);
      return channel.serve(pathname, headers?.["range"]) ?? other.serve(pathname, headers?.["range"]) ?? undefined;
    };
    let path = "/live/master.m3u8";
    const region = { name: "we", streaming: ORIGIN, keys: undefined };
    const canaries = { canary: async () => ({ locatorId: "x", manifestPath: path, key: null }) };
    const signals = { certificateWarn: 0, clockSkew: 5_000, firstByte: 1_000, throughputFactor: 1.2 };
    const fingerprint = keyedFingerprint(testKey("secret"));
    const { keys: _, ...bare } = region;
    const run = streamingProbe(bare, probeContext([bare], { http, canaries, timeoutMs: 1_000, fingerprint, clock, signals }));
    expect(await once(run)).toMatchObject({ ok: true });
    path = "/other/master.m3u8";
    expect(await once(run)).toMatchObject({ ok: true });
  });
});

describe("a live DASH canary", () => {
  it.each(["time", "number", "list"] as const)("is played by %s", async (addressing) => {
    channel.addressing = addressing;
    const run = probeOf("/live/manifest.mpd");
    for (let round = 0; round < 5; round += 1) {
      expect(await once(run)).toMatchObject({ ok: true });
      await clock.advance(INTERVAL);
    }
    expect(http.paths.filter((path) => path.endsWith(".m4s")).length).toBe(10);
  });

  it("by number fails by its newest segment, because the list follows the clock", async () => {
    channel.addressing = "number";
    const run = probeOf("/live/manifest.mpd");
    expect(await once(run)).toMatchObject({ ok: true });
    const well = http.override;
    const newest = 1_000 + Math.floor(clock.monotonic() / TARGET_MS);
    http.override = (question) => {
      const number = /(\d+)\.m4s$/.exec(question.url)?.[1];
      return number !== undefined && Number(number) > newest ? { status: 404, headers: {}, body: new Uint8Array() } : well(question);
    };
    expect((await failureWithin(run, 10_000))?.finding).toMatchObject({ reason: "segment" });
  });
});
