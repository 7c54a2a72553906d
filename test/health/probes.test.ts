import { beforeEach, describe, expect, it } from "vitest";
import type { Canary, CanaryKey } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { HttpFailure } from "../../src/core/http.ts";
import type { CanarySource } from "../../src/core/ports/health.ts";
import type { HttpAnswer } from "../../src/core/ports/http.ts";
import type { ProbedRegion } from "../../src/health/probes/canary.ts";
import { probeContext, type ProbeContext } from "../../src/health/probes/context.ts";
import { keyProbe } from "../../src/health/probes/keys.ts";
import { look, type Finding, type Probe } from "../../src/health/probes/probe.ts";
import { streamingProbe } from "../../src/health/probes/streaming.ts";
import { ManualClock } from "../fakes/clock.ts";
import { FileHttpClient } from "../fakes/fileHttpClient.ts";
import { box, packageVideo, testKey, text, type Files } from "../fakes/packagedVideo.ts";

const ORIGIN = "https://we.example";
const BASE = `${ORIGIN}/base`;
const REGION: ProbedRegion = { name: "we", streaming: BASE, keys: BASE };
const LOCATOR = "aaaaaaaa-0000-4000-8000-000000000001";
const fingerprint = keyedFingerprint(testKey("secret"));
const key = testKey("right");

/** Canaries that follow one another; the last one stays. An Error is thrown. */
function canaries(...queue: (Canary | null | Error)[]): CanarySource {
  return {
    canary: async () => {
      const next = queue.length > 1 ? queue.shift() : queue[0];
      if (next instanceof Error) throw next;
      return next ?? null;
    },
  };
}

function canary(manifestPath: string | null, canaryKey: CanaryKey | null = null): Canary {
  return { locatorId: LOCATOR, manifestPath, key: canaryKey };
}

function keyCanary(changes: Partial<CanaryKey> = {}): Canary {
  const known: CanaryKey = { id: null, path: "/?kid=1", fingerprint: fingerprint(key), authorization: null, tokenUnavailable: false };
  return canary(null, { ...known, ...changes });
}

/** Runs the probe as the monitor does. */
async function probe(run: Probe): Promise<Finding> {
  const clock = new ManualClock();
  const { outcome, detail } = await look(run, { clock, timeoutMs: 1000, signal: new AbortController().signal });
  return outcome.ok ? { ok: true, detail } : { ok: false, reason: outcome.reason, detail };
}

let files: Files;
let http: FileHttpClient;

function contextOf(source: CanarySource, regions: readonly ProbedRegion[]): ProbeContext {
  const signals = { certificateWarn: 604_800_000, clockSkew: 5000, firstByte: 1000, throughputFactor: 1.2 };
  return probeContext(regions, { http, canaries: source, timeoutMs: 1000, fingerprint, clock: new ManualClock(), signals });
}

function streaming(source: CanarySource, region = REGION): Probe {
  return streamingProbe(region, contextOf(source, [region]));
}

function keys(source: CanarySource, region = REGION): Probe {
  return keyProbe(region, BASE, contextOf(source, [region]));
}

function answering(body: Uint8Array, status = 200): void {
  http.override = (): HttpAnswer => ({ status, headers: {}, body });
}

beforeEach(() => {
  files = packageVideo("/base/v/");
  http = new FileHttpClient(ORIGIN, files);
});

