/**
 * The bench's videos: two video renditions and one of audio, fragmented MP4 in HLS and DASH, clear or AES-128, live or on demand. Made from
 * the time alone, so that every region publishes the same. Pictures are noise; boxes, decode times and encryption are real.
 */
import { createCipheriv, createHash } from "node:crypto";
import type { Video } from "./faults.ts";

export const SEGMENT_MS = 2_000;
/** Segments in a live window. */
const WINDOW = 6;
/** Segments of a video on demand. */
const LENGTH = 20;
/** 100-nanosecond ticks would be the media services' own; players take any. */
const TIMESCALE = 1_000;
/** Host name of the custom key server in every manifest: it is pointed at the router. */
export const KEY_HOST = "http://keys.bench";
const KEY_URI = `${KEY_HOST}/keys/`;
/** Live sequence numbers count from here, so that they fit 32 bits. */
const EPOCH = Date.UTC(2025, 0, 1);

const TRACKS = {
  v1: { bytes: 24_000, bandwidth: 100_000, video: true },
  v2: { bytes: 48_000, bandwidth: 200_000, video: true },
  a1: { bytes: 6_000, bandwidth: 26_000, video: false },
} as const;
export type TrackName = keyof typeof TRACKS;
export const VIDEO_TRACKS: readonly TrackName[] = ["v1", "v2"];
export const AUDIO_TRACK: TrackName = "a1";

/** Bits per second of the lowest variant. */
export const LOWEST_BITRATE = (TRACKS.v1.bytes * 8_000) / SEGMENT_MS;

const KEY = createHash("sha256").update("paircast bench key").digest().subarray(0, 16);
const IV = createHash("sha256").update("paircast bench iv").digest().subarray(0, 16);
export const KEY_ID = "0b0b0b0b-0000-4000-8000-00000000000b";

/** The key of all encrypted videos. */
export function contentKey(): Buffer {
  return Buffer.from(KEY);
}

/** The published id: the same in every region. */
export function locatorId({ encrypted, live }: Omit<Video, "protocol">): string {
  return `0a0a0a0a-000${encrypted ? 1 : 0}-400${live ? 1 : 0}-8000-00000000000a`;
}

export function manifestPath(video: Video): string {
  return `/${locatorId(video)}/${video.protocol === "hls" ? "master.m3u8" : "manifest.mpd"}`;
}

/** What a manifest says now: the first listed segment, how many there are, and how they are named. */
export interface Edition {
  readonly first: number;
  readonly count: number;
  /** Prefix of the segments' names, which is not part of what they are. */
  readonly naming: string;
  /** Added to every time of day, in milliseconds. */
  readonly skewMs: number;
  readonly now: number;
}

/** The edition of a region that is well. */
export function editionAt(now: number, live: boolean): Edition {
  if (!live) return { first: 0, count: LENGTH, naming: "", skewMs: 0, now };
  return { first: Math.floor((now - EPOCH) / SEGMENT_MS) - WINDOW, count: WINDOW, naming: "", skewMs: 0, now };
}

