/** Compares an entity of the source with what the target has under the same name. Pure. */
import type { LocatorSummary, MediaAsset, StreamingLocator, Tree, TreeObject } from "../core/media.ts";
import type { Conflict } from "./conflict.ts";
import { withoutKeyUrls } from "./keyUrls.ts";
import { at, canonicalText, differingFields, locatorTree } from "./normalise.ts";

/** Something immutable of the target that could be deleted and created anew, where an operator wants that. */
export type Removable =
  | { readonly kind: "locator"; readonly name: string; readonly assetName: string; readonly locatorId: string }
  | { readonly kind: "streaming policy"; readonly name: string };

export type Verdict =
  | { readonly action: "create" | "skip" }
  /** The target's is what we last saw equal to the source's, and only the source has changed since. */
  | { readonly action: "replace" }
  | { readonly action: "conflict"; readonly conflict: Conflict; readonly removable?: Removable };

const SKIP: Verdict = { action: "skip" };
const CREATE: Verdict = { action: "create" };

export interface Compared {
  /** For instance `content key policy drm-default`. */
  readonly what: string;
  readonly source: TreeObject;
  /** Null where the target has none. */
  readonly target: TreeObject | null;
}

/** Tells two content keys apart without showing either: the beginning of a keyed fingerprint of a Base64 value. */
export type KeyPrint = (value: string) => string;

/** For what can be updated. `proof` and `current` are fingerprints: of what both sides last agreed on, and of what the target has now. */
export function diffUpdatable({ what, source, target }: Compared, proof: string | null, current: string | null): Verdict {
  if (target === null) return CREATE;
  if (canonicalText(source) === canonicalText(target)) return SKIP;
  if (proof !== null && proof === current) return { action: "replace" };
  // Its values can be secrets: the names of the fields must do.
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

/** A streaming policy holds no secret and cannot be changed. `source` is what the target is to have, its key URLs rewritten as configured. */
export function diffStreamingPolicy(name: string, source: TreeObject, target: TreeObject | null): Verdict {
  if (target === null) return CREATE;
  if (canonicalText(source) === canonicalText(target)) return SKIP;
  const fields = differingFields(source, target);
  const text = (tree: TreeObject): string => fields.map((field) => `${field} ${plain(at(tree, field))}`).join(", ");
  const onlyKeyUrls = canonicalText(withoutKeyUrls(source)) === canonicalText(withoutKeyUrls(target));
  const advice = onlyKeyUrls
    ? "streaming policies cannot be changed: replicate with --recreate while no other asset uses the target's, correct replication.keyUrls, or publish under a streaming policy of another name"
    : "streaming policies cannot be changed: replicate with --recreate while no other asset uses the target's, or publish under a streaming policy of another name";
  return {
    action: "conflict",
    conflict: {
      what: `streaming policy ${name}`,
      source: text(source),
      target: text(target),
      advice,
      ...(onlyKeyUrls ? { keepsServing: true } : {}),
    },
    removable: { kind: "streaming policy", name },
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

/** What the target has where the source's locator should be. */
export interface LocatorPlace {
  /** The locator of the same name, null where there is none. */
  readonly locator: StreamingLocator | null;
  /** The other locators of the asset; looked at only where there is none of the name. */
  readonly others: readonly LocatorSummary[];
}

const RECREATE = "locators cannot be changed: replicate with --recreate, or delete the target's if nothing plays it and replicate again";

export function diffLocator(source: StreamingLocator, { locator, others }: LocatorPlace, print: KeyPrint): Verdict {
  const what = `locator ${source.name}`;
  const locatorId = source.streamingLocatorId.toLowerCase();
  if (locator === null) {
    const twin = others.find((other) => other.streamingLocatorId.toLowerCase() === locatorId);
    if (twin === undefined) return CREATE;
    const target = `the same id under the name ${twin.name}`;
    const conflict: Conflict = { what, source: `id ${locatorId}`, target, advice: RECREATE, locatorId };
    return { action: "conflict", conflict, removable: removable(twin) };
  }
  const [one, other] = [locatorTree(source), locatorTree(locator)];
  const fields = Object.keys(one).filter((field) => canonicalText(one[field]) !== canonicalText(other[field]));
  if (fields.length === 0) return SKIP;
  const conflict: Conflict = {
    what,
    source: locatorText(source, fields, print),
    target: locatorText(locator, fields, print),
    advice: RECREATE,
    locatorId,
  };
  return { action: "conflict", conflict, removable: removable(locator) };
}

function removable({ name, assetName, streamingLocatorId }: LocatorSummary): Removable {
  return { kind: "locator", name, assetName, locatorId: streamingLocatorId.toLowerCase() };
}

/** For a create that the service refuses because something is there that is not under the name: `holder` is the locator with the id, if any. */
export function takenElsewhere(source: StreamingLocator, holder: LocatorSummary | null): Conflict {
  const locatorId = source.streamingLocatorId.toLowerCase();
  const ids = source.contentKeys.map(({ id }) => id).join(", ");
  const common = { what: `locator ${source.name}`, locatorId };
  if (holder !== null) {
    const target = `the same id in the locator ${holder.name} of asset ${holder.assetName}`;
    const advice =
      "a locator id can be published once in a region: delete that locator if it is of no use, or publish the source's under a new id";
    return { ...common, source: `id ${locatorId}`, target, advice };
  }
  return {
    ...common,
    source: `content keys ${ids === "" ? "none" : ids}`,
    target: "one of these ids in another locator of the region, maybe of another account",
    advice:
      "a content key id can be published once in a region: delete that locator if it is of no use, or publish the source's with new keys",
  };
}

/** The differing fields of one side. Of keys it names ids, labels and fingerprints: never the value. */
function locatorText(locator: StreamingLocator, fields: readonly string[], print: KeyPrint): string {
  const tree = locatorTree(locator);
  return fields.map((field) => (field === "contentKeys" ? keysText(locator, print) : `${field} ${plain(tree[field])}`)).join(", ");
}

function keysText({ contentKeys }: StreamingLocator, print: KeyPrint): string {
  const keys = contentKeys.map(({ id, labelReferenceInStreamingPolicy: label, value }) => {
    const labelled = label === null ? "" : `label ${label}, `;
    return `${id.toLowerCase()} (${labelled}fingerprint ${print(value)})`;
  });
  return keys.length === 0 ? "no content keys" : `content keys ${keys.sort().join(", ")}`;
}

function plain(tree: Tree | undefined): string {
  return tree === null || tree === undefined ? "unset" : JSON.stringify(tree);
}
