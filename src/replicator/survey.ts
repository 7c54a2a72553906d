/** Reads everything of an asset's publication from its source region. Secrets are in it; it lives as long as its job. */
import { PaircastError } from "../core/errors.ts";
import type { ContentKeyPolicy, MediaAsset, MediaFilter, StreamingLocator, StreamingPolicy } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { contentKeyPolicyNames } from "./references.ts";

export interface Survey {
  readonly asset: MediaAsset;
  readonly locators: readonly StreamingLocator[];
  /** Predefined ones included. */
  readonly streamingPolicies: ReadonlyMap<string, StreamingPolicy>;
  readonly contentKeyPolicies: ReadonlyMap<string, ContentKeyPolicy>;
  readonly assetFilters: readonly MediaFilter[];
  /** Those that a locator names and that are not the asset's own. */
  readonly accountFilters: readonly MediaFilter[];
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
    contentKeyPolicies.set(name, policy);
  }
  const assetFilters = await Array.fromAsync(account.assetFilters(assetName, signal));
  const own = new Set(assetFilters.map((filter) => filter.name));
  const accountFilters: MediaFilter[] = [];
  for (const name of new Set(locators.flatMap((locator) => locator.filters)).difference(own)) {
    const filter = await account.accountFilter(name, signal);
    if (filter === null) throw missing(`filter ${name}`);
    accountFilters.push(filter);
  }
  return { asset, locators, streamingPolicies, contentKeyPolicies, assetFilters, accountFilters };
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
