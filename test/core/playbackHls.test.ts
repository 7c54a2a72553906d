import { beforeEach, describe, expect, it } from "vitest";
import type { WalkOptions } from "../../src/core/playback.ts";
import { box, packageVideo, SEGMENTS, testKey, text } from "../fakes/packagedVideo.ts";
import { answer, encryption, KEY_URI, ORIGIN, stage, type Stage } from "../fakes/playbackStage.ts";

let video: Stage;

beforeEach(() => {
  video = stage();
});

describe("HLS, clear", () => {
  it("walks manifest, playlist, initialisation section and first segment", async () => {
    const playback = await video.walk();
    expect(playback).toMatchObject({ protocol: "hls", live: false, segments: SEGMENTS, durationMs: 4000 * SEGMENTS, key: null });
    expect(playback.variants.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "video 800 kbit/s",
      "video 2400 kbit/s",
      "audio English",
    ]);
    expect(playback.init).toMatchObject({ url: `${ORIGIN}/v/v1/init.mp4`, evidence: "media" });
    expect(playback.segment).toMatchObject({ url: `${ORIGIN}/v/v1/0.m4s`, index: 0, bytes: 1200, length: 1200, evidence: "media" });
    expect(video.http.paths).toEqual(["/v/master.m3u8", "/v/v1.m3u8", "/v/v1/init.mp4", "/v/v1/0.m4s"]);
  });

  it.each([
    [1, "last", "/v/v2/3.m4s"],
    [2, 1, "/v/a1/1.m4s"],
    [3, 5, "/v/v1/1.m4s"],
    [-1, -1, "/v/a1/3.m4s"],
  ] as const)("chooses variant %s and segment %s", async (variant, segment, path) => {
    expect((await video.walk({ variant, segment })).segment.url).toBe(ORIGIN + path);
  });

  it("sends the query of the manifest with the manifest only", async () => {
    await video.walk({ manifestUrl: `${ORIGIN}/v/master.m3u8?token=a&x=%2F` });
    expect(video.http.paths).toEqual(["/v/master.m3u8?token=a&x=%2F", "/v/v1.m3u8", "/v/v1/init.mp4", "/v/v1/0.m4s"]);
  });

  it("reads 64 KB of a large segment, and all of it when asked to", async () => {
    video.files.set("/v/v1/0.m4s", box("moof", 200_000));
    expect((await video.walk()).segment).toMatchObject({ bytes: 65_536, length: 200_000 });
    expect((await video.walk({ whole: true })).segment).toMatchObject({ bytes: 200_000, length: 200_000 });
  });

  it("copes with an origin that ignores ranges", async () => {
    video.files.set("/v/v1/0.m4s", box("moof", 200_000));
    video.http.override = ({ url }) => {
      const file = video.files.get(new URL(url).pathname);
      return file === undefined ? undefined : { status: 200, headers: {}, body: file };
    };
    expect((await video.walk()).segment).toMatchObject({ bytes: 65_536, length: 200_000 });
  });

  it("takes a media playlist as its own only variant, and the newest segment of a live one", async () => {
    video = stage({ live: true, mediaSequence: 1234 });
    const playback = await video.walk({ manifestUrl: `${ORIGIN}/v/v2.m3u8`, segment: "last" });
    expect(playback).toMatchObject({ live: true, segment: { index: SEGMENTS - 1, url: `${ORIGIN}/v/v2/3.m4s` } });
    expect(playback.variants).toHaveLength(1);
  });

  it("reads declared byte ranges", async () => {
    const one = Buffer.concat([box("ftyp", 100), box("moof", 50), box("mdat", 50), box("moof", 80), box("mdat", 20)]);
    video.files.set("/v/one.mp4", one);
    video.files.set(
      "/v/v1.m3u8",
      text(
        '#EXTM3U\n#EXT-X-MAP:URI="one.mp4",BYTERANGE="100@0"\n#EXTINF:4,\n#EXT-X-BYTERANGE:100@100\none.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:100\none.mp4\n',
      ),
    );
    const playback = await video.walk({ segment: 1, whole: true });
    expect(playback.init?.bytes).toBe(100);
    expect(playback.segment).toMatchObject({ bytes: 100, length: 100 });
    expect(video.http.asked.at(-1)?.headers).toEqual({ range: "bytes=200-299" });
    video.files.set("/v/one.mp4", one.subarray(0, 250));
    expect(await video.failure({ segment: 1 })).toMatchObject({ reason: "segment", step: "segment" });
  });

  it("knows transport streams and packed audio", async () => {
    const packets = Buffer.alloc(188 * 3, 1);
    for (let at = 0; at < packets.length; at += 188) packets[at] = 0x47;
    const frame = Buffer.from([0xff, 0xf1, 0x50, 0x80, 0x04, 0x1f, 0xfc, ...Buffer.alloc(25)]);
    for (const content of [packets, Buffer.concat([frame, frame]), Buffer.from("ID3\u0004\0\0\0\0\0\u000aPRIV")]) {
      video.files.set("/v/v1/0.m4s", content);
      expect((await video.walk()).segment.evidence).toBe("media");
    }
  });

  it("follows redirects within the configured origins, and no others", async () => {
    video.http.override = ({ url }) => (url.endsWith("/v/master.m3u8") ? answer(302, "", { location: "/moved/master.m3u8" }) : undefined);
    for (const [path, file] of packageVideo("/moved/")) video.files.set(path, file);
    expect((await video.walk()).segment.url).toBe(`${ORIGIN}/moved/v1/0.m4s`);
    video.http.override = () => answer(302, "", { location: "http://169.254.169.254/latest/meta-data" });
    expect(await video.failure()).toMatchObject({ reason: "status", step: "manifest" });
    video.http.override = ({ url }) => answer(302, "", { location: url });
    expect((await video.failure()).message).toMatch(/redirected more than 3 times/);
    expect(video.http.asked.length).toBeLessThan(20);
  });
});

