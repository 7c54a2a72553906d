/** What a recording says of a viewer: when the picture stood still, and whether it went on. Pure. */
import type { Frozen, PlayerError, Recording, Sample } from "./page/types.d.ts";

/** A time in which playback should have gone on and did not; epoch milliseconds. */
export interface Stall {
  readonly from: number;
  readonly to: number;
}

export interface Outcome {
  /** From the request to play to the first picture; null: it did not start. */
  readonly startMs: number | null;
  /** After the loss of the region. */
  readonly longestStallMs: number;
  readonly stalls: number;
  /** Playing when the watch ended, or played to the end. False: the longest stall is only a lower bound. */
  readonly playing: boolean;
  /** Seconds of media that were left out. */
  readonly skipped: number;
  /** To the first media segment from region B after the loss; null: none came. */
  readonly firstFromBMs: number | null;
  /** Of the player, after the loss: it said that it cannot go on. */
  readonly fatal: string | null;
  /** The first of the other errors that it told of. */
  readonly error: string | null;
}

/** A shorter one is nothing that a viewer notices, or that two samples can tell. */
const NOTICED_MS = 250;
/** A sample may come late on a loaded machine; more than this beside the clock is a jump. */
const JUMP_S = 0.3;

/** Times in which the position did not go on with the clock, from `from` on. What follows the end of the video is none. */
export function stallsOf(samples: readonly Sample[], from: number): Stall[] {
  const end = samples.findIndex(({ ended }) => ended);
  const played = end === -1 ? samples : samples.slice(0, end);
  const still = played.flatMap((sample, at): Stall[] => {
    const before = played[at - 1];
    if (before === undefined || sample.at < from || moved(before, sample)) return [];
    return [{ from: Math.max(before.at, from), to: sample.at }];
  });
  return merged(still).filter((stall) => stall.to - stall.from >= NOTICED_MS);
}

/** Forward, and no further than the time that has passed. */
function moved(before: Sample, after: Sample): boolean {
  const step = after.position - before.position;
  return step > 0.005 && step <= (after.at - before.at) / 1000 + JUMP_S;
}

/** Seconds of media that were jumped over. */
export function skippedOf(samples: readonly Sample[], from: number): number {
  let skipped = 0;
  let furthest = 0;
  let last: Sample | null = null;
  for (const sample of samples) {
    if (last !== null && sample.at >= from) {
      const allowed = Math.max(furthest, last.position) + (sample.at - last.at) / 1000 + JUMP_S;
      if (sample.position > allowed) skipped += sample.position - Math.max(furthest, last.position);
    }
    furthest = Math.max(furthest, sample.position);
    last = sample;
  }
  return skipped;
}

export interface Loss {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Epoch milliseconds at which media segments from region B had come. */
  readonly fromB: readonly number[];
}

export function outcomeOf({ samples, frozen, errors, askedAt, startedAt }: Recording, { at: lostAt, fromB }: Loss): Outcome {
  const stalls = merged([...stallsOf(samples, lostAt), ...frozenAfter(frozen, lostAt, samples)]);
  const first = fromB.find((at) => at >= lostAt);
  const told = errors.filter(({ at }) => at >= lostAt || startedAt === null);
  return {
    startMs: startedAt === null ? null : startedAt - askedAt,
    longestStallMs: Math.max(0, ...stalls.map((stall) => stall.to - stall.from)),
    stalls: stalls.length,
    playing: startedAt !== null && isPlaying(samples.at(-1), stalls.at(-1)),
    skipped: skippedOf(samples, lostAt),
    firstFromBMs: first === undefined ? null : first - lostAt,
    fatal: textOf(told.find(({ fatal }) => fatal)),
    error: textOf(told.find(({ fatal }) => !fatal)),
  };
}

function isPlaying(end: Sample | undefined, last: Stall | undefined): boolean {
  if (end === undefined) return false;
  return end.ended || last === undefined || end.at - last.to > NOTICED_MS;
}

function textOf(error: PlayerError | undefined): string | null {
  return error?.text ?? null;
}

/** A picture that stands still while time goes on is a stall, too; a loaded machine shows some pictures late. */
const FROZEN_PICTURE_MS = 1000;

function frozenAfter(frozen: readonly Frozen[], from: number, samples: readonly Sample[]): Stall[] {
  const ended = samples.find((sample) => sample.ended)?.at ?? Infinity;
  return frozen
    .map((each) => ({ from: Math.max(each.from, from), to: Math.min(each.to, ended) }))
    .filter((each) => each.to - each.from >= FROZEN_PICTURE_MS);
}

/** Overlapping ones as one, in order. */
function merged(stalls: readonly Stall[]): Stall[] {
  const result: Stall[] = [];
  for (const stall of stalls.toSorted((one, other) => one.from - other.from)) {
    const last = result.at(-1);
    if (last !== undefined && stall.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, stall.to) };
    else result.push(stall);
  }
  return result;
}
