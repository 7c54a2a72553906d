/** Compares an entity of the source with what the target has under the same name. Pure. */
import type { LocatorSummary, MediaAsset, StreamingLocator, Tree, TreeObject } from "../core/media.ts";
import type { Conflict } from "./conflict.ts";
import { canonicalText, differingFields, locatorTree } from "./normalise.ts";

export type Verdict =
  | { readonly action: "create" | "skip" }
  /** The target's is what we last saw equal to the source's, and only the source has changed since. */
  | { readonly action: "replace" }
  | { readonly action: "conflict"; readonly conflict: Conflict };

const SKIP: Verdict = { action: "skip" };
const CREATE: Verdict = { action: "create" };

export interface Compared {
  /** For instance `content key policy drm-default`. */
  readonly what: string;
  readonly source: TreeObject;
  /** Null where the target has none. */
  readonly target: TreeObject | null;
}

/** For what can be updated. `proof` and `current` are fingerprints: of what both sides last agreed on, and of what the target has now. */
export function diffUpdatable(compared: Compared, proof: string | null, current: string | null): Verdict {
  const verdict = diffImmutable(compared);
  const unchanged = proof !== null && proof === current;
  return verdict.action === "conflict" && unchanged ? { action: "replace" } : verdict;
}

/** For what can only be created: streaming policies, and locators by `diffLocator`. */
export function diffImmutable({ what, source, target }: Compared): Verdict {
  if (target === null) return CREATE;
  if (canonicalText(source) === canonicalText(target)) return SKIP;
  const fields = differingFields(source, target).join(", ");
  return {
    action: "conflict",
    conflict: {
      what,
      source: "its own definition",
      target: `another one under the same name, which differs in ${fields}`,
      advice: "make the two equal by hand, or delete the target's if nothing uses it",
    },
  };
}

/** Container names must be equal, so that either region can later be rebuilt from the other. */
export function diffAsset(source: MediaAsset, target: MediaAsset | null): Verdict {
  if (target === null) return CREATE;
  if (target.container === source.container) return SKIP;
  return {
    action: "conflict",
    conflict: {
      what: `asset ${source.name}`,
      source: `container ${source.container}`,
      target: `container ${target.container}`,
      advice: "delete the target's asset if it is of no use, or rename the asset in the source",
    },
  };
}

/** `others` are the locators that the target has for the asset. */
export function diffLocator(source: StreamingLocator, target: StreamingLocator | null, others: readonly LocatorSummary[]): Verdict {
  const what = `locator ${source.name}`;
  const advice = "locators cannot be changed: delete the target's if nothing plays it, and replicate again";
  if (target === null) {
    const twin = others.find((other) => other.streamingLocatorId.toLowerCase() === source.streamingLocatorId.toLowerCase());
    if (twin === undefined) return CREATE;
    const locatorId = source.streamingLocatorId;
    const conflict = { what, source: `id ${locatorId}`, target: `the same id under the name ${twin.name}`, advice, locatorId };
    return { action: "conflict", conflict };
  }
  const [one, other] = [locatorTree(source), locatorTree(target)];
  const fields = Object.keys(one).filter((field) => canonicalText(one[field]) !== canonicalText(other[field]));
  if (fields.length === 0) return SKIP;
  return {
    action: "conflict",
    conflict: {
      what,
      source: locatorText(source, target, fields),
      target: locatorText(target, source, fields),
      advice,
      locatorId: source.streamingLocatorId,
    },
  };
}

/** The differing fields of one side. Of keys it names ids and labels, and says where a value differs: never the value. */
function locatorText(one: StreamingLocator, other: StreamingLocator, fields: readonly string[]): string {
  const tree = locatorTree(one);
  return fields.map((field) => (field === "contentKeys" ? keysText(one, other) : `${field} ${plain(tree[field])}`)).join(", ");
}

function keysText(one: StreamingLocator, other: StreamingLocator): string {
  const theirs = new Map(other.contentKeys.map((key) => [key.id.toLowerCase(), key]));
  const keys = one.contentKeys.map((key) => {
    const twin = theirs.get(key.id.toLowerCase());
    const label = key.labelReferenceInStreamingPolicy === null ? "" : ` (label ${key.labelReferenceInStreamingPolicy})`;
    return `${key.id}${label}${twin !== undefined && twin.value !== key.value ? " with another value" : ""}`;
  });
  return keys.length === 0 ? "no content keys" : `content keys ${keys.sort().join(", ")}`;
}

function plain(tree: Tree | undefined): string {
  return tree === null || tree === undefined ? "unset" : JSON.stringify(tree);
}