describe("HLS, AES-128", () => {
  beforeEach(() => {
    video = stage({ encryption, mediaSequence: 70_000 });
  });

  it("reports the key with the media sequence number as IV, and takes the length for a ciphertext's", async () => {
    const playback = await video.walk({ segment: 2 });
    expect(playback.key).toEqual({ method: "AES-128", uri: KEY_URI, iv: (70_002).toString(16).padStart(32, "0") });
    expect(playback.segment.evidence).toBe("ciphertext");
  });

  it("decrypts with the content key, which is asked for by the declared URI", async () => {
    const uris: string[] = [];
    const contentKey: WalkOptions["contentKey"] = async ({ uri }) => {
      uris.push(uri);
      return encryption.key;
    };
    expect((await video.walk({ contentKey, segment: "last" })).segment.evidence).toBe("decrypted");
    expect(uris).toEqual([KEY_URI]);
  });

  it("uses an explicit IV", async () => {
    video = stage({ encryption: { ...encryption, iv: testKey("iv") } });
    expect((await video.walk({ contentKey: async () => encryption.key })).segment.evidence).toBe("decrypted");
  });

  it("sees a wrong key, a short key, a wrong length and a segment that is not encrypted", async () => {
    expect(await video.failure({ contentKey: async () => testKey("wrong") })).toMatchObject({ reason: "segment" });
    expect(await video.failure({ contentKey: async () => new Uint8Array(15) })).toMatchObject({ reason: "key_length" });
    const whole = video.files.get("/v/v1/0.m4s") ?? text("");
    video.files.set("/v/v1/0.m4s", whole.subarray(0, whole.length - 1));
    expect((await video.failure()).message).toMatch(/multiple of the cipher's block/);
    video.files.set("/v/v1/0.m4s", box("moof", 1600));
    expect((await video.failure()).message).toMatch(/clear/);
    video.files.set("/v/v1/0.m4s", text("<!doctype html>\n".repeat(16)));
    expect((await video.failure()).message).toMatch(/is text/);
  });
});
