/** Verification as part of `serve`: for ever, so that every copy is looked at again within a stated time. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import { forEachBounded } from "../bounded.ts";
import type { JobDeps } from "../jobDeps.ts";
import { copyKey, dueCopies, oldestVerified } from "./due.ts";
import type { Inspector } from "./inspector.ts";
import { tell, type VerificationRecorder } from "./tell.ts";
import { verifyCopy, type CopyReport, type VerifyCopyOptions } from "./verifyCopy.ts";

export interface RecheckOptions extends VerifyCopyOptions {
  /** Within this time every copy is verified again. */
  readonly everyMs: number;
  /** Copies at a time. */
  readonly concurrency: number;
  /** What the catalogue has now. */
  readonly entries: () => Iterable<CatalogueEntry>;
  readonly metrics: VerificationRecorder | null;
}

/** Copies that are chosen at once. */
const MOST = 256;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
const LONGEST_RETRY_MS = 6 * 3_600_000;

/** Runs until `stop` aborts. Never rejects. Several processes may do this for one library: each copy is looked at by one of them. */
export async function recheckLoop(deps: JobDeps, inspector: Inspector, options: RecheckOptions, stop: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  const { everyMs } = options;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, everyMs / 1_000));
  const rechecks = new Rechecks(deps, inspector, options, Math.min(LONGEST_RETRY_MS, Math.max(pauseMs, everyMs / 100)));
  options.metrics?.interval(everyMs / 1_000);
  while (!stop.aborted) {
    let count = 0;
    try {
      count = await rechecks.run(stop);
    } catch (error) {
      if (!stop.aborted) log.error("verification.pass_failed", { code: errorCode(error), error: errorChain(error) });
    }
    if (count < MOST) await clock.sleep(pauseMs, stop).catch(() => undefined);
  }
}

class Rechecks {
  readonly #deps: JobDeps;
  readonly #inspector: Inspector;
  readonly #options: RecheckOptions;
  readonly #retryMs: number;
  /** Copies that were not found sound, and when they are looked at again. */
  readonly #later = new Map<string, number>();

  constructor(deps: JobDeps, inspector: Inspector, options: RecheckOptions, retryMs: number) {
    this.#deps = deps;
    this.#inspector = inspector;
    this.#options = options;
    this.#retryMs = retryMs;
  }

  /** What is due now; returns how many copies that were. */
  async run(stop: AbortSignal): Promise<number> {
    const { clock } = this.#deps;
    const { everyMs, concurrency, entries } = this.#options;
    for (const [key, until] of this.#later) if (until <= clock.monotonic()) this.#later.delete(key);
    const due = dueCopies(entries(), { now: clock.now(), everyMs, most: MOST, regions: this.#inspector.regions, except: this.#later });
    const verify = async (copy: (typeof due)[number]): Promise<void> => {
      this.#took(await verifyCopy(this.#deps, this.#inspector, copy, this.#options, stop), stop);
    };
    await forEachBounded(due, concurrency, verify, stop);
    this.#measure();
    return due.length;
  }

  #took(report: CopyReport, stop: AbortSignal): void {
    if (stop.aborted) return;
    if (report.result !== "sound") this.#later.set(copyKey(report), this.#deps.clock.monotonic() + this.#retryMs);
    tell(report, this.#deps.log, this.#options.metrics);
  }

  #measure(): void {
    const { entries, metrics } = this.#options;
    for (const [region, at] of oldestVerified(entries(), this.#inspector.regions)) metrics?.oldest(region, at === null ? null : at / 1_000);
  }
}
