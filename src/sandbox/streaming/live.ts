/**
 * A live channel made of a recorded asset: its fragments are broadcast over and over, with time counted from 1970. What is on air follows from the
 * clock alone, so the regions of a sandbox are aligned without talking to one another. Pure.
 */
import type { Fragment, TrackIndex } from "./trackIndex.ts";

/** A fragment on air. */
export interface Broadcast {
  /** Counts up by one for each fragment of the track since 1970: the HLS media sequence number. */
  readonly number: number;
  /** The fragment with its time on air, in `timescale`. */
  readonly fragment: Fragment;
  /** What has to be added to the decode times in the file. */
  readonly shift: number;
}

/** Fragments in a live window; DASH keeps as many. */
export const WINDOW = 6;
/** A player may still ask for what has just left the window. */
const GRACE = 3;

/**
 * Length of one round, in milliseconds: that of the first track, which all others are cut to or wait for.
 * @param tracks in the order of the server manifest, video first
 */
export function roundMs(tracks: readonly TrackIndex[]): number {
  const [first] = tracks;
  const last = first?.fragments.at(-1);
  return first === undefined || last === undefined ? 0 : Math.round(((last.time + last.duration) / first.timescale) * 1000);
}

/** The newest fragments that are complete at `now` (epoch milliseconds), oldest first. */
export function onAir(index: TrackIndex, round: number, now: number, count: number = WINDOW): readonly Broadcast[] {
  const window: Broadcast[] = [];
  for (let number = newest(index, round, now); window.length < count && number >= 0; number -= 1)
    window.unshift(broadcast(index, round, number));
  return window;
}

/** The fragment that begins at `time` on air; null where it is not in the window (or has long left it). */
export function findOnAir(index: TrackIndex, round: number, now: number, time: number): Broadcast | null {
  return onAir(index, round, now, WINDOW + GRACE).find(({ fragment }) => fragment.time === time) ?? null;
}

/** Epoch milliseconds at which a fragment begins. */
export function beginsAt({ fragment }: Broadcast, { timescale }: TrackIndex): number {
  return (fragment.time / timescale) * 1000;
}

function broadcast({ fragments, timescale }: TrackIndex, round: number, number: number): Broadcast {
  const shift = (Math.floor(number / fragments.length) * round * timescale) / 1000;
  const fragment = fragments[number % fragments.length];
  if (fragment === undefined) throw new RangeError(`no fragment ${number}`);
  return { number, fragment: { ...fragment, time: fragment.time + shift }, shift };
}

/** Number of the newest complete fragment; -1 where there is none. */
function newest({ fragments, timescale }: TrackIndex, round: number, now: number): number {
  if (fragments.length === 0 || round <= 0) return -1;
  const rounds = Math.floor(now / round);
  const ticks = ((now - rounds * round) * timescale) / 1000;
  const complete = fragments.filter(({ time, duration }) => time + duration <= ticks).length;
  return rounds * fragments.length + complete - 1;
}
