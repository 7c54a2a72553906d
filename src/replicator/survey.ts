/** Reads everything of an asset's publication from its source region. Secrets are in it; it lives as long as its job. */
import { PaircastError } from "../core/errors.ts";
import type { ContentKeyPolicy, MediaAsset, MediaFilter, MediaTrack, StreamingLocator, StreamingPolicy } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { CommonReads } from "./commonReads.ts";
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

export interface SurveyOptions {
  readonly account: MediaAccount;
  /** What the assets of the account have in common. */
  readonly common: CommonReads;
  readonly assetName: string;
  /** Only these; null: all of the asset. */
  readonly locatorIds: ReadonlySet<string> | null;
  /** Nothing is made of it: filters and tracks of the asset are read only where a locator names filters. Default false. */
  readonly onlyPlays?: boolean;
  readonly signal: AbortSignal;
}

/** Throws `source_missing` (never) for what a locator names and the region lacks. */
export async function surveySource(options: SurveyOptions): Promise<Survey> {
  const { account, assetName, locatorIds, signal } = options;
  const asset = await account.asset(assetName, signal);
  if (asset === null) throw missing(options, `asset ${assetName}`);
  const locators = await readLocators(account, assetName, locatorIds, signal);
  const policies = await surveyPolicies(options, locators);
  return { asset, locators, ...policies, ...(await readFilters(options, locators)), tracks: await readTracks(options) };
}

/** Where is read, and what for. */
type Place = Pick<SurveyOptions, "account" | "common" | "assetName">;
type Policies = Pick<Survey, "streamingPolicies" | "contentKeyPolicies">;

/** What the locators of an asset name. Throws as `surveySource`, and `source_secrets_hidden` for a policy without its secrets. */
export async function surveyPolicies(options: Place, locators: readonly StreamingLocator[]): Promise<Policies> {
  const { account, common } = options;
  const streamingPolicies = new Map<string, StreamingPolicy>();
  for (const name of new Set(locators.map((locator) => locator.streamingPolicyName))) {
    const policy = await common.streamingPolicy(name);
    if (policy === null) throw missing(options, `streaming policy ${name}`);
    streamingPolicies.set(name, policy);
  }
  const contentKeyPolicies = new Map<string, ContentKeyPolicy>();
  const named = locators.flatMap((locator) => contentKeyPolicyNames(locator, streamingPolicies.get(locator.streamingPolicyName) ?? null));
  for (const name of new Set(named)) {
    const policy = await common.contentKeyPolicy(name);
    if (policy === null) throw missing(options, `content key policy ${name}`);
    if (policy.secretsHidden === true) throw hidden(account, name);
    contentKeyPolicies.set(name, policy);
  }
  return { streamingPolicies, contentKeyPolicies };
}

type Filters = Pick<Survey, "assetFilters" | "accountFilters">;

async function readFilters(options: SurveyOptions, locators: readonly StreamingLocator[]): Promise<Filters> {
  const { account, common, assetName, onlyPlays = false, signal } = options;
  const named = new Set(locators.flatMap((locator) => locator.filters));
  const assetFilters = onlyPlays && named.size === 0 ? [] : await Array.fromAsync(account.assetFilters(assetName, signal));
  const accountFilters = await common.accountFilters();
  const [lost] = named.difference(new Set([...assetFilters, ...accountFilters].map((filter) => filter.name)));
  if (lost !== undefined) throw missing(options, `filter ${lost}`);
  return { assetFilters, accountFilters };
}

async function readTracks({ account, assetName, onlyPlays = false, signal }: SurveyOptions): Promise<readonly MediaTrack[]> {
  return onlyPlays ? [] : (await Array.fromAsync(account.tracks(assetName, signal))).filter(wasAdded);
}

function missing({ account, assetName }: Place, what: string): PaircastError {
  return new PaircastError("source_missing", `read ${assetName} in ${account.region}: there is no ${what}`);
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
export function ledToGateway<T extends Pick<Survey, "streamingPolicies">>(survey: T, rules: readonly KeyUrlRule[]): T {
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