describe("streaming probe", () => {
  const there = canaries(canary("/v/master.m3u8"));

  it("plays one variant of each kind in turn", async () => {
    const run = streaming(there);
    const details = [await probe(run), await probe(run), await probe(run)].map(({ detail }) => detail);
    const audio = "audio English, segment 4 of 4: 1203 bytes, media";
    expect(details).toEqual([
      `hls video 800 kbit/s, segment 4 of 4: 1203 bytes, media; ${audio}`,
      `hls video 2400 kbit/s, segment 4 of 4: 1203 bytes, media; ${audio}`,
      `hls video 800 kbit/s, segment 4 of 4: 1203 bytes, media; ${audio}`,
    ]);
  });

  it("stays with a broken variant until it is mended", async () => {
    const run = streaming(there);
    const broken = files.get("/base/v/v2/3.m4s") ?? text("");
    files.delete("/base/v/v2/3.m4s");
    const seen = [await probe(run), await probe(run), await probe(run)];
    expect(seen.map(({ ok }) => ok)).toEqual([true, false, false]);
    files.set("/base/v/v2/3.m4s", broken);
    expect((await probe(run)).detail).toContain("2400");
  });

  it("prefers the configured canary, query and all", async () => {
    const run = streaming(canaries(new Error("not to be asked")), { ...REGION, canary: { manifest: "/v/manifest.mpd?x=1" } });
    expect(await probe(run)).toMatchObject({ ok: true });
    expect(http.paths[0]).toBe("/base/v/manifest.mpd?x=1");
  });

  it("asks for another video when the catalogue has dropped the one that is gone", async () => {
    expect(await probe(streaming(canaries(canary("/gone/master.m3u8"), canary("/v/master.m3u8"))))).toMatchObject({ ok: true });
    expect(await probe(streaming(canaries(canary("/gone/master.m3u8"), null)))).toMatchObject({
      ok: true,
      detail: expect.stringContaining("no video"),
    });
    expect(await probe(streaming(canaries(canary("/gone/master.m3u8"))))).toMatchObject({ ok: false, reason: "not_found" });
    const configured = streaming(canaries(canary("/v/master.m3u8")), { ...REGION, canary: { manifest: "/gone/master.m3u8" } });
    expect(await probe(configured)).toMatchObject({ ok: false, reason: "not_found" });
  });

  it("goes on with what it knows while the catalogue cannot be read", async () => {
    const run = streaming(canaries(canary("/v/master.m3u8"), new Error("catalogue away")));
    expect((await probe(run)).detail).toContain("segment");
    expect((await probe(run)).detail).toContain("segment");
  });

  it.each([
    ["the manifest of a login page", (): void => void files.set("/base/v/master.m3u8", text("<html>login</html>")), "body"],
    ["a variant that is missing", (): void => void files.delete("/base/v/v1.m3u8"), "segment"],
    ["an initialisation section that is missing", (): void => void files.delete("/base/v/v1/init.mp4"), "segment"],
    ["a segment that is missing", (): void => void files.delete("/base/v/v1/3.m4s"), "segment"],
    ["a segment that is empty", (): void => void files.set("/base/v/v1/3.m4s", text("")), "segment"],
    ["a segment that is text", (): void => void files.set("/base/v/v1/3.m4s", text("Service unavailable")), "segment"],
    ["a segment of another box", (): void => void files.set("/base/v/v1/3.m4s", box("wide", 900)), "segment"],
    ["a status of 503", (): void => answering(text(""), 503), "status"],
  ])("catches %s", async (_, damage, reason) => {
    damage();
    expect(await probe(streaming(there))).toMatchObject({ ok: false, reason });
  });

  it("catches an encrypted segment that was cut or replaced", async () => {
    for (const [path, file] of packageVideo("/base/v/", { encryption: { key, keyUri: "https://k.example/?kid=1" } })) files.set(path, file);
    expect(await probe(streaming(there))).toMatchObject({ ok: true, detail: expect.stringContaining("ciphertext") });
    const segment = files.get("/base/v/v1/3.m4s") ?? text("");
    files.set("/base/v/v1/3.m4s", segment.subarray(0, 1000));
    expect(await probe(streaming(there))).toMatchObject({ ok: false, reason: "segment" });
    files.set("/base/v/v1/3.m4s", text("<html>0123456789"));
    expect(await probe(streaming(there))).toMatchObject({ ok: false, reason: "segment" });
  });
});

