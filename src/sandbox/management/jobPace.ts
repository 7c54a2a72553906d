/** How far an output has come: no further than the time that Processing is to take, nor than the encoder. */
import type { Clock } from "../../core/clock.ts";
import type { JobBehaviour } from "./jobBehaviour.ts";
import { EncodingFailure } from "./jobErrors.ts";
import type { JobOutputRecord } from "./records.ts";

/** What an encoder tells, and waits for. */
export interface Pace {
  /** Percent of the work that is done. */
  progress(percent: number): void;
  /** Call when the files are made: resolves when they may be put into the container. Rejects when the output is not to be. */
  due(): Promise<void>;
}

export interface OutputPaceOptions {
  readonly output: JobOutputRecord;
  readonly behaviour: JobBehaviour;
  readonly clock: Clock;
  /** The output's progress has changed. */
  readonly report: () => void;
}

export class OutputPace implements Pace {
  readonly #options: OutputPaceOptions;
  readonly #due = Promise.withResolvers<void>();
  #time = 0;
  #work = 0;

  constructor(options: OutputPaceOptions) {
    this.#options = options;
    this.#due.promise.catch(() => undefined);
  }

  progress(percent: number): void {
    this.#work = Math.max(this.#work, percent);
    this.#show();
  }

  async due(): Promise<void> {
    this.progress(100);
    await this.#due.promise;
  }

  /** Lets the time pass. Rejects with a failure that is planned, or with the signal's reason. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#pass(signal);
      this.#due.resolve();
    } catch (error) {
      this.#due.reject(error);
      throw error;
    }
  }

  /** At the end: 100. */
  complete(): void {
    this.#set(100);
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { behaviour, clock } = this.#options;
    this.#failIfPlanned();
    const { steps } = behaviour.settings;
    for (let step = 1; step <= steps; step += 1) {
      await clock.sleep(behaviour.settings.processingMs / steps, signal);
      await behaviour.passable("Processing", signal);
      this.#time = (step * 100) / steps;
      this.#show();
      this.#failIfPlanned();
    }
  }

  #failIfPlanned(): void {
    const planned = this.#options.behaviour.takeFailure(this.#time);
    if (planned === null) return;
    const { category, retry } = planned;
    throw new EncodingFailure(planned.code, "the sandbox was told to fail this job", { category, retry });
  }

  /** 100 is said of finished outputs only. In steps, as the service does. */
  #show(): void {
    const { steps } = this.#options.behaviour.settings;
    const reached = Math.floor((Math.min(this.#time, this.#work) * steps) / 100);
    this.#set(Math.round((Math.min(reached, steps - 1) * 100) / steps));
  }

  #set(percent: number): void {
    const { output, report } = this.#options;
    if (percent <= output.progress) return;
    output.progress = percent;
    report();
  }
}
