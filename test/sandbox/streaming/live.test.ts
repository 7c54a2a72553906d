/** The sample as a live channel: what is on air follows from the clock. */
import { createDecipheriv } from "node:crypto";
import { Parser } from "m3u8-parser";
import { parse as parseMpd } from "mpd-parser";
import { describe, expect, it } from "vitest";
import { liveSample } from "../../../src/sandbox/sample.ts";
import { CLEAR_LOCATOR, KEY, KEYED_LOCATOR, manifestPath, readSample, sampleRegion, STREAMING, type SampleRegion } from "./sampleRegion.ts";

const ISM = "paircast-sample.ism";
const CBC = ",encryption=cbc";

function channel(): SampleRegion {
  const region = sampleRegion();
  const [marked] = liveSample([{ name: ISM, contentType: "application/smil+xml", content: Buffer.from(readSample(ISM)) }]);
  region.blobs.files.set(ISM, new Uint8Array(marked?.content ?? []));
  return region;
}

interface Playlist {
  readonly mediaSequence: number;
  readonly endList: boolean;
  readonly segments: readonly { readonly uri: string; readonly duration: number; readonly dateTimeObject?: Date }[];
}

function playlistPath(track: "video" | "audio", locator = CLEAR_LOCATOR, encryption = ""): string {
  return `/${locator}/${ISM}/QualityLevels(${track === "video" ? 177_000 : 50_000})/Manifest(${track},format=m3u8-cmaf${encryption})`;
}

async function playlist(region: SampleRegion, path: string): Promise<Playlist> {
  const parser = new Parser();
  parser.push(await region.text(path));
  parser.end();
  return { endList: false, ...parser.manifest } as Playlist;
}

async function segment(region: SampleRegion, path: string, uri: string): Promise<Uint8Array> {
  return region.bytes(new URL(uri, new URL(path, STREAMING)).pathname);
}

/** Decode time of the first track fragment. */
function decodeTime(bytes: Uint8Array): number {
  const at = Buffer.from(bytes).indexOf("tfdt", 0, "latin1");
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at + 8));
}

describe("a live channel in HLS", () => {
  it.each(["video", "audio"] as const)(
    "shows a window of %s that moves on with the clock, without end, dated by the wall clock",
    async (track) => {
      const region = channel();
      const before = await playlist(region, playlistPath(track));
      expect(before.endList).toBe(false);
      expect(before.segments).toHaveLength(6);
      const newest = before.segments.reduce(
        (end, { duration }) => end + duration * 1000,
        before.segments[0]?.dateTimeObject?.getTime() ?? 0,
      );
      // The sample's audio is one AAC frame (21 ms) longer than its video, which sets the length of a round.
      expect(region.clock.now() - newest).toBeGreaterThanOrEqual(-22);
      expect(region.clock.now() - newest).toBeLessThan(2100);
      await region.clock.advance(10_000);
      const after = await playlist(region, playlistPath(track));
      expect(after.mediaSequence - before.mediaSequence).toBeGreaterThanOrEqual(4);
      expect(after.mediaSequence - before.mediaSequence).toBeLessThanOrEqual(5);
      const shared = before.segments.slice(after.mediaSequence - before.mediaSequence).map(({ uri }) => uri);
      expect(after.segments.slice(0, shared.length).map(({ uri }) => uri)).toEqual(shared);
    },
  );

  it("broadcasts every fragment in turn, with rising decode times, over the end of the recording", async () => {
    const region = channel();
    const path = playlistPath("video");
    const numbers: number[] = [];
    const times: number[] = [];
    for (let round = 0; round < 36; round += 1) {
      const { mediaSequence, segments } = await playlist(region, path);
      const last = segments.at(-1);
      numbers.push(mediaSequence + segments.length - 1);
      times.push(decodeTime(await segment(region, path, String(last?.uri))));
      expect(`Fragments(video=${times.at(-1)},format=m3u8-cmaf)`).toBe(last?.uri);
      await region.clock.advance(2000);
    }
    expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at));
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual(times.map((_, at) => at * 25_600));
  });

  it("answers 404 for what has left the window and for what is not on air yet", async () => {
    const region = channel();
    const path = playlistPath("video");
    const uri = String((await playlist(region, path)).segments[0]?.uri);
    const segmentUrl = new URL(uri, new URL(path, STREAMING)).pathname;
    expect((await region.ask(segmentUrl)).status).toBe(200);
    await region.clock.advance(20_000);
    expect((await region.ask(segmentUrl)).status).toBe(404);
    const time = Number(/video=(\d+)/.exec(uri)?.[1]) + 60 * 12_800;
    expect((await region.ask(segmentUrl.replace(/video=\d+/, `video=${time}`))).status).toBe(404);
  });

  it("is encrypted with the locator's key like a recording", async () => {
    const region = channel();
    const path = playlistPath("video", KEYED_LOCATOR, CBC);
    const text = await region.text(path);
    const iv = Buffer.from(/IV=0x([0-9a-f]{32})/.exec(text)?.[1] ?? "", "hex");
    const { segments } = await playlist(region, path);
    const sealed = await segment(region, path, String(segments[0]?.uri));
    const decipher = createDecipheriv("aes-128-cbc", Buffer.from(KEY.value, "base64"), iv);
    const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
    expect(decodeTime(new Uint8Array(opened))).toBe(Number(/video=(\d+)/.exec(String(segments[0]?.uri))?.[1]));
  });

  it("is the same in two regions, byte for byte", async () => {
    const [one, other] = [channel(), channel()];
    expect(await one.text(playlistPath("audio"))).toBe(await other.text(playlistPath("audio")));
  });
});

