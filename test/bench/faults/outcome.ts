/** What the plays of one player say about one router and one fault, and what many of those say together. */
import type { Play } from "../player.ts";

export interface Outcome {
  readonly plays: number;
  /** Plays that failed because of the fault. */
  readonly failed: number;
  /** Seconds from the fault to the start of the last play that failed; 0 where none did. Infinity where plays failed to the end. */
  readonly lastFailed: number;
  readonly recovered: boolean;
  /** Plays that failed before there was a fault. */
  readonly falsely: number;
  /** Failure -> how often, for people. */
  readonly failures: ReadonlyMap<string, number>;
}

export interface Span {
  /** Times of `performance.now()`. */
  readonly from: number;
  readonly fault: number;
  readonly to: number;
  /** Plays must have been well for so long at the end, in milliseconds. */
  readonly quietMs: number;
}

/** A play that was under way when the fault came counts as one after it. */
export function outcomeOf(plays: readonly Play[], { from, fault, to, quietMs }: Span): Outcome {
  const failures = plays.filter((play) => play.failure !== null && play.at >= from);
  const after = failures.filter((play) => play.ended >= fault);
  const last = after.reduce((latest, { at }) => Math.max(latest, at), Number.NEGATIVE_INFINITY);
  const recovered = last <= to - quietMs;
  const counts = new Map<string, number>();
  for (const { failure } of after) if (failure !== null) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  return {
    plays: plays.filter(({ at }) => at >= fault).length,
    failed: after.length,
    lastFailed: recovered ? Math.max(0, (last - fault) / 1000) : Number.POSITIVE_INFINITY,
    recovered,
    falsely: failures.length - after.length,
    failures: counts,
  };
}

/** The worst of several outcomes. */
export interface Together {
  readonly cells: number;
  readonly recovered: number;
  readonly failed: number;
  readonly lastFailed: number;
}

export function together(outcomes: readonly Outcome[]): Together {
  return {
    cells: outcomes.length,
    recovered: outcomes.filter((each) => each.recovered).length,
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    lastFailed: Math.max(0, ...outcomes.map(({ lastFailed }) => lastFailed)),
  };
}

/** `0 failed`, `7 failed, 1.2 s`, `never`, `3 of 8 never`. */
export function described(outcomes: readonly Outcome[]): string {
  const { cells, recovered, failed } = together(outcomes);
  if (cells === 0) return "";
  if (recovered === 0) return "never";
  if (recovered < cells) return `${cells - recovered} of ${cells} never`;
  return failed === 0 ? "0 failed" : `${failed} failed, ${together(outcomes).lastFailed.toFixed(1)} s`;
}
