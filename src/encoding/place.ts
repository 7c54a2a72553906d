/** Pure: chooses the account for a job's next attempt: at random among those that are used, by their free capacity, never one already tried. */
import type { Attempt, EncodingJob } from "../core/encoding.ts";
import type { JobPolicy } from "./policy.ts";

/** An account as far as placing goes. */
export interface Berth {
  readonly account: string;
  /** In use, and nothing keeps jobs away from it now. */
  readonly usable: boolean;
  /** It was out, and wants one job to be tried with. */
  readonly trial: boolean;
  /** Jobs that it may still take. */
  readonly free: number;
}

export type Placement =
  | { readonly type: "account"; readonly account: string; readonly trial: boolean }
  /** Every account that could be used has enough to do. */
  | { readonly type: "full" }
  /** None can be used. */
  | { readonly type: "none" }
  /** The job has been everywhere, or tried often enough. */
  | { readonly type: "exhausted"; readonly detail: string };

/** `draw` is uniform in [0, 1). */
export function place(job: EncodingJob, berths: readonly Berth[], draw: number, policy: JobPolicy, now: number): Placement {
  const round = job.attempts.filter((attempt) => attempt.round === job.round);
  const tried = new Set(round.filter(hasTried).map(({ account }) => account));
  const left = berths.filter(({ account }) => !tried.has(account));
  if (tried.size >= policy.maxAttempts || (left.length === 0 && tried.size > 0)) return exhausted(job, tried);
  // Who refused it a moment ago would do so again.
  const refused = new Set(
    round.filter(({ end, dueAt }) => end === "refused" && now - dueAt < policy.refusedMs).map(({ account }) => account),
  );
  const open = left.filter(({ account }) => !refused.has(account));
  const wanting = open.find(({ trial, free }) => trial && free > 0);
  if (wanting !== undefined) return { type: "account", account: wanting.account, trial: true };
  const usable = open.filter((berth) => berth.usable);
  const account = weighted(usable, draw);
  if (account !== null) return { type: "account", account, trial: false };
  return { type: usable.length > 0 ? "full" : "none" };
}

/** The account was not even asked, or an operator took the job away: it may have it again. */
function hasTried({ end, moved }: Attempt): boolean {
  return end !== "refused" && end !== "withheld" && moved !== "disabled";
}

function exhausted(job: EncodingJob, tried: ReadonlySet<string>): Placement {
  const last = job.attempts.at(-1)?.endDetail ?? "no reason known";
  return { type: "exhausted", detail: `tried in ${[...tried].join(", ")}; the last attempt: ${last}; retry it once that is mended` };
}

function weighted(berths: readonly Berth[], draw: number): string | null {
  const roomy = berths.filter(({ free }) => free > 0);
  let rest = draw * roomy.reduce((sum, { free }) => sum + free, 0);
  for (const { account, free } of roomy) {
    rest -= free;
    if (rest < 0) return account;
  }
  return roomy.at(-1)?.account ?? null;
}
