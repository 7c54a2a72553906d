/**
 * Takes jobs through their states: Queued, Scheduled, Processing, Finished; or Canceled, or Error when the encoder fails. Final states never
 * change again.
 */
import { errorChain } from "../../core/errors.ts";
import type { JsonObject } from "../contracts.ts";
import { now, type Emulator } from "./emulator.ts";
import type { JobOutputRecord, JobRecord, JobState } from "./records.ts";

/** What an encoder is told of one output of a job. */
export interface OutputAsset {
  readonly assetName: string;
  readonly container: string;
  readonly label: string;
}

/** Fills the container of an output asset. What it throws ends the job in Error with its message. */
export type Encode = (job: JobRecord, output: OutputAsset, signal: AbortSignal) => Promise<void>;

/** A change that the service would publish as an event. `output` is null for a change of the job itself. */
export interface JobChange {
  readonly job: JobRecord;
  readonly output: JobOutputRecord | null;
  readonly previousState: JobState;
  readonly state: JobState;
}

export interface JobRunnerOptions {
  readonly emulator: Emulator;
  readonly encode: Encode;
  readonly changed: (change: JobChange) => void;
}

const STEPS = 10;
const FINAL: ReadonlySet<JobState> = new Set(["Finished", "Canceled", "Error"]);

export function isFinal(state: JobState): boolean {
  return FINAL.has(state);
}

export class JobRunner implements AsyncDisposable {
  readonly #options: JobRunnerOptions;
  readonly #running = new Map<JobRecord, Promise<void>>();

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  start(job: JobRecord): void {
    const run = this.#run(job).finally(() => this.#running.delete(job));
    this.#running.set(job, run);
  }

  /** Canceling at once, Canceled when the encoder has let go. */
  cancel(job: JobRecord): void {
    this.#enter(job, "Canceling");
    job.cancel.abort();
  }

  /** Stops a job that nobody can see any more. */
  abandon(job: JobRecord): void {
    job.cancel.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const runs = [...this.#running];
    for (const [job] of runs) job.cancel.abort();
    await Promise.all(runs.map(([, run]) => run));
  }

  async #run(job: JobRecord): Promise<void> {
    try {
      await this.#process(job);
      this.#enter(job, "Finished");
    } catch (error) {
      if (job.cancel.signal.aborted) this.#enter(job, "Canceled");
      else this.#fail(job, error);
    }
    job.endTime = now(this.#options.emulator);
  }

  async #process(job: JobRecord): Promise<void> {
    const { clock, switches } = this.#options.emulator;
    const { queuedMs, scheduledMs, processingMs } = switches.job;
    const { signal } = job.cancel;
    await clock.sleep(queuedMs, signal);
    this.#enter(job, "Scheduled");
    await clock.sleep(scheduledMs, signal);
    job.startTime = now(this.#options.emulator);
    this.#enter(job, "Processing");
    for (let step = 1; step < STEPS; step += 1) {
      await clock.sleep(processingMs / STEPS, signal);
      for (const output of job.outputs) output.progress = (step * 100) / STEPS;
    }
    await clock.sleep(processingMs / STEPS, signal);
    for (const output of job.outputs) await this.#encode(job, output);
  }

  async #encode(job: JobRecord, output: JobOutputRecord): Promise<void> {
    const { emulator, encode } = this.#options;
    const { assetName, label } = output;
    const container = emulator.store.container(assetName);
    if (container === null) throw new Error(`the output asset '${assetName}' does not exist any more`);
    await encode(job, { assetName, container, label }, job.cancel.signal);
    job.cancel.signal.throwIfAborted();
    output.progress = 100;
    this.#enterOutput(job, output, "Finished");
  }

  #fail(job: JobRecord, error: unknown): void {
    const message = errorChain(error);
    const failure: JsonObject = {
      code: "ServiceError",
      message: "Fatal service error, please contact support.",
      category: "Service",
      retry: "MayRetry",
      details: [{ code: "ServiceError", message }],
    };
    for (const output of job.outputs) if (!isFinal(output.state)) output.error = failure;
    this.#enter(job, "Error");
  }

  #enter(job: JobRecord, state: JobState): void {
    for (const output of job.outputs) if (!isFinal(output.state)) this.#enterOutput(job, output, state);
    const previousState = job.state;
    job.state = state;
    job.modified = now(this.#options.emulator);
    this.#options.changed({ job, output: null, previousState, state });
  }

  #enterOutput(job: JobRecord, output: JobOutputRecord, state: JobState): void {
    const previousState = output.state;
    output.state = state;
    if (state === "Processing") output.startTime = job.startTime;
    if (isFinal(state)) output.endTime = now(this.#options.emulator);
    this.#options.changed({ job, output, previousState, state });
  }
}