describe("the fault stale", () => {
  it("stops a live channel where it is, answers go on, and mending brings it to the present", async () => {
    const region = channel();
    region.fault.kind = "stale";
    const before = await region.text(playlistPath("video"));
    await region.clock.advance(30_000);
    expect(await region.text(playlistPath("video"))).toBe(before);
    region.fault.kind = null;
    const after = await playlist(region, playlistPath("video"));
    const fresh = await playlist(channel(), playlistPath("video"));
    expect(after.mediaSequence).toBe(fresh.mediaSequence + 15);
  });

  it("leaves a recording as it is", async () => {
    const region = sampleRegion();
    const before = await region.text(playlistPath("video"));
    region.fault.kind = "stale";
    expect(await region.text(playlistPath("video"))).toBe(before);
  });
});

describe("a live channel in DASH", () => {
  it("is dynamic, and lists the window in the same times as HLS", async () => {
    const region = channel();
    const path = manifestPath(CLEAR_LOCATOR, "mpd-time-cmaf");
    const xml = await region.text(path);
    expect(xml).toContain('type="dynamic"');
    expect(xml).toContain('availabilityStartTime="1970-01-01T00:00:00Z"');
    expect(xml).not.toContain("mediaPresentationDuration");
    const { playlists } = parseMpd(xml, { manifestUri: `${STREAMING}${path}` });
    const uris = playlists[0]?.segments?.map(({ resolvedUri }) => resolvedUri) ?? [];
    expect(uris).toHaveLength(6);
    const times = (await playlist(region, playlistPath("video"))).segments.map(({ uri }) => /video=(\d+)/.exec(uri)?.[1]);
    expect(uris.map((uri) => /video=(\d+)/.exec(String(uri))?.[1])).toEqual(times);
    expect((await region.ask(new URL(String(uris.at(-1))).pathname)).status).toBe(200);
  });
});

it("the asset of a live event that does not run has nothing to stream", async () => {
  const region = channel();
  const paths = [manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"), playlistPath("video")];
  for (const path of paths) expect((await region.ask(path)).status).toBe(200);
  region.account.eventStopped = true;
  for (const path of paths) expect((await region.ask(path)).status).toBe(404);
});
