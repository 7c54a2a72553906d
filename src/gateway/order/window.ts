/** How often each region was chosen lately. Pure but for its own memory: the time is handed in. */

/** Twelve steps of five seconds: a minute, so that a load is told from a burst. */
const STEPS = 12;
const STEP_MS = 5_000;

export class DecisionWindow {
  readonly #totals: Record<string, number> = {};
  readonly #steps: Map<string, number>[] = [new Map<string, number>()];
  /** Number of the newest step. */
  #newest = Number.NEGATIVE_INFINITY;

  /** `now`: monotonic milliseconds. */
  record(region: string, now: number): void {
    this.#advance(now);
    const step = this.#steps[0];
    step?.set(region, (step.get(region) ?? 0) + 1);
    this.#totals[region] = (this.#totals[region] ?? 0) + 1;
  }

  /** Region name -> decisions within the window; the same object each time. */
  counts(now: number): Readonly<Record<string, number>> {
    this.#advance(now);
    return this.#totals;
  }

  #advance(now: number): void {
    const step = Math.floor(now / STEP_MS);
    const passed = Math.min(step - this.#newest, STEPS);
    if (passed <= 0) return;
    this.#newest = step;
    for (let count = 0; count < passed; count += 1) this.#steps.unshift(new Map<string, number>());
    for (const old of this.#steps.splice(STEPS))
      for (const [region, times] of old) this.#totals[region] = (this.#totals[region] ?? 0) - times;
  }
}
