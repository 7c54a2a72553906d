/** Whether a live playlist goes on as it must: one step for each read of it. Pure. */
import type { PlaylistTimeline, TimelineSegment, WatchedPlaylist } from "../../core/playback/timeline.ts";

export interface ProgressFault {
  readonly reason: "stale" | "regressed" | "rewritten";
  readonly detail: string;
}

/** What is remembered of a playlist. Times are monotonic milliseconds. */
export interface ProgressState {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** When the newest segment was first seen. */
  readonly advancedAt: number;
  /** The newest segments as they were first published, oldest first. */
  readonly published: readonly TimelineSegment[];
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastTime: number | null;
  readonly publishedAt: number | null;
  /** Segments listed at a time. */
  readonly count: number;
  /** While the playlist contradicts what is remembered: what it would be as a stream of its own. */
  readonly rival: ProgressState | null;
  /** When this began to be remembered. */
  readonly begunAt: number;
}

export interface ProgressStep {
  /** Null once the stream has ended, and while there is nothing to remember. */
  readonly state: ProgressState | null;
  readonly fault: ProgressFault | null;
  /** Monotonic time from which the playlist is stale if it has not gone on by then; null where it cannot become so. */
  readonly staleAt: number | null;
}

/** Playlists may list hours; what has moved so far from the live edge is not looked at again. */
const REMEMBERED = 128;
/** Durations are rounded by packagers. */
const DURATION_TOLERANCE_MS = 20;
const CLOCK_TOLERANCE_MS = 1_000;
/** An encoder that starts again from 0 never catches up: after this many target durations of good progress it is a stream of its own. */
const ACCEPTED_AFTER = 15;
/** RFC 8216, 6.2.2 forbids to remove segments below three target durations. Segments are a little shorter than the target: half of one is granted. */
const SHORTEST_WINDOW = 2.5;

/** Takes in one read. Reads may come out of order; one that could be older than what is known says nothing. */
export function progress(state: ProgressState | null, read: WatchedPlaylist): ProgressStep {
  const { timeline } = read;
  if (timeline.ended || !timeline.listed || timeline.segments.length === 0) return { state: null, fault: null, staleAt: null };
  if (state === null) return begun(read);
  const contradiction = contradicted(state, timeline);
  if (contradiction === null) return continued(state, read);
  return read.askedAt < state.answeredAt ? { state, fault: null, staleAt: null } : disputed(state, contradiction, read);
}

function continued(state: ProgressState, read: WatchedPlaylist): ProgressStep {
  const { timeline, askedAt } = read;
  // What has caught up was on its way.
  const advances = state.rival !== null || isAdvance(state, timeline);
  const next = goneOn(state, read, advances);
  const staleAt = next.advancedAt + allowedMs(timeline);
  return { state: next, fault: !advances && askedAt > staleAt ? stale(next, read) : null, staleAt };
}

/**
 * How long a playlist may stay as it is. HLS: 1.5 target durations (RFC 8216, 6.2.1). DASH: an update period and a segment, which may not be
 * less than a segment and a half.
 */
export function allowedMs({ protocol, targetMs, updateMs }: PlaylistTimeline): number {
  if (protocol === "hls") return 1.5 * targetMs;
  return Math.max((updateMs ?? targetMs) + targetMs, 1.5 * targetMs);
}

function begun(read: WatchedPlaylist): ProgressStep {
  const { timeline, askedAt, answeredAt } = read;
  const published = timeline.segments.slice(-REMEMBERED);
  const state: ProgressState = {
    askedAt,
    answeredAt,
    advancedAt: answeredAt,
    published,
    ...edges(timeline),
    publishedAt: timeline.publishedAt,
    count: timeline.segments.length,
    rival: null,
    begunAt: answeredAt,
  };
  return { state, fault: null, staleAt: answeredAt + allowedMs(timeline) };
}

function edges({ segments }: PlaylistTimeline): Pick<ProgressState, "firstAt" | "lastAt" | "lastTime"> {
  const last = segments.at(-1);
  return { firstAt: segments[0]?.at ?? 0, lastAt: last?.at ?? 0, lastTime: last?.programDateTime ?? null };
}

/** A list that grows while its time stands still repeats itself. */
function isAdvance(state: ProgressState, timeline: PlaylistTimeline): boolean {
  const { lastAt, lastTime } = edges(timeline);
  return lastAt > state.lastAt && (lastTime === null || state.lastTime === null || lastTime !== state.lastTime);
}

