/**
 * Whether two regions' copies of a video are one to a player that is in the middle of it: the same segments under the same names at the same
 * places, the same keys, one timeline. Pure.
 */
import type { PlaylistTimeline, TimelineSegment } from "./timeline.ts";

export interface DescribedTrack {
  /** For people, and the same in every region: `video 800 kbit/s`. */
  readonly name: string;
  readonly codecs: string | null;
  readonly timeline: PlaylistTimeline;
  /** Identities of its keys, in the order of their first use. */
  readonly keys: readonly string[];
}

export interface DescribedVideo {
  readonly protocol: PlaylistTimeline["protocol"];
  /** Key ids of a sample encryption, sorted. */
  readonly keyIds: readonly string[];
  readonly tracks: readonly DescribedTrack[];
}

const MOST_REASONS = 5;
/** Durations and times are rounded by packagers. */
const DURATION_TOLERANCE_MS = 20;
/** More than this is heard between picture and sound. */
const TIME_TOLERANCE_MS = 100;

/** What sets the two apart, for people, the first few of it; empty where they are aligned. */
export function misalignments(one: DescribedVideo, other: DescribedVideo): readonly string[] {
  if (one.protocol !== other.protocol) return [`${one.protocol} and ${other.protocol}`];
  const reasons = [...sameList("content key ids", one.keyIds, other.keyIds), ...differentTracks(one, other)];
  for (const track of one.tracks) {
    const match = other.tracks.find(({ name }) => name === track.name);
    if (match !== undefined) reasons.push(...trackReasons(track, match).map((reason) => `${track.name}: ${reason}`));
  }
  return reasons.slice(0, MOST_REASONS);
}

function differentTracks(one: DescribedVideo, other: DescribedVideo): string[] {
  const names = (video: DescribedVideo): string[] => video.tracks.map(({ name }) => name).sort();
  return sameList("tracks", names(one), names(other));
}

function sameList(what: string, one: readonly string[], other: readonly string[]): string[] {
  return one.join() === other.join() ? [] : [`${what}: ${one.join(", ") || "none"} and ${other.join(", ") || "none"}`];
}

/** The first difference of a track: what follows from it is not worth telling. */
function trackReasons(one: DescribedTrack, other: DescribedTrack): string[] {
  if (one.codecs !== other.codecs) return [`codecs ${one.codecs ?? "unknown"} and ${other.codecs ?? "unknown"}`];
  const keys = sameList("keys", one.keys, other.keys);
  if (keys.length > 0) return keys;
  if (one.timeline.ended !== other.timeline.ended) return ["live in one region only"];
  const reason = one.timeline.ended ? sameSegments(one.timeline, other.timeline) : overlapping(one.timeline, other.timeline);
  return reason === null ? [] : [reason];
}

function sameSegments({ segments }: PlaylistTimeline, { segments: others }: PlaylistTimeline): string | null {
  for (const [index, segment] of segments.entries()) {
    const other = others[index];
    const reason = other === undefined ? null : difference(segment, other);
    if (reason !== null) return `segment ${index + 1}: ${reason}`;
  }
  return segments.length === others.length ? null : `${segments.length} and ${others.length} segments`;
}

/** Of two live windows, one may be some segments ahead; what both list has to be the same. */
function overlapping(one: PlaylistTimeline, other: PlaylistTimeline): string | null {
  const known = new Map(other.segments.map((segment) => [segment.at, segment]));
  let common = 0;
  for (const segment of one.segments) {
    const match = known.get(segment.at);
    if (match === undefined) continue;
    common += 1;
    const reason = difference(segment, match);
    if (reason !== null) return `segment at ${segment.at}: ${reason}`;
  }
  return common > 0
    ? null
    : `no segment in common, the newest are at ${one.segments.at(-1)?.at ?? "none"} and ${other.segments.at(-1)?.at ?? "none"}`;
}

function difference(one: TimelineSegment, other: TimelineSegment): string | null {
  if (one.at !== other.at) return `begins at ${one.at} and ${other.at}`;
  if (one.name !== other.name) return `named ${one.name} and ${other.name}`;
  if (Math.abs(one.durationMs - other.durationMs) > DURATION_TOLERANCE_MS) return `lasts ${one.durationMs} and ${other.durationMs} ms`;
  if (one.discontinuity !== other.discontinuity) return "a discontinuity in one region only";
  const drift = one.programDateTime === null || other.programDateTime === null ? 0 : Math.abs(one.programDateTime - other.programDateTime);
  return drift > TIME_TOLERANCE_MS ? `its times of day are ${drift} ms apart` : null;
}
