/** How `serve` and `sandbox` know that they are to end. */
import { once } from "node:events";
import type { Clock } from "../core/clock.ts";

const LOOK_MS = 500;

export interface StarterView {
  /** Set by npm for what it runs. */
  readonly script: string | undefined;
  parent(): number;
}

const started: StarterView = { script: process.env["npm_lifecycle_event"], parent: () => process.ppid };

/**
 * Resolves when a signal asks for the end, or when the shell is gone by which `npm run` started the program. npm passes SIGTERM on to that
 * shell, which ends and tells nobody: both ports and processes would be left behind.
 */
export async function untilStopped(stop: AbortSignal, clock: Clock, by: StarterView = started): Promise<void> {
  if (stop.aborted) return;
  if (by.script === undefined) {
    await once(stop, "abort");
    return;
  }
  const parent = by.parent();
  while (!stop.aborted && by.parent() === parent) await clock.sleep(LOOK_MS, stop).catch(() => undefined);
}