function goneOn(state: ProgressState, { timeline, askedAt, answeredAt }: WatchedPlaylist, advances: boolean): ProgressState {
  const added = timeline.segments.filter(({ at }) => at > state.lastAt);
  return {
    ...state,
    askedAt: Math.max(state.askedAt, askedAt),
    answeredAt: Math.max(state.answeredAt, answeredAt),
    advancedAt: advances ? answeredAt : state.advancedAt,
    published: added.length === 0 ? state.published : [...state.published, ...added].slice(-REMEMBERED),
    ...edges(timeline),
    publishedAt: timeline.publishedAt ?? state.publishedAt,
    count: timeline.segments.length,
    rival: null,
  };
}

function stale(state: ProgressState, { timeline, track, askedAt }: WatchedPlaylist): ProgressFault {
  const since = seconds(askedAt - state.advancedAt);
  return {
    reason: "stale",
    detail: `${track}: nothing new after ${place(timeline.protocol, state.lastAt)} for ${since}, allowed are ${seconds(allowedMs(timeline))}`,
  };
}

/** What is remembered stays the measure until the playlist has caught up with it, or has shown that it goes on well from elsewhere. */
function disputed(state: ProgressState, { reason, detail }: ProgressFault, read: WatchedPlaylist): ProgressStep {
  const step = progress(state.rival, read);
  const rival = step.fault === null ? step.state : begun(read).state;
  const isProven = rival !== null && read.answeredAt - rival.begunAt >= ACCEPTED_AFTER * read.timeline.targetMs;
  if (isProven) return { state: rival, fault: null, staleAt: step.staleAt };
  const fault = { reason, detail: `${read.track}: ${detail}` };
  return { state: { ...state, askedAt: read.askedAt, answeredAt: read.answeredAt, rival }, fault, staleAt: null };
}

function contradicted(state: ProgressState, timeline: PlaylistTimeline): ProgressFault | null {
  const back = wentBack(state, timeline) ?? shrank(state, timeline);
  if (back !== null) return { reason: "regressed", detail: back };
  const changed = rewritten(state, timeline);
  return changed === null ? null : { reason: "rewritten", detail: changed };
}

function wentBack(state: ProgressState, timeline: PlaylistTimeline): string | null {
  const { protocol, publishedAt } = timeline;
  const { firstAt, lastAt } = edges(timeline);
  if (lastAt < state.lastAt) return `went back from ${place(protocol, state.lastAt)} to ${place(protocol, lastAt)}`;
  if (protocol === "hls" && firstAt < state.firstAt) return `media sequence went back from ${state.firstAt} to ${firstAt}`;
  if (publishedAt !== null && state.publishedAt !== null && publishedAt < state.publishedAt)
    return `was published ${seconds(state.publishedAt - publishedAt)} before the one read earlier`;
  return timeWentBack(state, timeline);
}

/** A discontinuity may set another time. */
function timeWentBack(state: ProgressState, timeline: PlaylistTimeline): string | null {
  const { lastTime } = edges(timeline);
  if (lastTime === null || state.lastTime === null || lastTime >= state.lastTime - CLOCK_TOLERANCE_MS) return null;
  if (timeline.segments.some(({ at, discontinuity }) => at > state.lastAt && discontinuity)) return null;
  return `program date-time went back by ${seconds(state.lastTime - lastTime)}`;
}

function shrank({ count }: ProgressState, { protocol, segments, targetMs }: PlaylistTimeline): string | null {
  if (protocol !== "hls" || segments.length >= count) return null;
  const lengthMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
  if (lengthMs >= SHORTEST_WINDOW * targetMs) return null;
  return `shrank from ${count} segments to ${segments.length}, which last ${seconds(lengthMs)}`;
}

function rewritten({ published, lastAt }: ProgressState, { protocol, segments }: PlaylistTimeline): string | null {
  const known = new Map(published.map((segment) => [segment.at, segment]));
  const from = published[0]?.at ?? Infinity;
  for (const [index, segment] of segments.entries()) {
    if (segment.at < from || segment.at > lastAt) continue;
    const change = difference(known.get(segment.at), segment, index === 0);
    if (change !== null) return `${place(protocol, segment.at)} was published with ${change}`;
  }
  return null;
}

/** The first segment may lose its discontinuity tag to EXT-X-DISCONTINUITY-SEQUENCE. */
function difference(before: TimelineSegment | undefined, now: TimelineSegment, isFirst: boolean): string | null {
  if (before === undefined) return "other bounds";
  if (before.name !== now.name) return `another address (${before.name}, now ${now.name})`;
  if (Math.abs(before.durationMs - now.durationMs) > DURATION_TOLERANCE_MS) return `${before.durationMs} ms, now ${now.durationMs} ms`;
  return before.discontinuity !== now.discontinuity && !isFirst ? "another discontinuity" : null;
}

function place(protocol: PlaylistTimeline["protocol"], at: number): string {
  return protocol === "hls" ? `segment ${at}` : `${seconds(at)} of the timeline`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
