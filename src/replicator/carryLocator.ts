/** Gives an account one locator of another, with the policies that it needs: the same names, ids, keys and values. For what no job replicates. */
import { PaircastError } from "../core/errors.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { CommonReads } from "./commonReads.ts";
import type { KeyUrlRule } from "./keyUrls.ts";
import { locatorTasks } from "./locators.ts";
import { policyTasks } from "./policies.ts";
import { ledToGateway, surveyPolicies } from "./survey.ts";
import { lookAtAll, makeEqual, refuseConflicts, type TaskContext } from "./tasks.ts";

export interface CarryOptions {
  readonly source: MediaAccount;
  readonly target: MediaAccount;
  /** How key and licence URL templates of streaming policies are led to the gateway. */
  readonly keyUrls: readonly KeyUrlRule[];
  readonly fingerprint: Fingerprint;
  readonly signal: AbortSignal;
}

/**
 * The target must have the asset, and the filters that the locator names. Everything is looked at before anything is written, and nothing of the
 * target is replaced. Throws `replica_conflict` where something else has the place, `source_missing` or `source_secrets_hidden` where the source
 * does not give it all.
 */
export async function carryLocator(name: string, { source, target, keyUrls, fingerprint, signal }: CarryOptions): Promise<void> {
  const locator = await source.locator(name, signal);
  if (locator === null) throw new PaircastError("source_missing", `read locator ${name} in ${source.region}: there is none (any more)`);
  const common = new CommonReads({ account: source, signal });
  const policies = await surveyPolicies({ account: source, common, assetName: locator.assetName }, [locator]);
  const survey = ledToGateway({ ...policies, locators: [locator] }, keyUrls);
  const identity = { source: source.region, target: target.region };
  const context: TaskContext = { deps: { journal: null, fingerprint }, identity, signal };
  const tasks = [
    ...policyTasks(context, survey, new CommonReads({ account: target, signal })),
    ...locatorTasks(context, survey, target, () => true),
  ];
  const place = `${source.region} to ${target.region}`;
  const seen = await lookAtAll(tasks);
  refuseConflicts(place, seen);
  for (const each of seen) await makeEqual(place, each);
}