describe("key probe", () => {
  const there = canaries(keyCanary());

  it("wants the verified key", async () => {
    answering(key);
    expect(await probe(keys(there))).toMatchObject({ ok: true, detail: expect.stringContaining("the verified key") });
    expect(http.paths).toEqual(["/base/?kid=1"]);
    expect(http.asked[0]?.headers).toEqual({});
  });

  it.each([
    ["another key", testKey("wrong"), 200, "key_mismatch"],
    ["15 bytes", key.subarray(0, 15), 200, "key_length"],
    ["a line end after the key", Buffer.concat([key, Buffer.from("\n")]), 200, "key_length"],
    ["nothing", new Uint8Array(), 200, "key_length"],
    ["a refusal as text", text("Forbidden"), 200, "body"],
    ["a login page", text("<html>Sign in</html>"), 200, "body"],
    ["zeros", new Uint8Array(16), 200, "body"],
    ["sixteen bytes of a page", text("<html>Sorry</htm"), 200, "body"],
    ["404", text(""), 404, "not_found"],
    ["401", text(""), 401, "unauthorized"],
    ["403", text(""), 403, "unauthorized"],
    ["500", text(""), 500, "status"],
    ["a key with another status", key, 201, "status"],
  ] as const)("catches %s", async (_, body, status, reason) => {
    answering(body, status);
    expect(await probe(keys(there))).toMatchObject({ ok: false, reason });
  });

  it("sends the authorisation and never shows it, nor the query", async () => {
    answering(text(""), 503);
    const finding = await probe(keys(canaries(keyCanary({ authorization: "Bearer hidden", path: "/?kid=1&token=hidden" }))));
    expect(http.asked[0]?.headers).toEqual({ authorization: "Bearer hidden" });
    expect(JSON.stringify(finding)).not.toContain("hidden");
  });

  it("takes a refusal for life where no token can be made", async () => {
    const run = keys(canaries(keyCanary({ tokenUnavailable: true })));
    answering(text(""), 401);
    expect(await probe(run)).toMatchObject({ ok: true, detail: expect.stringContaining("token") });
    answering(text(""), 500);
    expect(await probe(run)).toMatchObject({ ok: false, reason: "status" });
    answering(testKey("wrong"));
    expect(await probe(run)).toMatchObject({ ok: false, reason: "key_mismatch" });
  });

  it("checks the length alone where the key is configured by path", async () => {
    const run = keys(there, { ...REGION, canary: { key: "/k?kid=2", keyAuthorization: "Bearer x" } });
    answering(testKey("any"));
    expect(await probe(run)).toMatchObject({ ok: true, detail: expect.stringContaining("not known") });
    expect(http.asked[0]).toMatchObject({ url: `${BASE}/k?kid=2`, headers: { authorization: "Bearer x" } });
    answering(text("no"));
    expect(await probe(run)).toMatchObject({ ok: false });
  });

  it("asks for another key when the catalogue has dropped the one that is gone", async () => {
    http.override = ({ url }) =>
      url.endsWith("kid=1") ? { status: 404, headers: {}, body: text("") } : { status: 200, headers: {}, body: key };
    expect(await probe(keys(canaries(keyCanary(), keyCanary({ path: "/?kid=2" }))))).toMatchObject({ ok: true });
    expect(await probe(keys(canaries(keyCanary(), keyCanary())))).toMatchObject({ ok: false, reason: "not_found" });
  });
});

describe("reachability, where nothing is there to ask for", () => {
  it.each([
    [200, true],
    [404, true],
    [499, true],
    [500, false],
    [503, false],
  ])("status %s", async (status, ok) => {
    answering(text(""), status);
    for (const run of [streaming(canaries(null)), keys(canaries(null))]) expect((await probe(run)).ok).toBe(ok);
    expect(new Set(http.paths)).toEqual(new Set(["/base/"]));
    expect(http.paths).toHaveLength(ok ? 2 : 4);
  });

  it("takes a large answer for an answer, and a refusal for none", async () => {
    http.override = () => {
      throw new HttpFailure("too_large", "planted");
    };
    expect(await probe(streaming(canaries(null)))).toMatchObject({ ok: true });
    http.override = () => {
      throw new HttpFailure("refused", "planted");
    };
    expect(await probe(streaming(canaries(null)))).toMatchObject({ ok: false, reason: "refused" });
  });
});

describe("the frame of a probe", () => {
  it("ends at the deadline, even where the probe does not heed its signal", async () => {
    const clock = new ManualClock();
    const looking = look(() => new Promise<Finding>(() => undefined), { clock, timeoutMs: 1000, signal: new AbortController().signal });
    await clock.advance(999);
    await clock.advance(1);
    expect((await looking).outcome).toEqual({ ok: false, durationMs: 1000, reason: "timeout", detail: "no answer within 1000 ms" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("passes on what says nothing about the region, and the end of the monitor", async () => {
    const clock = new ManualClock();
    const broken = async (): Promise<Finding> => Promise.reject(new TypeError("a bug"));
    await expect(look(broken, { clock, timeoutMs: 1000, signal: new AbortController().signal })).rejects.toThrow("a bug");
    const reason = new Error("stopped");
    const idle = (): Promise<Finding> => new Promise(() => undefined);
    await expect(look(idle, { clock, timeoutMs: 1000, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });
});
