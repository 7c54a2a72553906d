/** Saves health at every change of a status and every half a minute, so that a process that starts again need not begin at `unknown`. */
import type { Clock } from "../core/clock.ts";
import type { HealthSnapshot } from "../core/contracts.ts";
import { errorChain } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { HealthMemory } from "../core/ports/health.ts";

export interface RememberOptions {
  readonly memory: HealthMemory;
  readonly snapshot: () => HealthSnapshot;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERY_MS = 30_000;

/** Writes one snapshot at a time, the newest one. */
export class HealthRecorder {
  readonly #options: RememberOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #wake = new AbortController();
  /** A store that fails is reported once, until it works again. */
  #failing = false;

  constructor(options: RememberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something is worth saving now. */
  changed(): void {
    this.#wake.abort();
  }

  /** Saves once more and ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#options.clock.sleep(EVERY_MS, this.#wake.signal).catch(() => undefined);
      this.#wake = new AbortController();
      await this.#save();
    }
  }

  async #save(): Promise<void> {
    const { memory, snapshot, log } = this.#options;
    try {
      await memory.save(snapshot());
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn("health.not_saved", { error: errorChain(error) });
      this.#failing = true;
    }
  }
}
