/** The endpoint's output read as players read it: playlists with m3u8-parser, MPDs with mpd-parser, segments decrypted. */
import { createDecipheriv } from "node:crypto";
import { Parser, type Manifest } from "m3u8-parser";
import { parse as parseMpd } from "mpd-parser";
import { describe, expect, it } from "vitest";
import {
  readSample,
  CLEAR_LOCATOR,
  KEY,
  KEYED_LOCATOR,
  manifestPath,
  sampleRegion,
  type SampleRegion,
  STREAMING,
  TEMPLATE_LOCATOR,
} from "./sampleRegion.ts";

const CBC = ",encryption=cbc";

function parseHls(text: string): Manifest {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

function resolve(uri: string | undefined, base: string): string {
  return new URL(uri ?? "", new URL(base, STREAMING)).pathname;
}

function path(located: { readonly resolvedUri: string } | undefined): string {
  return new URL(defined(located).resolvedUri).pathname;
}

function defined<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("the manifest lists less than expected");
  return value;
}

function ivOf(text: string): Buffer {
  return Buffer.from(defined(/IV="?0x([0-9a-f]{32})/.exec(text)?.[1]), "hex");
}

interface Played {
  readonly init: string;
  readonly segments: readonly string[];
  readonly playlist: Manifest;
  readonly text: string;
}

/** Follows the multivariant playlist to its first variant. */
async function firstVariant(region: SampleRegion, master: string): Promise<Played> {
  const multivariant = parseHls(await region.text(master));
  const playlistPath = resolve(multivariant.playlists?.[0]?.uri, master);
  const text = await region.text(playlistPath);
  const playlist = parseHls(text);
  return {
    init: resolve(playlist.segments[0]?.map?.uri, playlistPath),
    segments: playlist.segments.map(({ uri }) => resolve(uri, playlistPath)),
    playlist,
    text,
  };
}

function decrypt(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-128-cbc", key, iv);
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}

const KEY_BYTES = Buffer.from(KEY.value, "base64");
const WRONG_KEY = Buffer.from(KEY_BYTES.map((byte) => byte ^ 0xff));

describe("HLS", () => {
  it("the multivariant playlist lists three variants with an audio group", async () => {
    const region = sampleRegion();
    const master = manifestPath(CLEAR_LOCATOR, "m3u8-cmaf");
    const text = await region.text(master);
    const manifest = parseHls(text);
    expect(manifest.playlists?.map(({ attributes }) => attributes)).toMatchObject([
      { RESOLUTION: { width: 640, height: 360 }, "FRAME-RATE": 25, AUDIO: "audio" },
      { RESOLUTION: { width: 426, height: 240 }, "FRAME-RATE": 25, AUDIO: "audio" },
      { RESOLUTION: { width: 256, height: 144 }, "FRAME-RATE": 25, AUDIO: "audio" },
    ]);
    for (const { attributes } of manifest.playlists ?? []) {
      expect(attributes?.CODECS).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
      const average = Number((attributes as Record<string, unknown>)["AVERAGE-BANDWIDTH"]);
      expect(average).toBeGreaterThan(50_000);
      expect(attributes?.BANDWIDTH).toBeGreaterThanOrEqual(average);
    }
    expect(Object.keys(manifest.mediaGroups?.AUDIO?.["audio"] ?? {})).toHaveLength(1);
    expect(text).toContain("#EXT-X-INDEPENDENT-SEGMENTS");
    expect(text).not.toContain("://");
    expect((await region.ask(master)).headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
  });

  it("initialization and media segments put together are the encoder's file, for video and audio", async () => {
    const region = sampleRegion();
    const { init, segments, playlist } = await firstVariant(region, manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"));
    expect(playlist).toMatchObject({ endList: true, playlistType: "VOD", targetDuration: 2 });
    const parts = await Promise.all([init, ...segments].map((part) => region.bytes(part)));
    const file = readSample("paircast-sample_640x360.mp4");
    const head = parts[0]?.length ?? 0;
    const indexLength = new DataView(file.buffer).getUint32(head);
    expect(Buffer.concat(parts).equals(Buffer.concat([file.subarray(0, head), file.subarray(head + indexLength)]))).toBe(true);
  });

  it("an encrypted playlist is decrypted with the locator's key and the IV of the playlist, and is then the clear one", async () => {
    const region = sampleRegion();
    const clear = await firstVariant(region, manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"));
    const encrypted = await firstVariant(region, manifestPath(KEYED_LOCATOR, "m3u8-cmaf", CBC));
    const key = encrypted.playlist.segments[0]?.key;
    expect(key).toMatchObject({ method: "AES-128", uri: `http://keys.westeurope.test/?kid=${KEY.id}` });
    const iv = ivOf(encrypted.text);
    expect(await region.bytes(encrypted.init)).toEqual(await region.bytes(clear.init));
    expect(encrypted.playlist.segments[0]?.map?.key).toBeUndefined();
    for (const at of [0, 7, 31]) {
      const secret = await region.bytes(defined(encrypted.segments[at]));
      const plain = await region.bytes(defined(clear.segments[at]));
      expect(Buffer.from(secret).equals(plain)).toBe(false);
      expect(Buffer.from(decrypt(secret, KEY_BYTES, iv)).equals(plain)).toBe(true);
      expect(playable(secret, WRONG_KEY, iv)).toBe(false);
      expect(playable(secret, KEY_BYTES, iv)).toBe(true);
    }
  });

  it("two regions that hold the same key give the same bytes and the same ETag, and another key other bytes", async () => {
    const [west, north] = [sampleRegion(), sampleRegion()];
    const { segments } = await firstVariant(west, manifestPath(KEYED_LOCATOR, "m3u8-cmaf", CBC));
    const segment = defined(segments[5]);
    const [here, there] = [await west.ask(segment), await north.ask(segment)];
    expect(here.headers.get("etag")).toBe(there.headers.get("etag"));
    expect(await here.arrayBuffer()).toEqual(await there.arrayBuffer());
    north.account.change(KEYED_LOCATOR, { contentKeys: [{ ...KEY, value: WRONG_KEY.toString("base64") }] });
    expect((await north.ask(segment)).headers.get("etag")).not.toBe(here.headers.get("etag"));
  });

  it("the key URI follows the streaming policy's template", async () => {
    const { playlist } = await firstVariant(sampleRegion(), manifestPath(TEMPLATE_LOCATOR, "m3u8-cmaf", CBC));
    expect(playlist.segments[0]?.key?.uri).toBe(
      "https://gateway.test/keys/media%201%2F%C3%A4?kid=5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0002&v=1",
    );
  });

  it("a quotation mark in a template cannot end the attribute", async () => {
    const region = sampleRegion();
    region.account.streamingPolicies.set("template", {
      envelopeEncryption: { enabledProtocols: { hls: true }, customKeyAcquisitionUrlTemplate: 'https://k.test/"\n{ContentKeyId}' },
    });
    const { playlist } = await firstVariant(region, manifestPath(TEMPLATE_LOCATOR, "m3u8-cmaf", CBC));
    expect(playlist.segments[0]?.key?.uri).toBe("https://k.test/%22%0A5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0002");
  });
});

/** Whether a decoder finds a movie fragment in what a key makes of the bytes. */
function playable(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): boolean {
  try {
    return new TextDecoder().decode(decrypt(bytes, key, iv).subarray(4, 8)) === "moof";
  } catch {
    return false;
  }
}

describe("DASH", () => {
  it("the MPD lists three video representations and one of audio, whose segments are the HLS ones", async () => {
    const region = sampleRegion();
    const mpdPath = manifestPath(CLEAR_LOCATOR, "mpd-time-cmaf");
    const text = await region.text(mpdPath);
    const manifest = parseMpd(text, { manifestUri: `${STREAMING}${mpdPath}` });
    expect(manifest.playlists.map(({ attributes }) => attributes)).toMatchObject([
      { RESOLUTION: { width: 640, height: 360 } },
      { RESOLUTION: { width: 426, height: 240 } },
      { RESOLUTION: { width: 256, height: 144 } },
    ]);
    expect(text).not.toMatch(/(media|initialization)="[a-z]+:/);
    const [video] = manifest.playlists;
    const { segments, init } = await firstVariant(region, manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"));
    expect(video?.segments).toHaveLength(segments.length);
    expect(await region.bytes(path(video?.segments[9]))).toEqual(await region.bytes(defined(segments[9])));
    expect(await region.bytes(path(video?.segments[0]?.map))).toEqual(await region.bytes(init));
    const audio = Object.values(manifest.mediaGroups.AUDIO).flatMap((group) =>
      Object.values(group).flatMap(({ playlists }) => playlists ?? []),
    );
    expect(audio).toHaveLength(1);
    const seconds = audio[0]?.segments.reduce((sum, { duration }) => sum + duration, 0);
    expect(seconds).toBeCloseTo(64.02, 1);
    const answer = await region.ask(path(audio[0]?.segments.at(-1)));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "audio/mp4"]);
    expect((await region.ask(mpdPath)).headers.get("content-type")).toBe("application/dash+xml");
  });

  it("an encrypted MPD signals segment encryption, and initialization and media segments are decrypted with its IV", async () => {
    const region = sampleRegion();
    const mpdPath = manifestPath(TEMPLATE_LOCATOR, "mpd-time-cmaf", CBC);
    const text = await region.text(mpdPath);
    expect(text).toContain('schemeIdUri="urn:mpeg:dash:sea:2012"');
    expect(text).toContain('<sea:SegmentEncryption schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/>');
    expect(text.match(/<sea:CryptoPeriod /g)).toHaveLength(2);
    expect(text).toContain(
      'keyUriTemplate="https://gateway.test/keys/media%201%2F%C3%A4?kid=5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0002&amp;v=1"',
    );
    const iv = ivOf(text);
    const segment = parseMpd(text, { manifestUri: `${STREAMING}${mpdPath}` }).playlists[0]?.segments[4];
    const clear = await firstVariant(region, manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"));
    const media = await region.bytes(path(segment));
    const init = await region.bytes(path(segment?.map));
    expect(Buffer.from(decrypt(media, KEY_BYTES, iv)).equals(await region.bytes(defined(clear.segments[4])))).toBe(true);
    expect(Buffer.from(decrypt(init, KEY_BYTES, iv)).equals(await region.bytes(clear.init))).toBe(true);
  });
});
