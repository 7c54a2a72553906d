/** Fetches and parses manifests and playlists, with the time at which each was read. */
import type { Clock } from "../clock.ts";
import { withoutQuery } from "../http.ts";
import type { HttpAnswer } from "../ports/http.ts";
import { PlaybackFailure } from "./failure.ts";
import { get, type GetOptions } from "./get.ts";
import { parseManifest, parseMediaPlaylist } from "./manifest.ts";
import type { Media, ParsedManifest, Track } from "./media.ts";
import type { PlaylistTimeline } from "./timeline.ts";

const MANIFEST_BYTES = 2 * 1024 * 1024;

export interface ReadOptions extends GetOptions {
  /** Its query is sent with the manifest only, as players do. */
  readonly manifestUrl: string;
  /** Times of the reads, and how far a live DASH template has come. Left out: reads have no times, and the process's own clock counts. */
  readonly clock?: Pick<Clock, "now" | "monotonic">;
}

/** When something was asked for and answered, in monotonic milliseconds; both 0 without a clock. */
export interface ReadTimes {
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface ReadManifest extends ParsedManifest, ReadTimes {
  readonly url: string;
}

export interface ReadMedia extends ReadTimes {
  readonly media: Media;
  readonly url: string;
}

/** Rejects with `PlaybackFailure`. */
export async function readManifest(options: ReadOptions): Promise<ReadManifest> {
  const askedAt = monotonic(options);
  const { url, answer } = await get(options, { step: "manifest", url: options.manifestUrl, range: null, maxBytes: MANIFEST_BYTES });
  const manifest = parseManifest(Buffer.from(answer.body).toString("utf8"), url, templateTime(options, answer));
  if (manifest !== null) return { ...manifest, url, askedAt, answeredAt: monotonic(options) };
  throw new PlaybackFailure(
    "body",
    "manifest",
    `manifest ${withoutQuery(url)} is neither an HLS playlist nor an MPD${typed(answer.headers)}`,
  );
}

/** The track's segments as they are listed, from the manifest or from a playlist of its own. Rejects with `PlaybackFailure`. */
export async function readMedia(options: ReadOptions, manifest: ReadManifest, track: Track): Promise<ReadMedia> {
  const { url, askedAt, answeredAt } = manifest;
  if (track.media !== null) return { media: track.media, url, askedAt, answeredAt };
  return readPlaylist(options, track.url);
}

async function readPlaylist(options: ReadOptions, playlistUrl: string): Promise<ReadMedia> {
  const askedAt = monotonic(options);
  const { url, answer } = await get(options, { step: "playlist", url: playlistUrl, range: null, maxBytes: MANIFEST_BYTES });
  const media = parseMediaPlaylist(Buffer.from(answer.body).toString("utf8"), url);
  if (media !== null) return { media, url, askedAt, answeredAt: monotonic(options) };
  throw new PlaybackFailure("body", "playlist", `playlist ${withoutQuery(url)} is no media playlist${typed(answer.headers)}`);
}

function monotonic({ clock }: ReadOptions): number {
  return clock?.monotonic() ?? 0;
}

/** The earlier one of both clocks: a segment that only one of them believes in is not missed yet. */
function templateTime({ clock }: ReadOptions, answer: HttpAnswer): number | undefined {
  if (clock === undefined) return undefined;
  return Math.min(clock.now(), serverTime(answer.headers) ?? Infinity);
}

/** The server's time when it answered, whole seconds in epoch milliseconds; null where it does not say. A cache tells how old its answer is. */
export function serverTime(headers: Readonly<Record<string, string>>): number | null {
  const time = Date.parse(headers["date"] ?? "") + Number(headers["age"] ?? 0) * 1000;
  return Number.isFinite(time) ? time : null;
}

function typed(headers: Readonly<Record<string, string>>): string {
  const type = headers["content-type"];
  return type === undefined ? "" : ` (content type ${type.slice(0, 60)})`;
}

/** Names of the tracks, for people: the same at every read, and each once. Redundant variants differ in nothing but their place. */
export function trackNames(tracks: readonly Track[]): ReadonlyMap<Track, string> {
  const seen = new Map<string, number>();
  return new Map(
    tracks.map((track) => {
      const plain = `${track.kind} ${track.name}`;
      const count = (seen.get(plain) ?? 0) + 1;
      seen.set(plain, count);
      return [track, count === 1 ? plain : `${plain} (${count})`];
    }),
  );
}

/** `url` is the playlist's, or the MPD's. */
export function timelineOf(media: Media, url: string, protocol: PlaylistTimeline["protocol"]): PlaylistTimeline {
  const folder = new URL(".", url).href;
  const segments = media.segments.map(({ url: at, range, ...segment }) => ({
    at: segment.at,
    name: relativeName(at, folder) + (range === null ? "" : `@${range.offset}+${range.length}`),
    durationMs: segment.durationMs,
    discontinuity: segment.discontinuity,
    programDateTime: segment.programDateTime,
  }));
  const longest = segments.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  const { live, targetMs, updateMs, publishedAt, listed } = media;
  return { protocol, ended: !live, targetMs: targetMs ?? longest, updateMs, publishedAt, listed, segments };
}

function relativeName(url: string, folder: string): string {
  const path = withoutQuery(url);
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}
