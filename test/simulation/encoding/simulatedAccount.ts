/** A media account in simulated time: takes jobs, works on them, tells of it by events; and what can go wrong with it. */
import type { Clock, Random } from "../../../src/core/clock.ts";
import type { AccountJobState, JobFailure, Sighting } from "../../../src/core/encoding.ts";
import { PaircastError } from "../../../src/core/errors.ts";
import type { AccountJob, EncodingAccount } from "../../../src/core/ports/encodingAccount.ts";

/** From, to: epoch milliseconds. */
export type Span = readonly [from: number, to: number];

export interface SimulatedAccountOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Nothing answers and nothing goes on. */
  readonly outages: readonly Span[];
  /** Jobs are scheduled, and not processed. */
  readonly jams: readonly Span[];
  /** Share of jobs that fail by the encoder's own, passing fault. */
  readonly flakiness: number;
  /** Milliseconds that an input takes to encode. */
  readonly durationOf: (url: string) => number;
  /** The input is broken. */
  readonly isBad: (url: string) => boolean;
  readonly emit: (sighting: Sighting) => void;
}

interface SimulatedJob {
  readonly request: AccountJob;
  readonly createdAt: number;
  readonly cancel: AbortController;
  state: AccountJobState;
  progress: number;
  failure: JobFailure | null;
}

const SECOND = 1_000;
const STEPS = 10;
const FINAL: ReadonlySet<AccountJobState> = new Set(["finished", "canceled", "error"]);
const MALFORMED: JobFailure = { code: "ContentMalformed", message: "the input cannot be decoded", category: "content", mayRetry: false };
const TRANSIENT: JobFailure = {
  code: "ServiceTransientError",
  message: "transient error, please retry",
  category: "service",
  mayRetry: true,
};

export class SimulatedAccount implements EncodingAccount {
  readonly name: string;
  readonly assets = new Set<string>();
  /** The most jobs that were not final at one time. */
  busiest = 0;
  submissions = 0;
  calls = 0;
  readonly #options: SimulatedAccountOptions;
  readonly #jobs = new Map<string, SimulatedJob>();
  #unfinal = 0;

