/**
 * Gives an uploaded file that too few regions have one more copy, beside whatever else is done for its job. A try is in the job's record before
 * anything is made, with a name of its own and the time by which it is over: whoever dies with it is replaced then, and what it left is removed.
 */
import type { Clock } from "../core/clock.ts";
import type { EncodingJob, InputCopy } from "../core/encoding.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { scrub, type Log } from "../core/log.ts";
import type { EncodingInputs } from "../core/ports/encodingInputs.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import { isSame, type CopyKey } from "./inputCopy.ts";
import type { Records } from "./records.ts";
import { copyLimitMs } from "./spread.ts";

export interface InputSpreadOptions {
  readonly store: Pick<EncodingStore, "get">;
  readonly records: Pick<Records, "apply">;
  readonly inputs: Pick<EncodingInputs, "copy">;
  readonly clock: Clock;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Takes work that is waited for when all is to stop. */
  readonly add: (what: string, of: string, work: Promise<void>) => void;
}

/** Copies of this process at a time. */
const AT_A_TIME = 4;
/** Between the end of a try and when another may begin. */
const MARGIN_MS = 60_000;

export class InputSpread {
  readonly #options: InputSpreadOptions;
  /** Ids of the jobs whose files are being copied. */
  readonly #under = new Set<string>();

  constructor(options: InputSpreadOptions) {
    this.#options = options;
  }

  /** Where enough are under way, or one of this job, nothing begins. */
  begin({ id }: EncodingJob, key: CopyKey): void {
    if (this.#under.size >= AT_A_TIME || this.#under.has(id)) return;
    this.#under.add(id);
    const over = (): void => void this.#under.delete(id);
    this.#options.add("copy", id, this.#spread(id, key).finally(over));
  }

  async #spread(id: string, key: CopyKey): Promise<void> {
    const { store, records, clock } = this.#options;
    const held = await store.get(id);
    if (held === null) return;
    const limitMs = copyLimitMs(held.job.input);
    const until = clock.now() + limitMs + MARGIN_MS;
    const claimed = await records.apply(held, [{ type: "spreading", ...key, until }], false);
    if (claimed === "gone" || claimed === "full") return;
    // Of those that wanted to begin this try one has.
    const copy = claimed.job.copies.find((each) => isSame(each, key) && each.state === "coming");
    if (copy?.dueAt !== until) return;
    const type = await this.#copied(claimed.job, copy, limitMs);
    await records.apply(claimed, [{ type, ...key }], false);
  }

  async #copied(job: EncodingJob, copy: InputCopy, limitMs: number): Promise<"copied" | "uncopied"> {
    const { inputs, clock, log, stop } = this.#options;
    const fields = { job: job.id, region: copy.region, asset: copy.assetName };
    try {
      using deadline = clock.deadline(limitMs);
      await inputs.copy(job, copy, AbortSignal.any([deadline.signal, stop]));
      log.info("encoding.input_copied", fields);
      return "copied";
    } catch (error) {
      log.warn("encoding.input_uncopied", { ...fields, code: errorCode(error), error: scrub(errorChain(error)) });
      return "uncopied";
    }
  }
}
