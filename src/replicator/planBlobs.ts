/** Decides, blob by blob, what a copy of a container needs. What both sides list and the journal are all that it looks at. Pure. */
import type { BlobRecord } from "../core/ports/journal.ts";
import type { BlobInfo, WriteCondition } from "../core/ports/storage.ts";
import type { Conflict } from "./conflict.ts";

export interface BlobPair {
  readonly source: BlobInfo;
  readonly target: BlobInfo;
}

export type BlobAction =
  /** Proven equal by an earlier run, and unchanged on both sides since. */
  | ({ readonly kind: "skip" } & BlobPair)
  /** Equal by length, MD5 and properties, and not in the journal yet. */
  | ({ readonly kind: "adopt"; readonly md5: string } & BlobPair)
  /** Same length, but a side has no MD5: the bytes decide. `ours` says that the journal proves the target's blob to be our own. */
  | ({ readonly kind: "compare"; readonly ours: boolean } & BlobPair)
  | { readonly kind: "copy"; readonly source: BlobInfo; readonly condition: WriteCondition }
  | { readonly kind: "conflict"; readonly conflict: Conflict };

export type BlobFinding =
  | BlobAction
  /** The target has it and the source does not. It is reported and left alone. */
  | { readonly kind: "extra"; readonly name: string }
  /** Still being written in the source. */
  | { readonly kind: "unready"; readonly name: string }
  /** In the archive tier of the source, where nobody can read it, and not proven on the target. */
  | { readonly kind: "archived"; readonly name: string };

/** How many blobs of each kind there are, and the bytes of those to be copied. */
export interface BlobTotals {
  readonly copy: number;
  readonly bytes: number;
  /** On the target already, equal, and new to the journal. */
  readonly adopt: number;
  /** Equal and known to be. */
  readonly skip: number;
}

export interface BlobPlan {
  readonly totals: BlobTotals;
  /** The first of them. */
  readonly conflicts: readonly Conflict[];
  /** What is to be done, less what is to be skipped; null where it is too much to hold: it is then found again, page by page. */
  readonly actions: readonly BlobAction[] | null;
  /** For people: what was noticed and left alone, or is carried in another form. */
  readonly notes: readonly string[];
  /** A side does not list in the order of names. */
  readonly unordered: boolean;
}

/** `record` is what the journal says of the name in the same two containers. */
export function planBlob(source: BlobInfo | null, target: BlobInfo | null, record: BlobRecord | null): BlobFinding {
  if (source === null) return { kind: "extra", name: target?.name ?? "" };
  if (!isReadable(source)) return { kind: "unready", name: source.name };
  const action = planReadable(source, target, record);
  const needsContent = action.kind === "copy" || action.kind === "compare";
  return needsContent && source.tier === "Archive" ? { kind: "archived", name: source.name } : action;
}

function isReadable(blob: BlobInfo): boolean {
  return blob.copyStatus === null || blob.copyStatus === "success";
}

function planReadable(source: BlobInfo, target: BlobInfo | null, record: BlobRecord | null): BlobAction {
  // A pending copy is an earlier run's: the container waits for it instead of starting another.
  if (target === null || target.copyStatus === "pending") return { kind: "copy", source, condition: "absent" };
  // What a failed copy left has no content, so nothing is lost by replacing it.
  if (!isReadable(target)) return { kind: "copy", source, condition: { etag: target.etag } };
  return planPresent({ source, target }, record?.targetEtag === target.etag ? record : null);
}

/** `own` is the journal's record where the target's blob is still the one that it speaks of. */
function planPresent(pair: BlobPair, own: BlobRecord | null): BlobAction {
  const { source, target } = pair;
  if (source.length !== target.length || claimsDiffer(pair)) return differs(pair, own !== null);
  if (own !== null && own.sourceEtag === source.etag) return { kind: "skip", ...pair };
  if (differentProperty(pair) !== null) return differs(pair, own !== null);
  if (source.contentMd5 === null || target.contentMd5 === null) return { kind: "compare", ...pair, ours: own !== null };
  return { kind: "adopt", ...pair, md5: source.contentMd5 };
}

function claimsDiffer({ source, target }: BlobPair): boolean {
  return source.contentMd5 !== null && target.contentMd5 !== null && source.contentMd5 !== target.contentMd5;
}

const PROPERTIES = ["contentType", "contentEncoding", "contentLanguage", "contentDisposition", "cacheControl"] as const;

/** A property that a player or a cache goes by and that both sides have, each its own. What a side does not list is not known. */
function differentProperty({ source, target }: BlobPair): string | null {
  const property = PROPERTIES.find((name) => source[name] !== null && target[name] !== null && source[name] !== target[name]);
  return property ?? (differentMetadata(source.metadata, target.metadata) ? "metadata" : null);
}

function differentMetadata(one: BlobInfo["metadata"], other: BlobInfo["metadata"]): boolean {
  const [names, others] = [Object.keys(one), Object.keys(other)];
  if (names.length === 0 || others.length === 0) return false;
  return names.length !== others.length || names.some((name) => one[name] !== other[name]);
}

/** What becomes of a `compare` once the bytes were read: `md5` is the common hash, null where they differ. */
export function settleCompared(pair: BlobPair, ours: boolean, md5: string | null): BlobAction {
  return md5 === null ? differs(pair, ours) : { kind: "adopt", source: pair.source, target: pair.target, md5 };
}

function differs(pair: BlobPair, ours: boolean): BlobAction {
  const { source, target } = pair;
  if (ours) return { kind: "copy", source, condition: { etag: target.etag } };
  const property = differentProperty(pair);
  return {
    kind: "conflict",
    conflict: {
      what: `blob ${source.name}`,
      source: described(source, property),
      target: `${described(target, property)}, which no run of ours wrote`,
      advice: "delete the target's blob (or its whole asset) if it is of no use, or rename the asset in the source",
    },
  };
}

function described(blob: BlobInfo, property: string | null): string {
  const md5 = blob.contentMd5 === null ? "" : ` with MD5 ${blob.contentMd5}`;
  return `${blob.length} bytes${md5}${property === null ? "" : ` and ${property} ${propertyText(blob, property)}`}`;
}

function propertyText(blob: BlobInfo, property: string): string {
  if (property === "metadata") return Object.keys(blob.metadata).sort().join(", ");
  return blob[PROPERTIES.find((name) => name === property) ?? "contentType"] ?? "none";
}

/** True when every blob of the source was proven equal on the target. */
export function isProven({ totals, conflicts }: BlobPlan): boolean {
  return totals.copy === 0 && totals.adopt === 0 && conflicts.length === 0;
}
