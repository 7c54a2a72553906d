/** How the jobs of an account fare, as somebody at the control port wants it: changed at any time, for the jobs under way too. */
import type { JobErrorCategory, JobErrorCode, JobRetry } from "./jobErrors.ts";

/** States in which jobs can be held. */
export const HOLDING_STATES = ["Queued", "Scheduled", "Processing", "Canceling"] as const;
export type HoldingState = (typeof HOLDING_STATES)[number];

/** Fails outputs of jobs that reach `atPercent` of their processing. */
export interface PlannedFailure {
  readonly code: JobErrorCode;
  /** Other than the code's own. */
  readonly category?: JobErrorCategory | undefined;
  readonly retry?: JobRetry | undefined;
  readonly atPercent: number;
  /** How many outputs; null: all. */
  readonly times: number | null;
}

/** Fails calls of the API about transforms and jobs; the rest of the API answers. */
export interface ApiFailure {
  readonly status: number;
  readonly retryAfterS: number | null;
  /** What was asked for happens all the same, and only the answer is lost. */
  readonly afterEffect: boolean;
  /** How many calls; null: all. */
  readonly times: number | null;
}

export interface JobSettings {
  /** How long a job stays in each state, milliseconds. Encoding that takes longer makes Processing longer. */
  readonly queuedMs: number;
  readonly scheduledMs: number;
  readonly processingMs: number;
  /** In how many steps progress goes from 0 to 100. */
  readonly steps: number;
  /** Jobs that are scheduled, processing or being canceled at a time; the others are queued, by priority. */
  readonly maxConcurrent: number;
  /** Jobs that reach this state stay in it until it is changed; null: none. They can be canceled, except where they are held in Canceling. */
  readonly stuck: HoldingState | null;
  readonly fail: PlannedFailure | null;
  readonly api: ApiFailure | null;
}

export const CALM: Omit<JobSettings, "queuedMs" | "scheduledMs" | "processingMs"> = {
  steps: 10,
  maxConcurrent: 100,
  stuck: null,
  fail: null,
  api: null,
};

export class JobBehaviour {
  readonly #defaults: JobSettings;
  readonly #listeners = new Set<() => void>();
  #settings: JobSettings;

  constructor(defaults: JobSettings) {
    this.#defaults = defaults;
    this.#settings = defaults;
  }

  get settings(): JobSettings {
    return this.#settings;
  }

  change(wanted: Partial<JobSettings>): void {
    this.#settings = { ...this.#settings, ...wanted };
    for (const listener of this.#listeners) listener();
  }

  /** As it was at the start. */
  reset(): void {
    this.change(this.#defaults);
  }

  /** Called after every change, until the signal aborts. */
  onChange(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /** Resolves as soon as jobs are not held in `state`; rejects with the signal's reason. */
  async passable(state: HoldingState, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#settings.stuck !== state) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = (): void => {
      if (this.#settings.stuck !== state) resolve();
    };
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", abort);
    }
  }

  /** The failure planned for an output that has come to `percent`; it is counted. */
  takeFailure(percent: number): PlannedFailure | null {
    const { fail } = this.#settings;
    if (fail === null || fail.times === 0 || percent < fail.atPercent) return null;
    if (fail.times !== null) this.change({ fail: { ...fail, times: fail.times - 1 } });
    return fail;
  }

  /** The failure planned for a call; it is counted. */
  takeApiFailure(): ApiFailure | null {
    const { api } = this.#settings;
    if (api === null || api.times === 0) return null;
    if (api.times !== null) this.change({ api: { ...api, times: api.times - 1 } });
    return api;
  }
}
