/** Time that a test lets pass: nothing is late by itself, however slow the machine is. */
import type { ManualClock } from "../fakes/clock.ts";
import { eventually } from "./wait.ts";

/** Lets the clock's time pass, `tickMs` at once, until something has come of it. */
export async function passTime(clock: ManualClock, tickMs: number, until: string, holds: () => boolean): Promise<void> {
  await eventually(
    20_000,
    until,
    async () => {
      if (!holds() && clock.pendingTimers > 0) await clock.advance(tickMs);
      return holds() ? true : null;
    },
    1,
  );
}
