/**
 * Whether what is in the way on a target may be deleted and created anew. Refused is whatever could leave a video unplayable where it plays from:
 * what belongs to another asset, what the target publishes by itself, and what no other region is known to serve meanwhile. Pure.
 */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { LocatorSummary, StreamingLocator } from "../core/media.ts";
import type { Conflict } from "./conflict.ts";
import type { Removable, Verdict } from "./diff.ts";
import type { JobIdentity } from "./job.ts";

/** What decides, read beside the entities themselves. */
export interface RecreationFacts {
  /** The target's locators under each streaming policy that is in conflict. */
  readonly users: ReadonlyMap<string, readonly LocatorSummary[]>;
  /** The catalogue's entries by locator id, of all locators that might be deleted and of those that take their place. */
  readonly entries: ReadonlyMap<string, CatalogueEntry>;
}

export interface Recreation {
  /** In the order in which they have to go: nothing is deleted that is still used. */
  readonly removals: readonly Removable[];
  /** Lower-case ids of locators that the target must not serve until they are verified there again. */
  readonly withdrawn: readonly string[];
  /** What stays in the way, each with the reason. */
  readonly refused: readonly Conflict[];
}

export type Refused = Extract<Verdict, { action: "conflict" }>;

/** `locators` are the source's, which are created on the target again where they are missing. */
export function decideRecreation(
  identity: JobIdentity,
  locators: readonly StreamingLocator[],
  conflicts: readonly Refused[],
  facts: RecreationFacts,
): Recreation {
  const locatorRemovals = new Map<string, Extract<Removable, { kind: "locator" }>>();
  const policyRemovals: Removable[] = [];
  const refused: Conflict[] = [];
  for (const { conflict, removable } of conflicts) {
    const wanted = removable === undefined ? null : removalsFor(removable, facts);
    const objects = (one: LocatorRemoval): string | null => objection(identity, locators, one, facts);
    const reason = wanted === null ? null : (ofOthers(identity, wanted) ?? firstReason(wanted, objects));
    if (wanted === null) refused.push(conflict);
    else if (reason !== null) refused.push({ ...conflict, advice: `it cannot be recreated: ${reason}` });
    else {
      for (const one of wanted) locatorRemovals.set(one.name, one);
      if (removable?.kind === "streaming policy") policyRemovals.push(removable);
    }
  }
  const removed = [...locatorRemovals.values()];
  const replaced = locators
    .filter(({ name }) => locatorRemovals.has(name))
    .map(({ streamingLocatorId }) => streamingLocatorId.toLowerCase());
  return {
    removals: [...removed, ...policyRemovals],
    withdrawn: [...new Set([...removed.map(({ locatorId }) => locatorId), ...replaced])],
    refused,
  };
}

type LocatorRemoval = Extract<Removable, { kind: "locator" }>;

/** The locators that have to go: the one in the way, or all that use the policy in the way. */
function removalsFor(removable: Removable, { users }: RecreationFacts): readonly LocatorRemoval[] {
  if (removable.kind === "locator") return [removable];
  return (users.get(removable.name) ?? []).map(({ name, assetName, streamingLocatorId }) => ({
    kind: "locator",
    name,
    assetName,
    locatorId: streamingLocatorId.toLowerCase(),
  }));
}

/**
 * Their videos would have to be known to play elsewhere, be kept from all jobs meanwhile, and be made again by this one: with the thousands that a
 * policy may have, a region would be emptied by what an asset's job found.
 */
function ofOthers({ assetName, target }: JobIdentity, removals: readonly LocatorRemoval[]): string | null {
  const others = removals.filter((one) => one.assetName !== assetName);
  const [first] = others;
  if (first === undefined) return null;
  const [more, them] = others.length === 1 ? ["", "it"] : [` and ${others.length - 1} more of other assets`, "them"];
  return `locator ${first.name} of asset ${first.assetName}${more} would go with it: drain ${target}, delete ${them} and what is in the way there by hand, replicate, and undrain it`;
}

function firstReason(removals: readonly LocatorRemoval[], objects: (one: LocatorRemoval) => string | null): string | null {
  for (const one of removals) {
    const reason = objects(one);
    if (reason !== null) return reason;
  }
  return null;
}

function servesAlone({ regions }: CatalogueEntry, target: string, source: string): boolean {
  return regions[target]?.state === "verified" && regions[source]?.state !== "verified";
}

function objection(
  { source, target }: JobIdentity,
  locators: readonly StreamingLocator[],
  { name, locatorId }: LocatorRemoval,
  { entries }: RecreationFacts,
): string | null {
  const entry = entries.get(locatorId);
  if (entry?.source === target) return `locator ${name} (${locatorId}) is published in ${target} itself; unpublish it there first`;
  const successor = locators.find((locator) => locator.streamingLocatorId.toLowerCase() === locatorId || locator.name === name);
  if (successor === undefined) return `locator ${name} (${locatorId}) would go with it, and ${source} has none to put in its place`;
  if (successor.streamingLocatorId.toLowerCase() !== locatorId) {
    if (entry?.source === source) return null;
    return `locator ${name} has another id (${locatorId}), and nothing shows that it is a copy of ours; delete it by hand if nothing plays it`;
  }
  if (entry !== undefined && servesAlone(entry, target, source))
    return `the catalogue does not have ${locatorId} as verified in ${source}, so nobody would serve it meanwhile; replicate again once it has`;
  return null;
}
