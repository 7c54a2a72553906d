/** Applies events to stored jobs: on the newest version, again when somebody else was faster, many in one write. */
import type { Clock } from "../core/clock.ts";
import type { EncodingJob, EncodingMessage } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import type { EncodingStore, JobWrite, VersionedJob, WriteResult } from "../core/ports/encodingStore.ts";
import { placesOf, timersOf } from "./duties.ts";
import type { Evidence } from "./evidence.ts";
import { apply, type JobEvent } from "./job.ts";
import type { JobPolicy } from "./policy.ts";

export interface RecordsOptions {
  readonly store: EncodingStore;
  readonly clock: Clock;
  readonly policy: JobPolicy;
  /** How long a write waits for company. */
  readonly gatherMs: number;
  readonly capacity: () => Readonly<Record<string, number>>;
  /** Told once, by whoever has written it. */
  readonly onEvidence: (evidence: Evidence) => void;
}

/** `full`: an account has no place for what was to be done; nothing was written. `gone`: there is no such record any more. */
export type Change = VersionedJob | "full" | "gone";

interface Waiting {
  readonly write: JobWrite;
  readonly written: PromiseWithResolvers<WriteResult>;
}

const ATTEMPTS = 20;

/** By which a job that is not there yet enters the store. */
export function firstWrite(job: EncodingJob, policy: JobPolicy): JobWrite {
  return { job, expected: null, timers: timersOf(job, policy), places: placesOf(job), capacity: {}, messages: [] };
}

export class Records {
  readonly #options: RecordsOptions;
  #waiting: Waiting[] = [];
  #flushing = false;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  /** A job that is not there yet; false where there is one of this client id. */
  async add(job: EncodingJob): Promise<boolean> {
    const { policy } = this.#options;
    return (await this.#write(firstWrite(job, policy))).ok;
  }

  /** `held`: taken, so that its timers have to be set anew even where nothing has happened. */
  async apply(held: VersionedJob, events: readonly JobEvent[], taken: boolean): Promise<Change> {
    let current = held;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const after = this.#after(current.job, events);
      if (after.job === current.job && !(taken && attempt === 1)) return current;
      const result = await this.#write(this.#writeOf(after, current.version));
      if (result.ok) {
        for (const evidence of after.evidence) this.#options.onEvidence(evidence);
        return { job: after.job, version: result.version };
      }
      if (result.why === "full") return "full";
      const newer = await this.#options.store.get(held.job.id);
      if (newer === null) return "gone";
      current = newer;
    }
    throw new PaircastError("state_unavailable", `write encoding job ${held.job.id}: others write it all the time`, { retry: "retry" });
  }

  #after(job: EncodingJob, events: readonly JobEvent[]) {
    const { policy, clock } = this.#options;
    const [messages, evidence]: [EncodingMessage[], Evidence[]] = [[], []];
    let current = job;
    for (const event of events) {
      const applied = apply(current, event, policy, clock.now());
      current = applied.job;
      messages.push(...applied.messages);
      evidence.push(...applied.evidence);
    }
    return { job: current, messages, evidence };
  }

  #writeOf({ job, messages }: { readonly job: EncodingJob; readonly messages: readonly EncodingMessage[] }, expected: string): JobWrite {
    const { policy, capacity } = this.#options;
    return { job, expected, timers: timersOf(job, policy), places: placesOf(job), capacity: capacity(), messages };
  }

  async #write(write: JobWrite): Promise<WriteResult> {
    const written = Promise.withResolvers<WriteResult>();
    this.#waiting.push({ write, written });
    void this.#flush();
    return written.promise;
  }

  /** Rejects for nobody: whoever waits is told. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    while (this.#waiting.length > 0) {
      await this.#options.clock.sleep(this.#options.gatherMs);
      const together = this.#waiting;
      this.#waiting = [];
      await this.#writeAll(together);
    }
    this.#flushing = false;
  }

  async #writeAll(together: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#options.store.write(together.map(({ write }) => write));
      for (const [index, { written }] of together.entries()) written.resolve(results[index] ?? { ok: false, why: "conflict" });
    } catch (error) {
      for (const { written } of together) written.reject(error);
    }
  }
}
