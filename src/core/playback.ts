/**
 * Walks a published video as a player would: manifest, one variant's playlist, initialisation section, one segment. Verification after
 * replication and the streaming probe of health see through the same eyes.
 */
import { PlaybackFailure } from "./playback/failure.ts";
import { get, type GetOptions } from "./playback/get.ts";
import {
  parseManifest,
  parseMediaPlaylist,
  type Media,
  type MediaPart,
  type MediaSegment,
  type ParsedManifest,
  type PlaybackKey,
  type Protocol,
  type Track,
} from "./playback/manifest.ts";
import { readPart, type PartSample } from "./playback/part.ts";
import { indexedRanges } from "./playback/segmentIndex.ts";
import { withoutQuery } from "./http.ts";

const MANIFEST_BYTES = 2 * 1024 * 1024;

export interface WalkOptions extends GetOptions {
  /** Its query is sent with the manifest only, as players do. */
  readonly manifestUrl: string;
  /** Which of `variants`, modulo their number: count up to visit them in turn. Default 0. */
  readonly variant?: number;
  /** Which segment; a number is taken modulo their number. Default `first`; `last` is the newest of a live stream. */
  readonly segment?: "first" | "last" | number;
  /** Read the segment to its end instead of its first 64 KB. */
  readonly whole?: boolean;
  /** The content key of an AES-128 segment, which is then decrypted and looked at; null where it cannot be had. What it throws is passed on. */
  readonly contentKey?: (key: PlaybackKey) => Promise<Uint8Array | null>;
}

/** A variant or an audio rendition that can be asked for. */
export type PlayableVariant = Omit<Track, "media">;

export interface SegmentSample extends PartSample {
  /** Place among the listed segments, from 0. */
  readonly index: number;
  readonly durationMs: number;
}

/** What the walk saw. */
export interface Playback {
  readonly protocol: Protocol;
  /** Variants first, then audio renditions. */
  readonly variants: readonly PlayableVariant[];
  /** The one that was walked. */
  readonly variant: PlayableVariant;
  readonly live: boolean;
  readonly segments: number;
  /** Sum of the listed segments. */
  readonly durationMs: number;
  readonly init: PartSample | null;
  readonly segment: SegmentSample;
  /** The key of the segment, null where it is clear. */
  readonly key: PlaybackKey | null;
}

/**
 * Walks the video and describes it. At most five requests, and three redirects for each, within the client's origins only.
 * Rejects with `PlaybackFailure` (reason and step), or with the reason of `signal` once that has aborted.
 */
export async function walkPlayback(options: WalkOptions): Promise<Playback> {
  const manifest = await readManifest(options);
  const track = manifest.tracks[modulo(options.variant ?? 0, manifest.tracks.length)];
  if (track === undefined) throw new PlaybackFailure("body", "manifest", `manifest ${withoutQuery(options.manifestUrl)} lists no variant`);
  const media = await withSegments(options, track.media ?? (await readPlaylist(options, track.url)), track.url);
  const index = segmentIndex(options.segment ?? "first", media.segments.length);
  const segment = media.segments[index];
  if (segment === undefined) throw new PlaybackFailure("segment", "playlist", `playlist ${withoutQuery(track.url)} lists no segment`);
  const init = segment.init === null ? null : await readPart(options, "init", segment.init, true);
  const sample = await readPart(options, "segment", segment, options.whole === true);
  return {
    protocol: manifest.protocol,
    variants: manifest.tracks.map(described),
    variant: described(track),
    live: media.live,
    segments: media.segments.length,
    durationMs: media.segments.reduce((sum, { durationMs }) => sum + durationMs, 0),
    init,
    segment: { ...sample, index, durationMs: segment.durationMs },
    key: segment.key,
  };
}

function described({ kind, name, bandwidth, codecs, url }: Track): PlayableVariant {
  return { kind, name, bandwidth, codecs, url };
}

function modulo(value: number, count: number): number {
  return count === 0 ? 0 : ((value % count) + count) % count;
}

function segmentIndex(wanted: "first" | "last" | number, count: number): number {
  if (wanted === "first") return 0;
  return wanted === "last" ? count - 1 : modulo(wanted, count);
}

async function readManifest(options: WalkOptions): Promise<ParsedManifest> {
  const { url, answer } = await get(options, { step: "manifest", url: options.manifestUrl, range: null, maxBytes: MANIFEST_BYTES });
  const manifest = parseManifest(Buffer.from(answer.body).toString("utf8"), url);
  if (manifest !== null) return manifest;
  throw new PlaybackFailure(
    "body",
    "manifest",
    `manifest ${withoutQuery(url)} is neither an HLS playlist nor an MPD${typed(answer.headers)}`,
  );
}

async function readPlaylist(options: WalkOptions, playlistUrl: string): Promise<Media> {
  const { url, answer } = await get(options, { step: "playlist", url: playlistUrl, range: null, maxBytes: MANIFEST_BYTES });
  const media = parseMediaPlaylist(Buffer.from(answer.body).toString("utf8"), url);
  if (media !== null) return media;
  throw new PlaybackFailure("body", "playlist", `playlist ${withoutQuery(url)} is no media playlist${typed(answer.headers)}`);
}

function typed(headers: Readonly<Record<string, string>>): string {
  const type = headers["content-type"];
  return type === undefined ? "" : ` (content type ${type.slice(0, 60)})`;
}

/** Fetches the index box where the segments stand in one. */
async function withSegments(options: WalkOptions, media: Media, url: string): Promise<Media> {
  if (media.index === null || media.segments.length > 0) return media;
  const { part, init } = media.index;
  const { content } = await readPart(options, "index", part, true);
  const ranges = indexedRanges(content, part.range?.offset ?? 0);
  if (ranges === null) throw new PlaybackFailure("segment", "index", `index of ${withoutQuery(url)} is no segment index box`);
  const segments = ranges.map(({ durationMs, offset, length }) => indexedSegment(part, init, { offset, length }, durationMs));
  return { ...media, segments };
}

function indexedSegment(part: MediaPart, init: MediaPart | null, range: MediaPart["range"], durationMs: number): MediaSegment {
  return { url: part.url, range, key: init?.key ?? null, durationMs, init };
}