  constructor(options: SimulatedAccountOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Names of jobs that are not final. */
  unfinal(): readonly string[] {
    return [...this.#jobs.values()].filter(({ state }) => !FINAL.has(state)).map(({ request }) => request.name);
  }

  async ensureTransform(_transform: unknown, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
  }

  async submit(request: AccountJob, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
    if (this.#jobs.has(request.name)) return;
    const { clock } = this.#options;
    for (const { assetName } of request.outputs) this.assets.add(assetName);
    const job: SimulatedJob = {
      request,
      createdAt: clock.now(),
      cancel: new AbortController(),
      state: "queued",
      progress: 0,
      failure: null,
    };
    this.#jobs.set(request.name, job);
    this.submissions += 1;
    this.#unfinal += 1;
    this.busiest = Math.max(this.busiest, this.#unfinal);
    void this.#run(job);
  }

  async job(_transform: string, name: string, signal: AbortSignal): Promise<readonly Sighting[] | null> {
    await this.#answer(signal);
    const job = this.#jobs.get(name);
    return job === undefined ? null : this.#shown(job);
  }

  async *jobs(_transform: string, since: number, signal: AbortSignal): AsyncGenerator<readonly Sighting[]> {
    await this.#answer(signal);
    for (const job of this.#jobs.values()) if (job.createdAt >= since) yield this.#shown(job);
  }

  async cancel(_transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
    const job = this.#jobs.get(name);
    if (job === undefined || FINAL.has(job.state)) return;
    this.#enter(job, "canceling");
    job.cancel.abort();
  }

  async removeJob(_transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
    const job = this.#jobs.get(name);
    if (job !== undefined && !FINAL.has(job.state)) throw new PaircastError("account_rejected", `the job ${name} is ${job.state}`);
    this.#jobs.delete(name);
  }

  async removeAsset(assetName: string, signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
    this.assets.delete(assetName);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#answer(signal);
  }

  /** Some connections hang, some are refused. */
  async #answer(signal: AbortSignal): Promise<void> {
    this.calls += 1;
    const { clock, random } = this.#options;
    await clock.sleep(20 + random.next() * 200, signal);
    if (this.#until(this.#options.outages) === null) return;
    if (random.next() < 0.5) await clock.sleep(3_600 * SECOND, signal).catch(() => signal.throwIfAborted());
    throw new PaircastError("account_unreachable", `call ${this.name}: connection refused`, { retry: "retry" });
  }

  /** When what goes wrong now is over; null: nothing does. */
  #until(spans: readonly Span[]): number | null {
    const now = this.#options.clock.now();
    return spans.find(([from, to]) => now >= from && now < to)?.[1] ?? null;
  }

  async #run(job: SimulatedJob): Promise<void> {
    try {
      await this.#process(job, job.cancel.signal);
    } catch {
      await this.#pause(5 * SECOND);
      this.#enter(job, "canceled");
    }
    this.#unfinal -= 1;
  }

  async #process(job: SimulatedJob, signal: AbortSignal): Promise<void> {
    const { random, durationOf, isBad, flakiness, jams, clock } = this.#options;
    const url = job.request.input.kind === "urls" ? (job.request.input.urls[0] ?? "") : "";
    await this.#pause((1 + random.next() * 10) * SECOND, signal);
    this.#enter(job, "scheduled");
    await this.#pause((5 + random.next() * 40) * SECOND, signal);
    for (let until = this.#until(jams); until !== null; until = this.#until(jams))
      await this.#pause(until - clock.now() + random.next() * 60 * SECOND, signal);
    this.#enter(job, "processing");
    const fails = isBad(url) ? 1 : random.next() < flakiness ? 1 + Math.floor(random.next() * STEPS) : STEPS + 1;
    for (let step = 1; step <= STEPS; step += 1) {
      await this.#pause(durationOf(url) / STEPS, signal);
      if (step === fails) return this.#fail(job, isBad(url) ? MALFORMED : TRANSIENT);
      this.#progress(job, step * (100 / STEPS));
    }
    this.#enter(job, "finished");
  }

  /** Time in which the account works; it stands still during an outage. */
  async #pause(ms: number, signal?: AbortSignal): Promise<void> {
    const { clock, outages } = this.#options;
    await clock.sleep(ms, signal);
    for (let until = this.#until(outages); until !== null; until = this.#until(outages)) await clock.sleep(until - clock.now(), signal);
  }

  #fail(job: SimulatedJob, failure: JobFailure): void {
    job.failure = failure;
    this.#enter(job, "error");
  }

  #progress(job: SimulatedJob, progress: number): void {
    job.progress = progress;
    for (const { label } of job.request.outputs) this.#tell(job, { label, state: null, progress, failure: null });
  }

  #enter(job: SimulatedJob, state: AccountJobState): void {
    job.state = state;
    for (const { label } of job.request.outputs) this.#tell(job, { label, state, progress: job.progress, failure: job.failure });
    this.#tell(job, { label: null, state, progress: null, failure: null });
  }

  #tell(job: SimulatedJob, what: Pick<Sighting, "label" | "state" | "progress" | "failure">): void {
    this.#options.emit({ account: this.name, jobName: job.request.name, at: this.#options.clock.now(), ...what });
  }

  #shown({ request, state, progress, failure }: SimulatedJob): readonly Sighting[] {
    const subject = { account: this.name, jobName: request.name, at: this.#options.clock.now() };
    const outputs = request.outputs.map(({ label }) => ({ ...subject, label, state, progress, failure }));
    return [{ ...subject, label: null, state, progress: null, failure: null }, ...outputs];
  }
}
