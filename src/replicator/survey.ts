/** Reads everything of an asset's publication from its source region. Secrets are in it; it lives as long as its job. */
import { PaircastError } from "../core/errors.ts";
import type { ContentKeyPolicy, MediaAsset, MediaFilter, MediaTrack, StreamingLocator, StreamingPolicy } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { rewriteKeyUrls, type KeyUrlRule } from "./keyUrls.ts";
import { contentKeyPolicyNames, text } from "./references.ts";

export interface Survey {
  readonly asset: MediaAsset;
  readonly locators: readonly StreamingLocator[];
  /** Predefined ones included. */
  readonly streamingPolicies: ReadonlyMap<string, StreamingPolicy>;
  readonly contentKeyPolicies: ReadonlyMap<string, ContentKeyPolicy>;
  readonly assetFilters: readonly MediaFilter[];
  /** All of the account: a player may name any of them. */
  readonly accountFilters: readonly MediaFilter[];
  /** Those that were added to the asset. What its server manifest names comes with the files. */
  readonly tracks: readonly MediaTrack[];
}

/** `locatorIds`: only these; null: all of the asset. Throws `source_missing` (never) for what a locator names and the region lacks. */
export async function surveySource(
  account: MediaAccount,
  assetName: string,
  locatorIds: ReadonlySet<string> | null,
  signal: AbortSignal,
): Promise<Survey> {
  const missing = (what: string): PaircastError =>
    new PaircastError("source_missing", `read ${assetName} in ${account.region}: there is no ${what}`);
  const asset = await account.asset(assetName, signal);
  if (asset === null) throw missing(`asset ${assetName}`);
  const locators = await readLocators(account, assetName, locatorIds, signal);
  const streamingPolicies = new Map<string, StreamingPolicy>();
  for (const name of new Set(locators.map((locator) => locator.streamingPolicyName))) {
    const policy = await account.streamingPolicy(name, signal);
    if (policy === null) throw missing(`streaming policy ${name}`);
    streamingPolicies.set(name, policy);
  }
  const contentKeyPolicies = new Map<string, ContentKeyPolicy>();
  const named = locators.flatMap((locator) => contentKeyPolicyNames(locator, streamingPolicies.get(locator.streamingPolicyName) ?? null));
  for (const name of new Set(named)) {
    const policy = await account.contentKeyPolicy(name, signal);
    if (policy === null) throw missing(`content key policy ${name}`);
    if (policy.secretsHidden === true) throw hidden(account, name);
    contentKeyPolicies.set(name, policy);
  }
  const assetFilters = await Array.fromAsync(account.assetFilters(assetName, signal));
  const own = new Set(assetFilters.map((filter) => filter.name));
  const accountFilters = await Array.fromAsync(account.accountFilters(signal));
  const shared = new Set(accountFilters.map((filter) => filter.name));
  const [lost] = new Set(locators.flatMap((locator) => locator.filters)).difference(own).difference(shared);
  if (lost !== undefined) throw missing(`filter ${lost}`);
  const tracks = (await Array.fromAsync(account.tracks(assetName, signal))).filter(wasAdded);
  return { asset, locators, streamingPolicies, contentKeyPolicies, assetFilters, accountFilters, tracks };
}

/** A policy without its secrets would let nobody play, or anybody. */
function hidden({ region }: MediaAccount, name: string): PaircastError {
  const advice = "use this region as a target only, or publish the policy in the other regions by hand";
  return new PaircastError(
    "source_secrets_hidden",
    `read content key policy ${name} in ${region}: its service does not give out secrets: ${advice}`,
  );
}

/** The survey as the targets are to have it. */
export function ledToGateway(survey: Survey, rules: readonly KeyUrlRule[]): Survey {
  const policies = [...survey.streamingPolicies].map(([name, policy]) => [name, rewriteKeyUrls(policy, rules)] as const);
  return { ...survey, streamingPolicies: new Map(policies) };
}

function wasAdded({ properties }: MediaTrack): boolean {
  return text(properties["fileName"]) !== null;
}

async function readLocators(
  account: MediaAccount,
  assetName: string,
  wanted: ReadonlySet<string> | null,
  signal: AbortSignal,
): Promise<readonly StreamingLocator[]> {
  const locators: StreamingLocator[] = [];
  for (const summary of await account.assetLocators(assetName, signal)) {
    if (wanted !== null && !wanted.has(summary.streamingLocatorId.toLowerCase())) continue;
    const locator = await account.locator(summary.name, signal);
    if (locator !== null) locators.push(locator);
  }
  if (locators.length === 0)
    throw new PaircastError("source_missing", `read ${assetName} in ${account.region}: no locator publishes it (any more)`);
  return locators;
}
