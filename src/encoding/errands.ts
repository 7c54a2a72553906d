/** Does one duty of a job in an account, and says what came of it as an event. Whatever is done may be done again without harm. */
import type { Clock } from "../core/clock.ts";
import type { Attempt, CallOutcome, EncodingJob, InputCopy, Sighting, Transform } from "../core/encoding.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { EncodingAccount } from "../core/ports/encodingAccount.ts";
import type { EncodingInputs } from "../core/ports/encodingInputs.ts";
import type { AccountCalls } from "./accountCalls.ts";
import { isFinalState } from "./attempt.ts";
import { callOutcomeOf, isResting } from "./callOutcome.ts";
import type { Duty } from "./duties.ts";
import type { JobEvent } from "./job.ts";
import type { InputSpread } from "./inputSpread.ts";
import type { JobPolicy } from "./policy.ts";
import type { SpreadDuty } from "./spread.ts";

/** An account and the way to call it. */
export interface Reach {
  readonly account: EncodingAccount;
  readonly calls: AccountCalls;
}

export interface ErrandsOptions {
  readonly clock: Clock;
  readonly policy: JobPolicy;
  readonly reach: (account: string) => Reach | null;
  readonly inputs: EncodingInputs;
  readonly spread: Pick<InputSpread, "begin">;
  readonly transforms: (name: string) => Transform | null;
  readonly stop: AbortSignal;
}

type DoableDuty = Exclude<Duty, { readonly type: "expire" }>;
type CopyDuty = Extract<Duty, { readonly copy: InputCopy }>;
type CallDuty = "submit" | "check" | "clean";

export class Errands {
  readonly #options: ErrandsOptions;
  /** What each account was given last, by account and name. */
  readonly #ensured = new Map<string, Transform>();

  constructor(options: ErrandsOptions) {
    this.#options = options;
  }

  /** `answer`: what the account has said of the job in a list; null: it has to be asked. Rejects with what is not the account's. */
  async do(job: EncodingJob, duty: DoableDuty, answer: readonly Sighting[] | null): Promise<JobEvent> {
    if (!("attempt" in duty)) return this.#ofFile(job, duty);
    const { attempt } = duty;
    const number = attempt.number;
    if (duty.type === "move") return { type: "moved", attempt: number, reason: duty.reason, detail: duty.detail };
    if (duty.type === "postpone") return { type: "postponed", attempt: number, until: duty.until };
    if (answer !== null && duty.type === "check") return { type: "seen", attempt: number, sightings: answer, asked: true };
    const reach = this.#options.reach(attempt.account);
    if (reach === null) return { type: duty.type === "clean" ? "uncleaned" : "unanswered", attempt: number };
    try {
      return await this.#call(job, attempt, duty.type, reach);
    } catch (error) {
      return this.#eventOf(error, attempt, duty.type);
    }
  }

