/**
 * Takes jobs through their states: Queued, Scheduled, Processing, Finished; or Canceled, or Error when an output fails. Final states never
 * change again.
 */
import { errorChain } from "../../core/errors.ts";
import { now, type Emulator } from "./emulator.ts";
import type { JobBehaviour } from "./jobBehaviour.ts";
import { EncodingFailure } from "./jobErrors.ts";
import { OutputPace, type Pace } from "./jobPace.ts";
import { Places } from "./jobPlaces.ts";
import type { JobOutputRecord, JobRecord, JobState } from "./records.ts";

/** What an encoder is told of one output of a job. */
export interface OutputAsset extends Pick<JobOutputRecord, "assetName" | "label" | "preset"> {
  readonly container: string;
}

/** Fills the container of an output asset. What it throws ends the output in Error: `EncodingFailure` says why, anything else is a service error. */
export type Encode = (job: JobRecord, output: OutputAsset, signal: AbortSignal, pace: Pace) => Promise<void>;

/** A change that the service would publish as an event. `output` is null for a change of the job itself. */
export interface JobChange {
  readonly job: JobRecord;
  readonly output: JobOutputRecord | null;
  readonly previousState: JobState;
  readonly state: JobState;
}

export interface JobRunnerOptions {
  readonly emulator: Emulator;
  readonly behaviour: JobBehaviour;
  readonly encode: Encode;
  readonly changed: (change: JobChange) => void;
  /** An output has come further; the record says how far. */
  readonly progressed: (job: JobRecord, output: JobOutputRecord) => void;
}

const FINAL: ReadonlySet<JobState> = new Set(["Finished", "Canceled", "Error"]);
const RANKS: Readonly<Record<string, number>> = { High: 0, Normal: 1, Low: 2 };

export function isFinal(state: JobState): boolean {
  return FINAL.has(state);
}

export class JobRunner implements AsyncDisposable {
  readonly #options: JobRunnerOptions;
  readonly #running = new Map<JobRecord, Promise<void>>();
  readonly #places: Places;
  readonly #stopped = new AbortController();

  constructor(options: JobRunnerOptions) {
    const { behaviour } = options;
    this.#options = options;
    this.#places = new Places(() => behaviour.settings.maxConcurrent);
    behaviour.onChange(() => {
      this.#places.admit();
    }, this.#stopped.signal);
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
    this.#stopped.abort();
    await Promise.all(runs.map(([, run]) => run));
  }

  async #run(job: JobRecord): Promise<void> {
    try {
      await this.#advance(job);
      this.#end(job, "Finished");
    } catch {
      // An output that failed has said why.
      if (!job.cancel.signal.aborted) this.#end(job, "Error");
      else this.#end(job, "Canceled");
    }
  }

  /** Rejects when an output has failed or the job is canceled. */
  async #advance(job: JobRecord): Promise<void> {
    const { emulator, behaviour } = this.#options;
    const { signal } = job.cancel;
    await emulator.clock.sleep(behaviour.settings.queuedMs, signal);
    await behaviour.passable("Queued", signal);
    using _place = await this.#places.take(RANKS[job.priority] ?? 1, signal);
    try {
      this.#enter(job, "Scheduled");
      await emulator.clock.sleep(behaviour.settings.scheduledMs, signal);
      await behaviour.passable("Scheduled", signal);
      job.startTime = now(emulator);
      this.#enter(job, "Processing");
      await this.#process(job);
    } catch (error) {
      if (signal.aborted) await behaviour.passable("Canceling", this.#stopped.signal).catch(() => undefined);
      throw error;
    }
  }

  async #process(job: JobRecord): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([job.cancel.signal, stop.signal]);
    const runs = job.outputs.map(async (output) => {
      try {
        await this.#encode(job, output, signal);
      } catch (error) {
        if (!signal.aborted) this.#fail(job, output, error);
        if (signal.aborted || output.continueOnError) return;
        stop.abort();
      }
    });
    await Promise.all(runs);
    signal.throwIfAborted();
  }

  /** The encoder works while time passes; the files are delivered when both have come to their end. */
  async #encode(job: JobRecord, output: JobOutputRecord, signal: AbortSignal): Promise<void> {
    const { emulator, behaviour, encode, progressed } = this.#options;
    const { assetName, label, preset } = output;
    const container = emulator.store.container(assetName);
    if (container === null) throw new EncodingFailure("UploadNotAccessible", `the output asset '${assetName}' does not exist any more`);
    const either = new AbortController();
    const both = AbortSignal.any([signal, either.signal]);
    const report = (): void => {
      progressed(job, output);
    };
    const pace = new OutputPace({ output, behaviour, clock: emulator.clock, report });
    const encoding = async (): Promise<void> => {
      await encode(job, { assetName, container, label, preset }, both, pace);
      pace.progress(100);
    };
    const work = [pace.run(both), encoding()].map(async (part) =>
      part.catch((error: unknown) => {
        either.abort();
        throw error;
      }),
    );
    // Nothing of an output that failed is under way any more when it says so; the first reason is the true one.
    const first = Promise.all(work);
    // It is waited for below, once the slower part has let go, too.
    first.catch(() => undefined);
    await Promise.allSettled(work);
    await first;
    signal.throwIfAborted();
    pace.complete();
    this.#enterOutput(job, output, "Finished");
  }

  #fail(job: JobRecord, output: JobOutputRecord, error: unknown): void {
    const failure = error instanceof EncodingFailure ? error : new EncodingFailure("ServiceError", errorChain(error), { cause: error });
    output.error = failure.body();
    this.#enterOutput(job, output, "Error");
  }

  #end(job: JobRecord, state: JobState): void {
    job.endTime = now(this.#options.emulator);
    this.#enter(job, state);
  }

  /** Outputs that are not final follow; those that another one's failure has stopped are canceled. */
  #enter(job: JobRecord, state: JobState): void {
    const followed = state === "Error" ? "Canceled" : state;
    for (const output of job.outputs) if (!isFinal(output.state)) this.#enterOutput(job, output, followed);
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
