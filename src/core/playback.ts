/**
 * Walks a published video as a player would: manifest, one variant's playlist, initialisation section, one segment. Verification after
 * replication and the streaming probe of health see through the same eyes.
 */
import { PlaybackFailure } from "./playback/failure.ts";
import { withSegments } from "./playback/indexed.ts";
import type { Media, PlaybackKey, Protocol, Track } from "./playback/media.ts";
import { readPart, type PartSample } from "./playback/part.ts";
import { readManifest, readMedia, timelineOf, trackNames, type ReadManifest, type ReadMedia, type ReadOptions } from "./playback/read.ts";
import type { WatchedPlaylist } from "./playback/timeline.ts";
import { withoutQuery } from "./http.ts";

/** Playlists of one live video that are watched at a time. */
const MOST_WATCHED = 16;

export interface TrackOptions extends ReadOptions {
  /** Which segment; a number is taken modulo their number. Default `first`; `last` is the newest of a live stream. */
  readonly segment?: "first" | "last" | number;
  /** Read the segment to its end instead of its first 64 KB. */
  readonly whole?: boolean;
  /** The content key of an AES-128 segment, which is then decrypted and looked at; null where it cannot be had. What it throws is passed on. */
  readonly contentKey?: (key: PlaybackKey) => Promise<Uint8Array | null>;
}

export interface WalkOptions extends TrackOptions {
  /** Which of `variants`, modulo their number: count up to visit them in turn. Default 0. */
  readonly variant?: number;
}

/** A variant or an audio rendition that can be asked for. */
export type PlayableVariant = Omit<Track, "media">;

export interface SegmentSample extends PartSample {
  /** Place among the listed segments, from 0. */
  readonly index: number;
  readonly durationMs: number;
}

