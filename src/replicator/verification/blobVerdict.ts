/** What two blobs that should be one show, and which of them is to blame: decided by what the journal recorded when they were equal. Pure. */
import type { BlobRecord } from "../../core/ports/journal.ts";
import type { BlobInfo } from "../../core/ports/storage.ts";

/**
 * - `target_damaged` the bytes differ from the source's, and from what was copied, and nobody has written since
 * - `target_missing` it was copied, and is gone or half there · `target_properties` its content type or encoding was changed, which players go by
 * - `target_labels` its other properties or metadata were changed
 * - `target_rewritten` somebody else has written there · `target_archived` its content cannot be read
 * - `source_damaged` the source's bytes are not (any more) those that were copied, the target's are · `source_missing` gone there only
 * - `source_rewritten`, `source_added`, `source_properties` the source has gone on: the copy is behind
 * - `source_archived`, `source_unready` the source's content cannot be read (yet)
 * - `undecided` they differ, and nothing says which is right
 */
export type BlobProblem =
  | "target_damaged"
  | "target_missing"
  | "target_properties"
  | "target_labels"
  | "target_rewritten"
  | "target_archived"
  | "source_damaged"
  | "source_missing"
  | "source_rewritten"
  | "source_added"
  | "source_properties"
  | "source_archived"
  | "source_unready"
  | "undecided";

export interface BlobSides {
  readonly source: BlobInfo | null;
  readonly target: BlobInfo | null;
  /** What the journal says of the two; null where it says nothing. */
  readonly record: BlobRecord | null;
}

/**
 * What the listings alone show.
 * - `content`: names and properties agree. `proven`: an earlier run has seen the same two versions equal.
 * - `differ`: they cannot be the same; the bytes say which is wrong.
 * - `extra`: the target alone has it, and nobody copied it.
 */
export type Listed =
  | { readonly kind: "content"; readonly proven: boolean }
  | { readonly kind: "differ" }
  | { readonly kind: "extra" }
  | { readonly kind: "problem"; readonly problem: BlobProblem; readonly detail: string };

export function judgeListed({ source, target, record }: BlobSides): Listed {
  if (source === null)
    return record === null ? { kind: "extra" } : problem("source_missing", "the source has lost it; the target still has it");
  if (target === null)
    return record === null ? problem("source_added", "it was not copied yet") : problem("target_missing", "it was copied and is gone");
  return judgePresent(source, target, record);
}

function judgePresent(source: BlobInfo, target: BlobInfo, record: BlobRecord | null): Listed {
  if (!isComplete(source)) return problem("source_unready", `the copy that makes it is ${source.copyStatus}`);
  if (!isComplete(target)) return problem("target_missing", `the copy that makes it is ${target.copyStatus}`);
  if (target.tier === "Archive") return problem("target_archived", "it is in the archive tier; rehydrate it");
  if (source.tier === "Archive") return problem("source_archived", "it is in the archive tier; rehydrate it to have it verified");
  if (source.length !== target.length) return { kind: "differ" };
  const fields = differingProperties(source, target);
  if (fields.length > 0) return problem(blame(target, record, fields), `the target's ${fields.join(", ")} differ from the source's`);
  return { kind: "content", proven: record?.sourceEtag === source.etag && record.targetEtag === target.etag };
}

function blame(target: BlobInfo, record: BlobRecord | null, fields: readonly string[]): BlobProblem {
  if (record?.targetEtag === target.etag) return "source_properties";
  return fields.some((name) => SERVED.has(name)) ? "target_properties" : "target_labels";
}

function isComplete({ copyStatus }: BlobInfo): boolean {
  return copyStatus === null || copyStatus === "success";
}

const PROPERTIES = ["contentType", "contentEncoding", "contentLanguage", "contentDisposition", "cacheControl"] as const;
const SERVED: ReadonlySet<string> = new Set(["contentType", "contentEncoding"]);

/** Names of what differs. The tier is the operator's choice in each region; the service makes names of metadata lower case. */
function differingProperties(source: BlobInfo, target: BlobInfo): readonly string[] {
  const fields: string[] = PROPERTIES.filter((name) => (source[name] ?? "") !== (target[name] ?? ""));
  return metadataText(source) === metadataText(target) ? fields : [...fields, "metadata"];
}

function metadataText({ metadata }: BlobInfo): string {
  const pairs = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]);
  return JSON.stringify(pairs.sort(([one = ""], [other = ""]) => (one < other ? -1 : 1)));
}

/** MD5 of what each side gives, base64; null for a side that has not the bytes that it lists. */
export interface Digests {
  readonly source: string | null;
  readonly target: string | null;
}

/** For two blobs whose bytes differ. */
export function judgeDifferent(source: BlobInfo, target: BlobInfo, record: BlobRecord | null, digests: Digests): BlobProblem {
  return record === null ? byClaims(source, target, digests) : byRecord(source, target, record, digests);
}

/** A Content-MD5 that its own blob contradicts says that these bytes are not those that were written. */
function byClaims(source: BlobInfo, target: BlobInfo, digests: Digests): BlobProblem {
  const [sourceBroken, targetBroken] = [isBroken(source, digests.source), isBroken(target, digests.target)];
  if (sourceBroken === targetBroken) return "undecided";
  return sourceBroken ? "source_damaged" : "target_damaged";
}

function byRecord(source: BlobInfo, target: BlobInfo, record: BlobRecord, digests: Digests): BlobProblem {
  const targetIsOurs = record.targetEtag === target.etag;
  const sourceIsSame = record.sourceEtag === source.etag;
  if (digests.source === record.md5) return targetIsOurs ? "target_damaged" : "target_rewritten";
  const sourceBroken = sourceIsSame || isBroken(source, digests.source);
  if (digests.target === record.md5) return sourceBroken ? "source_damaged" : "source_rewritten";
  if (sourceBroken) return "undecided";
  // The source has gone on, and what was copied before is damaged: the new content replaces it.
  return targetIsOurs ? "target_damaged" : "target_rewritten";
}

function isBroken({ contentMd5 }: BlobInfo, digest: string | null): boolean {
  return digest === null || (contentMd5 !== null && contentMd5 !== digest);
}

function problem(what: BlobProblem, detail: string): Listed {
  return { kind: "problem", problem: what, detail };
}
