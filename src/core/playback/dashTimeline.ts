/**
 * How many segments an MPD means, before the parser makes one object of each: it takes an entry that repeats without a count (`S@r="-1"`,
 * ISO/IEC 23009-1, 5.3.9.6) for less or more than it is, and any number of segments for a number that fits into memory. Pure.
 */

/** One `S`. */
export interface TimelineEntry {
  readonly t?: number;
  readonly d: number;
  readonly r?: number;
}

/** What a representation has inherited from MPD and period; times in seconds, `NOW` in milliseconds. */
export interface Inherited {
  readonly type?: string;
  readonly NOW: number;
  readonly availabilityStartTime?: number;
  readonly periodStart?: number | null;
  readonly periodDuration?: number;
  readonly sourceDuration?: number;
  readonly timeShiftBufferDepth?: number;
}

/** What stands at SegmentTemplate or SegmentList. Durations in units of the timescale. */
export interface Addressing {
  readonly timescale?: number;
  readonly duration?: number;
  readonly startNumber?: number;
  readonly endNumber?: string | number;
  readonly presentationTimeOffset?: number;
}

export interface SegmentInfo {
  readonly template?: Addressing;
  readonly list?: Addressing;
  readonly segmentTimeline?: readonly TimelineEntry[];
}

export interface Representation {
  readonly attributes: Inherited;
  readonly segmentInfo: SegmentInfo;
}

/** Segments of all representations: a day of two-second segments in ten variants has 432,000. */
const MOST_SEGMENTS = 500_000;
/** Of a representation whose segments follow from the clock: the newest, two hours and more of them. */
const MOST_FROM_CLOCK = 4_000;
/** Durations are rounded by packagers. */
const ROUNDING = 1e-6;

/** The parser counts by ones, which above this does not get on. */
const LARGEST_NUMBER = 2 ** 52;

/** The same with every entry counted and old segments of an endless stream left out. Throws a RangeError for more than can be meant. */
export function counted<T extends Representation>(representations: readonly T[]): T[] {
  const all = representations.map((each) => ({ ...each, ...settled(each) }));
  for (const each of all) refuseEndless(each);
  const total = all.reduce((sum, each) => sum + segmentsOf(each), 0);
  if (!(total <= MOST_SEGMENTS)) throw new RangeError(`an MPD of ${total} segments`);
  return all;
}

function settled({ attributes, segmentInfo }: Representation): Representation {
  const { segmentTimeline, template, list } = segmentInfo;
  const addressing = template ?? list ?? {};
  if (addressing.duration !== undefined && addressing.duration > 0) return { attributes: windowed(attributes, addressing), segmentInfo };
  if (segmentTimeline?.some(({ r = 0 }) => r < 0) !== true) return { attributes, segmentInfo };
  const { entries, dropped } = newest(closed(segmentTimeline, attributes, addressing));
  const startNumber = (addressing.startNumber ?? 1) + dropped;
  const moved = template === undefined ? {} : { template: { ...template, startNumber } };
  return { attributes, segmentInfo: { ...segmentInfo, segmentTimeline: entries, ...moved } };
}

/** A template by duration begins where the time-shift buffer does, and without one with the stream. */
function windowed(attributes: Inherited, { duration = 1, timescale = 1 }: Addressing): Inherited {
  if (attributes.type !== "dynamic") return attributes;
  const { timeShiftBufferDepth = Infinity } = attributes;
  return { ...attributes, timeShiftBufferDepth: Math.min(timeShiftBufferDepth, (MOST_FROM_CLOCK * duration) / timescale) };
}

function refuseEndless({ attributes, segmentInfo: { template, list } }: Representation): void {
  const { startNumber = 1, duration = Infinity, timescale = 1 } = template ?? list ?? {};
  const numbers = [startNumber, (passedIn(attributes) * timescale) / duration];
  if (numbers.some((each) => Math.abs(each) >= LARGEST_NUMBER)) throw new RangeError("an MPD of segment numbers that nobody can count to");
}

/** Seconds for which the period of a live stream has gone on. */
function passedIn({ type, NOW, availabilityStartTime = 0, periodStart }: Inherited): number {
  return type === "dynamic" ? NOW / 1000 - availabilityStartTime - (periodStart ?? 0) : 0;
}

interface Run {
  readonly t: number;
  readonly d: number;
  readonly count: number;
}

/** Every entry with its start and its count. */
function closed(timeline: readonly TimelineEntry[], attributes: Inherited, addressing: Addressing): Run[] {
  const runs: Run[] = [];
  let time = 0;
  for (const [index, { t = time, d, r = 0 }] of timeline.entries()) {
    const count = r < 0 ? openCount({ t, d }, timeline[index + 1], attributes, addressing) : r + 1;
    runs.push({ t, d, count });
    time = t + count * d;
  }
  return runs;
}

/** Until the next entry begins; behind the last one, until the period ends, or as far as a live stream has come. */
function openCount({ t, d }: Pick<Run, "t" | "d">, next: TimelineEntry | undefined, attributes: Inherited, addressing: Addressing): number {
  if (!(d > 0)) return 0;
  if (next !== undefined) return next.t === undefined ? 1 : atLeast(0, Math.ceil((next.t - t) / d - ROUNDING));
  const end = endOf(attributes, addressing);
  const live = attributes.type === "dynamic";
  return atLeast(live ? 0 : 1, live ? Math.floor((end - t) / d + ROUNDING) : Math.ceil((end - t) / d - ROUNDING));
}

/** End of the period, or of what is published of it by now, on the timeline of the media. NaN where the MPD does not say. */
function endOf(attributes: Inherited, { timescale = 1, presentationTimeOffset = 0 }: Addressing): number {
  const { type, NOW, availabilityStartTime = Number.NaN, periodStart, periodDuration, sourceDuration = 0 } = attributes;
  const start = periodStart ?? 0;
  const passed = type === "dynamic" ? NOW / 1000 - availabilityStartTime - start : Infinity;
  const whole = periodDuration ?? (sourceDuration > 0 ? sourceDuration - start : Infinity);
  return presentationTimeOffset + Math.min(passed, whole) * timescale;
}

function atLeast(least: number, count: number): number {
  return Number.isFinite(count) && count >= least ? count : least;
}

/** The last of them, and how many were left out before. */
function newest(runs: readonly Run[]): { readonly entries: TimelineEntry[]; readonly dropped: number } {
  const entries: TimelineEntry[] = [];
  let [room, total] = [MOST_FROM_CLOCK, 0];
  for (const { t, d, count } of runs.toReversed()) {
    const kept = Math.min(count, room);
    if (kept > 0) entries.unshift({ t: t + (count - kept) * d, d, r: kept - 1 });
    room -= kept;
    total += count;
  }
  return { entries, dropped: total - (MOST_FROM_CLOCK - room) };
}

/** How many objects the parser would make. */
function segmentsOf({ attributes, segmentInfo: { template, list, segmentTimeline } }: Representation): number {
  const addressing = template ?? list ?? {};
  if (addressing.duration !== undefined && addressing.duration > 0) return byDuration(attributes, addressing);
  return (segmentTimeline ?? [{ d: 1 }]).reduce((sum, { r = 0 }) => sum + r + 1, 0);
}

function byDuration(
  { type, periodDuration, sourceDuration = 0 }: Inherited,
  { duration = 1, timescale = 1, endNumber }: Addressing,
): number {
  const last = Number(endNumber);
  if (Number.isFinite(last)) return Math.max(0, last);
  return type === "dynamic" ? MOST_FROM_CLOCK : ((periodDuration ?? sourceDuration) * timescale) / duration;
}
