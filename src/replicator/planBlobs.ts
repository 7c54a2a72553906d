/** Decides, blob by blob, what a copy of a container needs. The listings of both sides and the journal are all that it looks at. Pure. */
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
  /** Equal by length and MD5, and not in the journal yet. */
  | ({ readonly kind: "adopt"; readonly md5: string } & BlobPair)
  /** Same length, but a side has no MD5: the bytes decide. `ours` says that the journal proves the target's blob to be our own. */
  | ({ readonly kind: "compare"; readonly ours: boolean } & BlobPair)
  | { readonly kind: "copy"; readonly source: BlobInfo; readonly condition: WriteCondition }
  | { readonly kind: "conflict"; readonly conflict: Conflict };

export interface BlobPlan {
  readonly actions: readonly BlobAction[];
  /** Blobs of the target that the source does not have. They are reported and left alone. */
  readonly extra: readonly string[];
  /** Blobs of the source that are still being written. */
  readonly unready: readonly string[];
}

/** `records` are what the journal says of the same two containers. */
export function planBlobs(source: readonly BlobInfo[], target: readonly BlobInfo[], records: ReadonlyMap<string, BlobRecord>): BlobPlan {
  const there = new Map(target.map((blob) => [blob.name, blob]));
  const names = new Set(source.map((blob) => blob.name));
  const unready = source.filter((blob) => !isReadable(blob)).map((blob) => blob.name);
  return {
    actions: source.filter(isReadable).map((blob) => planBlob(blob, there.get(blob.name), records.get(blob.name))),
    extra: target.filter((blob) => !names.has(blob.name)).map((blob) => blob.name),
    unready,
  };
}

function isReadable(blob: BlobInfo): boolean {
  return blob.copyStatus === null || blob.copyStatus === "success";
}

function planBlob(source: BlobInfo, target: BlobInfo | undefined, record: BlobRecord | undefined): BlobAction {
  // A pending copy is an earlier run's: the container waits for it instead of starting another.
  if (target === undefined || target.copyStatus === "pending") return { kind: "copy", source, condition: "absent" };
  // What a failed copy left has no content, so nothing is lost by replacing it.
  if (!isReadable(target)) return { kind: "copy", source, condition: { etag: target.etag } };
  return planPresent({ source, target }, record?.targetEtag === target.etag ? record : null);
}

/** `own` is the journal's record where the target's blob is still the one that it speaks of. */
function planPresent(pair: BlobPair, own: BlobRecord | null): BlobAction {
  const { source, target } = pair;
  if (source.length !== target.length) return differs(pair, own !== null);
  if (own !== null && own.sourceEtag === source.etag) return { kind: "skip", ...pair };
  if (source.contentMd5 === null || target.contentMd5 === null) return { kind: "compare", ...pair, ours: own !== null };
  if (source.contentMd5 !== target.contentMd5) return differs(pair, own !== null);
  return { kind: "adopt", ...pair, md5: source.contentMd5 };
}

/** What becomes of a `compare` once the bytes were read: `md5` is the common hash, null where they differ. */
export function settleCompared(pair: BlobPair, ours: boolean, md5: string | null): BlobAction {
  return md5 === null ? differs(pair, ours) : { kind: "adopt", ...pair, md5 };
}

function differs({ source, target }: BlobPair, ours: boolean): BlobAction {
  if (ours) return { kind: "copy", source, condition: { etag: target.etag } };
  return {
    kind: "conflict",
    conflict: {
      what: `blob ${source.name}`,
      source: described(source),
      target: `${described(target)}, which no run of ours wrote`,
      advice: "delete the target's blob (or its whole asset) if it is of no use, or rename the asset in the source",
    },
  };
}

function described(blob: BlobInfo): string {
  return `${blob.length} bytes${blob.contentMd5 === null ? "" : ` with MD5 ${blob.contentMd5}`}`;
}

/** True when every blob of the source was proven equal on the target. */
export function isProven(plan: BlobPlan): boolean {
  return plan.unready.length === 0 && plan.actions.every((action) => action.kind === "skip");
}
