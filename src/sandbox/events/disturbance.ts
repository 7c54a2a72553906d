/** Pure: what becomes of an event on its way, drawn by a seeded chance. */
import type { Random } from "../../core/clock.ts";

export interface Disturbance {
  /** Shares, 0 to 1, of events that never arrive, arrive twice, or are overtaken by later ones. */
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Of every delivery: uniform between the two. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** How long those that are overtaken, and second copies, stay behind, at most. */
  readonly overtakenMs: number;
  /** Where the draws begin, to have the same once more; null: anywhere. */
  readonly seed: number | null;
}

export const UNDISTURBED: Disturbance = { lost: 0, doubled: 0, reordered: 0, minDelayMs: 0, maxDelayMs: 0, overtakenMs: 5000, seed: null };

/** Milliseconds after which each copy is delivered; none for an event that is lost. */
export function delaysOf(disturbance: Disturbance, random: Pick<Random, "next">): number[] {
  const { lost, doubled, reordered, minDelayMs, maxDelayMs, overtakenMs } = disturbance;
  // Every event draws the same number of times, so that one setting does not change the luck of another.
  const [isLost, isDoubled, isOvertaken] = [random.next() < lost, random.next() < doubled, random.next() < reordered];
  const [delay, behind, second] = [random.next(), random.next(), random.next()];
  if (isLost) return [];
  const first = minDelayMs + delay * Math.max(0, maxDelayMs - minDelayMs) + (isOvertaken ? behind * overtakenMs : 0);
  return isDoubled ? [first, first + second * overtakenMs] : [first];
}

/** The same draws for the same seed (mulberry32). */
export function drawsOf(seed: number): Pick<Random, "next"> {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
    },
  };
}
