/** Where a replicating process is killed: at the boundary of every kind of call, at writes of its state, at random moments. Pure. */
import type { Random } from "../../src/core/clock.ts";
import { shuffled } from "../faults/schedule.ts";

export type CrashPoint =
  /** `before`: the call does not reach the service. `after`: it has had its effect, and its answer never comes. `nth` of its kind, from 1. */
  | { readonly kind: "before" | "after"; readonly operation: string; readonly nth: number }
  /** Any call, by its number in the run. */
  | { readonly kind: "call"; readonly number: number }
  /** As soon as the state file has changed for the nth time. */
  | { readonly kind: "write"; readonly nth: number }
  | { readonly kind: "moment"; readonly ms: number };

export interface CrashRun {
  /** By which it can be repeated alone. */
  readonly name: string;
  readonly first: CrashPoint;
  /** The process that continues is killed, too. */
  readonly second: CrashPoint | null;
  /** Assets at a time. With one, calls come in the same order every time. */
  readonly concurrency: number;
  /** The leases of the dead process run out by themselves. Otherwise they are made to have run out. */
  readonly waits: boolean;
}

/** What a run without a kill consists of. */
export interface Profile {
  readonly operations: ReadonlyMap<string, number>;
  readonly calls: number;
  readonly writes: number;
  readonly ms: number;
}

const SECOND_SHARE = 0.2;
const WAITING_SHARE = 0.04;

/** Every boundary once where there are runs enough, else as many of them as others; in any order. The same for the same seed. */
export function planCrashes(runs: number, profile: Profile, random: Random): readonly CrashRun[] {
  const points = shuffled(boundaries(profile, random), random);
  const chosen = points.length < runs ? [...points] : points.slice(0, Math.ceil(runs / 2));
  while (chosen.length < runs) chosen.push(somewhere(chosen.length, profile, random));
  return shuffled(chosen, random).map((first, at) => ({
    name: `${at + 1}`,
    first,
    second: random.next() < SECOND_SHARE ? { kind: "call", number: within(profile.calls, random) } : null,
    concurrency: random.next() < 0.5 ? 1 : 4,
    waits: random.next() < WAITING_SHARE,
  }));
}

function boundaries({ operations }: Profile, random: Random): CrashPoint[] {
  return [...operations]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([operation, count]) =>
      (["before", "after"] as const).map((kind): CrashPoint => ({ kind, operation, nth: within(count, random) })),
    );
}

function somewhere(at: number, profile: Profile, random: Random): CrashPoint {
  if (at % 3 === 0) return { kind: "write", nth: within(profile.writes, random) };
  if (at % 3 === 1) return { kind: "moment", ms: within(profile.ms, random) };
  return { kind: "call", number: within(profile.calls, random) };
}

function within(count: number, random: Random): number {
  return 1 + Math.floor(random.next() * Math.max(1, count));
}

/** For people. */
export function describePoint(point: CrashPoint): string {
  switch (point.kind) {
    case "before":
    case "after":
      return `${point.kind} ${point.operation} no. ${point.nth}`;
    case "call":
      return `call ${point.number}`;
    case "write":
      return `write ${point.nth} of the state`;
    case "moment":
      return `after ${point.ms} ms`;
  }
}
