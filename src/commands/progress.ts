/** How a command shows how far it is, on standard error: bars on a terminal, JSON lines elsewhere. */
import type { Clock } from "../core/clock.ts";
import { createLog, type Log, type LogLevel } from "../core/log.ts";
import type { ProgressSink } from "../replicator/progress.ts";
import { ProgressBars } from "./progressBars.ts";
import { ProgressLines } from "./progressLines.ts";
import type { ProgressView } from "./progressView.ts";
import type { Terminal } from "./terminal.ts";

/** For people, of a command that was interrupted. */
export const STOPPED = "stopped: what was done stays, and the same command goes on from there";

export interface ProgressOptions {
  readonly json: boolean;
  readonly clock: Clock;
  /** As configured. Between bars only what is wrong is shown. */
  readonly level: LogLevel;
}

/** Shows it while `work` goes on, and leaves a clean terminal behind, whatever becomes of it. */
export async function withProgress<T>(
  terminal: Terminal,
  { json, clock, level }: ProgressOptions,
  work: (view: { readonly sink: ProgressSink; readonly logger: Log }) => Promise<T>,
): Promise<T> {
  const { screen } = terminal;
  using view: ProgressView = screen === undefined || json ? new ProgressLines(terminal, clock) : new ProgressBars(screen, clock);
  const shown = view.log === undefined || level === "error" ? level : "warn";
  return await work({ sink: view.sink, logger: createLog(shown, view.log) });
}
