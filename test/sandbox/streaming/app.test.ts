/** What the streaming endpoint refuses, and how it answers as an HTTP server. */
import { describe, expect, it } from "vitest";
import { PaircastError } from "../../../src/core/errors.ts";
import { CLEAR_LOCATOR, KEY, KEYED_LOCATOR, manifestPath, sampleRegion, type SampleRegion } from "./sampleRegion.ts";

const HLS = manifestPath(CLEAR_LOCATOR, "m3u8-cmaf");
const DASH = manifestPath(CLEAR_LOCATOR, "mpd-time-cmaf");
const CBC = ",encryption=cbc";

async function refusal(region: SampleRegion, path: string): Promise<[number, string]> {
  const answer = await region.ask(path);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.message).not.toBe("");
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  return [answer.status, error.code];
}

/** A segment path of the first variant. */
async function segmentPath(region: SampleRegion): Promise<string> {
  const [, bitrate] = /QualityLevels\((\d+)\)\/Manifest\(video/.exec(await region.text(HLS)) ?? [];
  return `/${CLEAR_LOCATOR}/paircast-sample.ism/QualityLevels(${bitrate})/Fragments(video=0,format=m3u8-cmaf)`;
}

describe("what is refused", () => {
  it("an unknown locator, an asset that is gone, a server manifest of another name: 404", async () => {
    const region = sampleRegion();
    const unknown = HLS.replace(CLEAR_LOCATOR, "99999999-0000-4000-8000-000000000000");
    expect(await refusal(region, unknown)).toEqual([404, "MPE_RESOURCE_NOT_FOUND"]);
    expect(await refusal(region, HLS.replace("paircast-sample", "other"))).toEqual([404, "MPE_RESOURCE_NOT_FOUND"]);
    region.account.change(CLEAR_LOCATOR, { assetName: "deleted" });
    expect(await refusal(region, HLS)).toEqual([404, "MPE_RESOURCE_NOT_FOUND"]);
  });

  it("a locator before its start and from its end on: 404, and between them it plays", async () => {
    const region = sampleRegion();
    const now = region.clock.now();
    region.account.change(CLEAR_LOCATOR, { startTime: now + 1000, endTime: now + 2000 });
    expect(await refusal(region, HLS)).toEqual([404, "MPE_UNAUTHORIZED"]);
    await region.clock.advance(1000);
    expect((await region.ask(HLS)).status).toBe(200);
    await region.clock.advance(1000);
    expect(await refusal(region, HLS)).toEqual([404, "MPE_UNAUTHORIZED"]);
  });

  it("everything while the endpoint is stopped: 503", async () => {
    const region = sampleRegion();
    region.account.running = false;
    expect(await refusal(region, HLS)).toEqual([503, "endpoint_stopped"]);
  });

  it("what does not fit the streaming policy: 400", async () => {
    const region = sampleRegion();
    expect(await refusal(region, manifestPath(CLEAR_LOCATOR, "m3u8-cmaf", CBC))).toEqual([
      400,
      "MPE_ENC_ENCRYPTION_NOT_SET_IN_DELIVERY_POLICY",
    ]);
    expect(await refusal(region, manifestPath(KEYED_LOCATOR, "m3u8-cmaf"))).toEqual([400, "MPE_ENC_ENCRYPTION_NOT_SPECIFIED_IN_URL"]);
    expect(await refusal(region, manifestPath(KEYED_LOCATOR, "mpd-time-cmaf", ",encryption=cenc"))).toEqual([
      400,
      "MPE_ENC_ENCRYPTION_NOT_SET_IN_DELIVERY_POLICY",
    ]);
    region.account.change(CLEAR_LOCATOR, { streamingPolicyName: "hls-only" });
    expect((await region.ask(HLS)).status).toBe(200);
    expect(await refusal(region, DASH)).toEqual([400, "MPE_OUTPUT_FORMAT_BLOCKED"]);
  });

  it("an encrypted fragment asked for in the clear, which would get around the policy: 400", async () => {
    const region = sampleRegion();
    const fragment = (await segmentPath(region)).replace(CLEAR_LOCATOR, KEYED_LOCATOR);
    expect(await refusal(region, fragment)).toEqual([400, "MPE_ENC_ENCRYPTION_NOT_SPECIFIED_IN_URL"]);
  });

  it("a key that is not 16 bytes, a locator without key, per-track keys: said, not guessed", async () => {
    const region = sampleRegion();
    const keyed = manifestPath(KEYED_LOCATOR, "m3u8-cmaf", CBC);
    region.account.change(KEYED_LOCATOR, { contentKeys: [{ ...KEY, value: "dmFsdWG=" }] });
    expect(await refusal(region, keyed)).toEqual([500, "key_unusable"]);
    region.account.change(KEYED_LOCATOR, { contentKeys: [{ ...KEY, type: "CommonEncryptionCenc" }] });
    expect(await refusal(region, keyed)).toEqual([500, "key_unusable"]);
    region.account.streamingPolicies.set("keyed", {
      envelopeEncryption: { enabledProtocols: { hls: true }, clearTracks: [{ trackSelections: [] }] },
    });
    expect(await refusal(region, keyed)).toEqual([501, "not_emulated"]);
  });

  it("tracks, bitrates and times that the asset does not have: 404", async () => {
    const region = sampleRegion();
    const segment = await segmentPath(region);
    expect((await region.ask(segment)).status).toBe(200);
    expect(await refusal(region, segment.replace("video=", "subtitles="))).toEqual([404, "MPE_EGRESS_TRACK_NOT_FOUND"]);
    expect(await refusal(region, segment.replace(/\(\d+\)/, "(1)"))).toEqual([404, "MPE_MANIFEST_MEDIA_ENTRY_NOT_FOUND"]);
    expect(await refusal(region, segment.replace("=0,", "=1,"))).toEqual([404, "MPE_FRAGMENT_TIMESTAMP_NOT_FOUND"]);
  });

  it("storage that cannot be read: 503 without storage's words", async () => {
    const region = sampleRegion();
    region.blobs.read = () => Promise.reject(new PaircastError("storage_unreadable", "secret detail"));
    const answer = await region.ask(HLS);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("secret");
  });

  it("other methods: 405", async () => {
    const answer = await sampleRegion().ask(HLS, { method: "POST" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("the fault missing-segments", () => {
  it("takes segments away and leaves manifests and playlists", async () => {
    const region = sampleRegion();
    const segment = await segmentPath(region);
    region.fault.kind = "missing-segments";
    expect((await region.ask(segment)).status).toBe(404);
    expect((await region.ask(HLS)).status).toBe(200);
    expect((await region.ask(DASH)).status).toBe(200);
    expect((await region.ask(segment.replace("Fragments(video=0", "Manifest(video"))).status).toBe(200);
    region.fault.kind = null;
    expect((await region.ask(segment)).status).toBe(200);
  });
});

describe("as an HTTP server", () => {
  it("HEAD has the headers of GET and no body", async () => {
    const region = sampleRegion();
    const [get, head] = [await region.ask(HLS), await region.ask(HLS, { method: "HEAD" })];
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
    expect(await head.text()).toBe("");
  });

  it("answers preflights for any page, with Range", async () => {
    const headers = { origin: "https://page.test", "access-control-request-method": "GET", "access-control-request-headers": "range" };
    const answer = await sampleRegion().ask(HLS, { method: "OPTIONS", headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-headers")).toBe("range");
    expect(answer.headers.get("access-control-allow-methods")).toContain("GET");
  });

  it("serves ranges of segments", async () => {
    const region = sampleRegion();
    const segment = await segmentPath(region);
    const whole = await region.bytes(segment);
    const answer = await region.ask(segment, { headers: { range: "bytes=100-199" } });
    expect(answer.status).toBe(206);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(whole.slice(100, 200));
  });
});