/** What the walk saw of one variant. */
export interface TrackPlayback {
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

export interface Playback extends TrackPlayback {
  readonly protocol: Protocol;
  /** Variants first, then audio renditions. */
  readonly variants: readonly PlayableVariant[];
}

/**
 * Walks the video and describes it. At most five requests, and three redirects for each, within the client's origins only.
 * Rejects with `PlaybackFailure` (reason and step), or with the reason of `signal` once that has aborted.
 */
export async function walkPlayback(options: WalkOptions): Promise<Playback> {
  const manifest = await readPlayable(options);
  const track = at(manifest.tracks, options.variant ?? 0);
  if (track === undefined) throw noVariant(options);
  const read = await readMedia(options, manifest, track);
  return { protocol: manifest.protocol, variants: manifest.tracks.map(described), ...(await walkTrack(options, track, read.media)) };
}

/** What the walk through a whole video saw. */
export interface RenditionsPlayback {
  readonly protocol: Protocol;
  readonly renditions: number;
  readonly segments: number;
  /** For people: `6 renditions, 18 segments: decrypted`. */
  readonly segment: { readonly evidence: string };
}

/**
 * Walks every variant and audio rendition: its initialisation section and its first, middle and last segment; of a live one, the newest. Rejects as
 * `walkPlayback` does, at the first fault.
 */
export async function walkRenditions(options: Omit<WalkOptions, "segment" | "variant">): Promise<RenditionsPlayback> {
  const manifest = await readPlayable(options);
  const evidence = new Set<string>();
  let segments = 0;
  for (const track of manifest.tracks) {
    const { media } = await readMedia(options, manifest, track);
    const listed = await withSegments(options, media, track.url);
    for (const segment of placesIn(listed)) {
      evidence.add((await walkTrack({ ...options, segment }, track, listed)).segment.evidence);
      segments += 1;
    }
  }
  const renditions = manifest.tracks.length;
  const said = `${renditions} renditions, ${segments} segments: ${[...evidence].sort().join(" and ")}`;
  return { protocol: manifest.protocol, renditions, segments, segment: { evidence: said } };
}

/** Indexes of start, middle and end, each once. A segment of a live window may be gone by the time that it is asked for, unless it is new. */
function placesIn({ live, segments }: Media): readonly ("last" | number)[] {
  if (live || segments.length === 0) return ["last"];
  const last = segments.length - 1;
  return [...new Set([0, Math.floor(last / 2), last])];
}

export interface KindsOptions extends TrackOptions {
  /** Which variant and which audio rendition, modulo their number. */
  readonly turn: Readonly<Record<Track["kind"], number>>;
}

/** What the walk saw of a video's kinds of media. */
export interface KindsPlayback {
  readonly protocol: Protocol;
  /** One of each kind that there is, video first. */
  readonly played: readonly TrackPlayback[];
  /** Where the playlists of a live video stand, all of them; empty for one that has ended. */
  readonly watched: readonly WatchedPlaylist[];
}

/** As `walkPlayback`, through one variant and one audio rendition at a time. Of a live video, the other playlists are read too. */
export async function walkKinds(options: KindsOptions): Promise<KindsPlayback> {
  const manifest = await readPlayable(options);
  const chosen = (["video", "audio"] as const).flatMap((kind) => {
    const ofKind = manifest.tracks.filter((track) => track.kind === kind);
    return at(ofKind, options.turn[kind]) ?? [];
  });
  const reads = await Promise.all(chosen.map(async (track) => readMedia(options, manifest, track)));
  const isLive = reads.some(({ media }) => media.live);
  const others = isLive ? manifest.tracks.filter((track) => !chosen.includes(track)).slice(0, MOST_WATCHED - chosen.length) : [];
  const [played, otherReads] = await Promise.all([
    Promise.all(chosen.map(async (track, index) => walkRead(options, track, reads[index]))),
    Promise.all(others.map(async (track) => readMedia(options, manifest, track))),
  ]);
  const watched = isLive ? watchedPlaylists(manifest, [...chosen, ...others], [...reads, ...otherReads]) : [];
  return { protocol: manifest.protocol, played: played.flatMap((track) => track ?? []), watched };
}

async function walkRead(options: KindsOptions, track: Track, read: ReadMedia | undefined): Promise<TrackPlayback | null> {
  return read === undefined ? null : walkTrack(options, track, read.media);
}

function watchedPlaylists(manifest: ReadManifest, tracks: readonly Track[], reads: readonly ReadMedia[]): WatchedPlaylist[] {
  const names = trackNames(manifest.tracks);
  return reads.map(({ media, url, askedAt, answeredAt }, index) => {
    const track = tracks[index];
    const name = track === undefined ? undefined : names.get(track);
    return { track: name ?? "", timeline: timelineOf(media, url, manifest.protocol), askedAt, answeredAt };
  });
}

async function readPlayable(options: TrackOptions): Promise<ReadManifest> {
  const manifest = await readManifest(options);
  if (manifest.tracks.length === 0) throw noVariant(options);
  return manifest;
}

function noVariant({ manifestUrl }: TrackOptions): PlaybackFailure {
  return new PlaybackFailure("body", "manifest", `manifest ${withoutQuery(manifestUrl)} lists no variant`);
}

function described({ kind, name, bandwidth, codecs, url }: Track): PlayableVariant {
  return { kind, name, bandwidth, codecs, url };
}

async function walkTrack(options: TrackOptions, track: Track, listed: Media): Promise<TrackPlayback> {
  const media = await withSegments(options, listed, track.url);
  const index = segmentIndex(options.segment ?? "first", media);
  const segment = media.segments[index];
  if (segment === undefined) throw new PlaybackFailure("segment", "playlist", `playlist ${withoutQuery(track.url)} lists no segment`);
  const [init, sample] = await Promise.allSettled([
    segment.init === null ? null : readPart(options, "init", segment.init, true),
    readPart(options, "segment", segment, options.whole === true),
  ]);
  if (init.status === "rejected") throw init.reason;
  if (sample.status === "rejected") throw sample.reason;
  return {
    variant: described(track),
    live: media.live,
    segments: media.segments.length,
    durationMs: media.segments.reduce((sum, { durationMs }) => sum + durationMs, 0),
    init: init.value,
    segment: { ...sample.value, index, durationMs: segment.durationMs },
    key: segment.key,
  };
}

function at<T>(items: readonly T[], index: number): T | undefined {
  return items[modulo(index, items.length)];
}

function modulo(value: number, count: number): number {
  return count === 0 ? 0 : ((value % count) + count) % count;
}

function segmentIndex(wanted: "first" | "last" | number, { segments: { length }, live, listed }: Media): number {
  if (wanted === "first") return 0;
  if (wanted !== "last") return modulo(wanted, length);
  // A template promises its newest segment for this very moment; publishing it takes one.
  return live && !listed && length > 1 ? length - 2 : length - 1;
}