export function masterPlaylist(): string {
  const audio = 'AUDIO="aac"';
  const variants = VIDEO_TRACKS.flatMap((name, index) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${TRACKS[name].bandwidth + TRACKS.a1.bandwidth},CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=${640 * (index + 1)}x${360 * (index + 1)},${audio}`,
    `${name}.m3u8`,
  ]);
  const rendition = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="${AUDIO_TRACK}.m3u8"`;
  return ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS", rendition, ...variants, ""].join("\n");
}

export function mediaPlaylist(track: TrackName, { encrypted, live }: Omit<Video, "protocol">, edition: Edition): string {
  const { first, count, naming, skewMs } = edition;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:6", `#EXT-X-TARGETDURATION:${SEGMENT_MS / 1000}`, `#EXT-X-MEDIA-SEQUENCE:${first}`];
  lines.push(`#EXT-X-MAP:URI="${track}/init.mp4"`);
  if (encrypted) lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${KEY_URI}${KEY_ID}",IV=0x${IV.toString("hex")}`);
  if (live) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${timeOfDay(first, skewMs)}`);
  for (let number = first; number < first + count; number += 1)
    lines.push(`#EXTINF:${SEGMENT_MS / 1000}.000,`, `${naming}${track}/${number}.m4s`);
  if (!live) lines.push("#EXT-X-ENDLIST");
  return [...lines, ""].join("\n");
}

function timeOfDay(number: number, skewMs: number): string {
  return new Date(EPOCH + number * SEGMENT_MS + skewMs).toISOString();
}

export function mpd({ encrypted, live }: Omit<Video, "protocol">, edition: Edition): string {
  const { first, count, naming, skewMs, now } = edition;
  const protection = encrypted
    ? `<ContentProtection schemeIdUri="urn:mpeg:dash:sea:2012" xmlns:sea="urn:mpeg:dash:schema:sea:2012"><sea:SegmentEncryption schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/><sea:CryptoPeriod IV="0x${IV.toString("hex")}" keyUriTemplate="${KEY_URI}${KEY_ID}"/></ContentProtection>`
    : "";
  const timeline = `<SegmentTimeline><S t="${first * SEGMENT_MS}" d="${SEGMENT_MS}" r="${count - 1}"/></SegmentTimeline>`;
  const template = `<SegmentTemplate timescale="${TIMESCALE}" startNumber="${first}" initialization="$RepresentationID$/init.mp4" media="${naming}$RepresentationID$/$Number$.m4s">${timeline}</SegmentTemplate>`;
  const timing = live
    ? `type="dynamic" availabilityStartTime="${timeOfDay(0, skewMs)}" publishTime="${timeOfDay(first + count, skewMs)}" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT${(count * SEGMENT_MS) / 1000}S" suggestedPresentationDelay="PT4S"`
    : `type="static" mediaPresentationDuration="PT${(count * SEGMENT_MS) / 1000}S"`;
  const clock = live ? `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="${new Date(now + skewMs).toISOString()}"/>` : "";
  const video = VIDEO_TRACKS.map(
    (name, index) =>
      `<Representation id="${name}" bandwidth="${TRACKS[name].bandwidth}" codecs="avc1.4d401e" width="${640 * (index + 1)}" height="${360 * (index + 1)}"/>`,
  ).join("");
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${timing} minBufferTime="PT4S" profiles="urn:mpeg:dash:profile:isoff-live:2011"><Period id="1" start="PT0S">
<AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true">${protection}${template}${video}</AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true">${protection}${template}<Representation id="${AUDIO_TRACK}" bandwidth="${TRACKS.a1.bandwidth}" codecs="mp4a.40.2"/></AdaptationSet>
</Period>${clock}</MPD>
`;
}

function box(type: string, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.length + 8);
  header.write(type, 4, "latin1");
  return Buffer.concat([header, content]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
}

/** The initialisation section: the same for clear and encrypted, as packagers leave it. */
export function initSection(track: TrackName): Buffer {
  const brand = box("ftyp", Buffer.from("iso6"), words(0), Buffer.from("iso6cmfc"));
  const movie = box("mvhd", words(0, 0, 0, TIMESCALE, 0), Buffer.alloc(80));
  const header = box("tkhd", words(7, 0, 0, TRACKS[track].video ? 1 : 2, 0), Buffer.alloc(64));
  return Buffer.concat([brand, box("moov", movie, box("trak", header), box("mvex", box("trex", words(0, 1, 1, SEGMENT_MS, 0, 0))))]);
}

const NOISE = createHash("shake256", { outputLength: 65_536 }).update("paircast bench pictures").digest();
const cache = new Map<string, Buffer>();
const CACHED = 400;

/** A media segment by its number; any number, so that a window may stand anywhere. */
export function mediaSegment(track: TrackName, number: number, encrypted: boolean): Buffer {
  const name = `${track}/${number}/${String(encrypted)}`;
  const known = cache.get(name);
  if (known !== undefined) return known;
  const made = encrypted ? encrypt(clearSegment(track, number)) : clearSegment(track, number);
  cache.set(name, made);
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHED) break;
    cache.delete(oldest);
  }
  return made;
}

function clearSegment(track: TrackName, number: number): Buffer {
  const time = number * SEGMENT_MS;
  const decodeTime = box("tfdt", words(0x01000000, Math.floor(time / 0x1_0000_0000), time % 0x1_0000_0000));
  const fragment = box("traf", box("tfhd", words(0x020000, 1)), decodeTime, box("trun", words(1, 1, 0)));
  const movie = box("moof", box("mfhd", words(0, number)), fragment);
  return Buffer.concat([movie, box("mdat", NOISE.subarray(0, TRACKS[track].bytes - movie.length - 8))]);
}

function encrypt(clear: Buffer): Buffer {
  const cipher = createCipheriv("aes-128-cbc", KEY, IV);
  return Buffer.concat([cipher.update(clear), cipher.final()]);
}

/** What a path below a video asks for; null for what was never published. */
export type Asked =
  | { readonly type: "master" }
  | { readonly type: "mpd" }
  | { readonly type: "playlist"; readonly track: TrackName }
  | { readonly type: "init"; readonly track: TrackName }
  | { readonly type: "segment"; readonly track: TrackName; readonly number: number };

/** Reads a path such as `v1/20.m4s` or `g7/v1/20.m4s`. */
export function readPath(path: string): Asked | null {
  if (path === "master.m3u8") return { type: "master" };
  if (path === "manifest.mpd") return { type: "mpd" };
  const [, playlist] = /^(v1|v2|a1)\.m3u8$/.exec(path) ?? [];
  if (playlist !== undefined) return { type: "playlist", track: playlist as TrackName };
  const [, track, name] = /^(?:g\d+\/)?(v1|v2|a1)\/(init\.mp4|\d+\.m4s)$/.exec(path) ?? [];
  if (track === undefined || name === undefined) return null;
  return name === "init.mp4"
    ? { type: "init", track: track as TrackName }
    : { type: "segment", track: track as TrackName, number: Number.parseInt(name, 10) };
}
