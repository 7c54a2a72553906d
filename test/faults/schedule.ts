/** Which calls fail, and how. Pure. */
import type { Random } from "../../src/core/clock.ts";

export const FAULTS = ["500", "429", "409", "timeout", "reset", "truncated", "wrong body", "no effect", "wrong bytes", "slow"] as const;
export type Fault = (typeof FAULTS)[number];

export interface PlannedFault {
  readonly operation: string;
  /** Of its kind, from 1. */
  readonly nth: number;
  readonly fault: Fault;
  /** Which of the forms that a fault may take. */
  readonly variant: number;
}

export interface Schedule {
  /** By which it can be repeated alone. */
  readonly name: string;
  readonly faults: readonly PlannedFault[];
}

/** Kind of call -> how often it comes in a run without faults. */
export type Operations = ReadonlyMap<string, number>;

const MOST_FAULTS = 5;
const VARIANTS = 4;

/** Whether a call of this kind can fail so. */
export function isApplicable(fault: Fault, operation: string): boolean {
  const writes = /\b(PUT|DELETE|PATCH)\b/.test(operation);
  switch (fault) {
    case "no effect":
      return writes;
    case "wrong bytes":
      return /^storage \S+ PUT blob( from URL| block| block from URL)?$/.test(operation);
    case "wrong body":
    case "truncated":
      // Such answers have no body.
      return !operation.includes(" HEAD ") && !(operation.startsWith("storage") && writes);
    default:
      return true;
  }
}

/** Every call of a run fails in every way in turn, alone. */
export function everyCallInTurn(operations: Operations, random: Random): readonly Schedule[] {
  return named(
    "turn",
    [...operations].flatMap(([operation, count]) =>
      FAULTS.filter((fault) => isApplicable(fault, operation)).flatMap((fault) =>
        Array.from({ length: count }, (_, at) => [{ operation, nth: at + 1, fault, variant: variantBy(random) }]),
      ),
    ),
  );
}

/** One fault or several, anywhere. */
export function randomSchedules(count: number, operations: Operations, random: Random): readonly Schedule[] {
  const kinds = [...operations.keys()];
  const one = (): PlannedFault => {
    const operation = kinds[indexBy(kinds.length, random)] ?? "";
    const possible = FAULTS.filter((fault) => isApplicable(fault, operation));
    const nth = 1 + indexBy(operations.get(operation) ?? 1, random);
    return { operation, nth, fault: possible[indexBy(possible.length, random)] ?? "500", variant: variantBy(random) };
  };
  const schedules = Array.from({ length: count }, () => Array.from({ length: 1 + indexBy(MOST_FAULTS, random) }, one));
  return named("random", schedules);
}

/** In any order, the same for the same seed. */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

/** `count` of them, spread over all. */
export function spread(schedules: readonly Schedule[], count: number): readonly Schedule[] {
  if (schedules.length <= count) return schedules;
  const step = schedules.length / count;
  return Array.from({ length: count }, (_, at) => schedules[Math.floor(at * step)]).filter((schedule) => schedule !== undefined);
}

/** For people. */
export function describeSchedule({ faults }: Schedule): string {
  return faults.map(({ operation, nth, fault, variant }) => `${fault} (${variant}) at ${operation} no. ${nth}`).join(", ");
}

function named(kind: string, all: readonly (readonly PlannedFault[])[]): readonly Schedule[] {
  return all.map((faults, at) => ({ name: `${kind}-${at + 1}`, faults }));
}

function variantBy(random: Random): number {
  return indexBy(VARIANTS, random);
}

function indexBy(count: number, random: Random): number {
  return Math.floor(random.next() * count);
}