  async #ofFile(job: EncodingJob, duty: Exclude<DoableDuty, { readonly attempt: Attempt }>): Promise<JobEvent> {
    if (duty.type === "unsent") return duty;
    return duty.type === "spread" ? this.#spread(job, duty) : this.#discard(duty);
  }

  /** It takes long, and tells by itself what comes of it: nothing else waits for it. */
  #spread(job: EncodingJob, { region, upload, until }: SpreadDuty): JobEvent {
    if (region !== null) this.#options.spread.begin(job, { region, upload });
    return { type: "unspread", upload, until };
  }

  /** What goes wrong with it says nothing of an account: it is tried again. */
  async #discard(duty: CopyDuty): Promise<JobEvent> {
    const { region, upload } = duty.copy;
    if (duty.type === "defer") return { type: "deferred", region, upload, until: duty.until };
    try {
      await this.#options.inputs.discard(duty.copy, this.#options.stop);
      return { type: "discarded", region, upload };
    } catch {
      this.#options.stop.throwIfAborted();
      return { type: "undiscarded", region, upload };
    }
  }

  async #call(job: EncodingJob, attempt: Attempt, type: CallDuty, reach: Reach): Promise<JobEvent> {
    if (type === "submit") return this.#submit(job, attempt, reach);
    return type === "check" ? this.#check(job, attempt, reach) : this.#clean(job, attempt, reach);
  }

  async #submit(job: EncodingJob, attempt: Attempt, reach: Reach): Promise<JobEvent> {
    const transform = this.#options.transforms(job.transform);
    if (transform === null)
      return { type: "impossible", code: "transform_unknown", detail: `there is no transform ${job.transform}: add it, then retry` };
    await this.#ensure(transform, reach);
    const input = await this.#options.inputs.open(job, attempt.account, this.#options.stop);
    const outputs = attempt.outputs.map(({ label, assetName }) => ({ label, assetName }));
    const request = { transform: transform.name, name: attempt.jobName, input, priority: job.priority, outputs };
    await reach.calls.call(async (signal) => reach.account.submit(request, signal));
    return { type: "submitted", attempt: attempt.number };
  }

  async #ensure(transform: Transform, { account, calls }: Reach): Promise<void> {
    const key = `${account.name}\n${transform.name}`;
    if (this.#ensured.get(key) === transform) return;
    await calls.call(async (signal) => account.ensureTransform(transform, signal));
    this.#ensured.set(key, transform);
  }

  async #check(job: EncodingJob, attempt: Attempt, { account, calls }: Reach): Promise<JobEvent> {
    const sightings = await calls.call(async (signal) => account.job(job.transform, attempt.jobName, signal));
    if (sightings === null) return { type: "gone", attempt: attempt.number };
    return { type: "seen", attempt: attempt.number, sightings, asked: true };
  }

  /** One step of it: what still runs is canceled, and looked at again. */
  async #clean(job: EncodingJob, attempt: Attempt, { account, calls }: Reach): Promise<JobEvent> {
    const { jobName, owed, number } = attempt;
    const mayRun = owed === "remove" && !isFinalState(attempt.state);
    const sightings = mayRun ? await calls.call(async (signal) => account.job(job.transform, jobName, signal)) : null;
    if (sightings !== null) {
      const state = sightings[0]?.state ?? null;
      if (isFinalState(state)) return { type: "seen", attempt: number, sightings, asked: true };
      if (state !== "canceling") await calls.call(async (signal) => account.cancel(job.transform, jobName, signal));
      return { type: "uncleaned", attempt: number };
    }
    await calls.call(async (signal) => account.removeJob(job.transform, jobName, signal));
    const assets = owed === "remove" ? attempt.outputs.map(({ assetName }) => assetName) : [];
    for (const asset of assets) await calls.call(async (signal) => account.removeAsset(asset, signal));
    return { type: "cleaned", attempt: number };
  }

  #eventOf(error: unknown, { number: attempt }: Attempt, type: CallDuty): JobEvent {
    const { policy } = this.#options;
    const until = (ms: number): JobEvent => ({ type: "postponed", attempt, until: this.#options.clock.now() + ms });
    if (isResting(error)) return until(type === "clean" ? policy.cleanLongestMs : policy.resubmitMs);
    const detail = scrub(errorChain(error));
    const code = errorCode(error);
    if (code === "input_unavailable") return { type: "withheld", attempt, detail };
    if (code === "input_missing") return { type: "impossible", code, detail };
    const outcome = callOutcomeOf(error);
    if (outcome === null) throw error;
    if (type === "clean") return { type: "uncleaned", attempt };
    return type === "submit" ? unsubmitted(outcome, attempt, detail) : (unchecked(outcome, attempt) ?? until(policy.recheckMs));
  }
}

function unsubmitted(outcome: CallOutcome, attempt: number, detail: string): JobEvent {
  if (outcome === "throttled" || outcome === "denied") return { type: "refused", attempt, detail };
  return outcome === "ok" ? { type: "rejected", attempt, detail } : { type: "unanswered", attempt };
}

/** Null where the account is there, and only does not say. */
function unchecked(outcome: CallOutcome, attempt: number): JobEvent | null {
  return outcome === "throttled" || outcome === "denied" ? null : { type: "unanswered", attempt };
}
