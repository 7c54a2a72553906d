/** What replicating with a configuration would do now. */
import { planningDeps, planPass, type PlanListeners } from "../replicator/planning/planPass.ts";
import type { PassSummary } from "../replicator/pass.ts";
import type { Foundations } from "./foundations.ts";
import { composeReplication, type OnceOptions } from "./replication.ts";

export type { JobPlan } from "../replicator/planning/jobPlan.ts";

/** As `replicateOnce`, changing nothing. */
export async function planOnce(
  foundations: Foundations,
  { asset, acceptWithdrawals, changed = false, recreate = false }: OnceOptions,
  listeners: PlanListeners,
  stop: AbortSignal,
): Promise<PassSummary | null> {
  const jobs = planningDeps({ ...foundations.jobs, options: { ...foundations.jobs.options, recreate } }, listeners);
  const replication = composeReplication({ ...foundations, jobs });
  if (replication === null) return null;
  const options = {
    ...replication.options,
    full: !changed,
    assetName: asset,
    acceptWithdrawals,
    cursors: foundations.cursors,
    look: "once",
  };
  return planPass({ deps: jobs, ...replication }, options, listeners, stop);
}
