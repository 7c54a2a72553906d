/** Where jobs come in, are looked up, canceled and tried again. */
import type { Clock, Random } from "../core/clock.ts";
import type { EncodingInput, EncodingJob, OperatorAction, Priority } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { EncodingStore, JobFilter } from "../core/ports/encodingStore.ts";
import type { JobEvent } from "./job.ts";
import { jobId } from "./names.ts";
import { newJob } from "./newAttempt.ts";
import type { JobPolicy } from "./policy.ts";
import { Records } from "./records.ts";
import { awaitingUpload, type UploadEvent } from "./uploads.ts";

export interface DeskOptions {
  readonly store: EncodingStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: JobPolicy;
  /** Told what operators do. */
  readonly log?: Log;
}

export interface JobRequest {
  /** The caller's own id; whoever has none takes a new one each time. */
  readonly clientId: string;
  readonly transform: string;
  readonly input: EncodingInput;
  readonly priority: Priority;
}

/** Milliseconds that a write waits for company: many may come at once. */
const GATHER_MS = 2;

export class EncodingDesk {
  readonly #options: DeskOptions;
  readonly #records: Records;

  constructor(options: DeskOptions) {
    this.#options = options;
    const { store, clock, policy } = options;
    this.#records = new Records({ store, clock, policy, gatherMs: GATHER_MS, capacity: () => ({}), onEvidence: () => undefined });
  }

  /**
   * Takes a job in, once for each client id: the second time gives the first one's job. Throws `client_id_used` where that is another job
   * (retry class `conflict`).
   */
  async submit(request: JobRequest): Promise<{ readonly job: EncodingJob; readonly created: boolean }> {
    const { store, clock, random, policy } = this.#options;
    const now = clock.now();
    const job = awaitingUpload(newJob({ id: jobId(now, random.uuid()), ...request }, now), policy, now);
    if (await this.#records.add(job)) return { job, created: true };
    const known = await store.byClientId(request.clientId);
    if (known === null)
      throw new PaircastError("state_unavailable", `add encoding job ${request.clientId}: it was there and is not`, { retry: "retry" });
    if (!isSame(known.job, request))
      throw new PaircastError(
        "client_id_used",
        `add encoding job: the client id ${request.clientId} is that of another job, ${known.job.id}`,
        {
          retry: "conflict",
        },
      );
    return { job: known.job, created: false };
  }

  async job(id: string): Promise<EncodingJob | null> {
    return (await this.#options.store.get(id))?.job ?? null;
  }

  async list(filter: JobFilter): Promise<readonly EncodingJob[]> {
    return this.#options.store.list(filter);
  }

  /** Null where there is no such job; a job that is final stays as it is. */
  async cancel(id: string, by: string): Promise<EncodingJob | null> {
    return this.#act(id, { type: "cancel", by });
  }

  /** Tries a job that failed or was canceled again, everywhere. Null where there is no such job; another job stays as it is. */
  async retry(id: string, by: string): Promise<EncodingJob | null> {
    return this.#act(id, { type: "retry", by });
  }

  /** What came of an upload; null where there is no such job. */
  async uploaded(id: string, event: UploadEvent): Promise<EncodingJob | null> {
    return (await this.#apply(id, event))?.after ?? null;
  }

  async #act(id: string, event: Extract<JobEvent, { readonly type: OperatorAction["kind"] }>): Promise<EncodingJob | null> {
    const change = await this.#apply(id, event);
    if (change === null) return null;
    const { before, after } = change;
    if (hasActed(before, after, event.by)) this.#options.log?.info("encoding.action", { action: event.type, job: id, by: event.by });
    return after;
  }

  async #apply(id: string, event: JobEvent): Promise<{ readonly before: EncodingJob; readonly after: EncodingJob } | null> {
    const held = await this.#options.store.get(id);
    if (held === null) return null;
    const change = await this.#records.apply(held, [event], false);
    return change === "gone" || change === "full" ? null : { before: held.job, after: change.job };
  }
}

/** What could not be canceled or tried again is as it was, or as another operator has made it meanwhile. */
function hasActed(before: EncodingJob, after: EncodingJob, by: string): boolean {
  const [was, is] = [before.actions?.at(-1), after.actions?.at(-1)];
  return is?.by === by && is.at !== was?.at;
}

function isSame(job: EncodingJob, { transform, input }: JobRequest): boolean {
  return job.transform === transform && JSON.stringify(job.input) === JSON.stringify(input);
}
