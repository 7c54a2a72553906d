/** Pure: the copies of an uploaded file in a job's record. */
import type { EncodingJob, InputCopy } from "../core/encoding.ts";
import { inputAssetName } from "./names.ts";

/** A try has at most one copy in a region. */
export type CopyKey = Pick<InputCopy, "region" | "upload">;

export function newCopy({ id }: EncodingJob, { region, upload }: CopyKey, state: InputCopy["state"], dueAt: number): InputCopy {
  return { region, upload, assetName: inputAssetName(id, upload), state, dueAt, tries: 0 };
}

export function isSame(copy: InputCopy, { region, upload }: CopyKey): boolean {
  return copy.region === region && copy.upload === upload;
}

/** The same object where it concerns none of them. */
export function withOwed(job: EncodingJob, isOver: (copy: InputCopy) => boolean, now: number): EncodingJob {
  if (!job.copies.some(isOver)) return job;
  return { ...job, copies: job.copies.map((copy) => (isOver(copy) ? { ...copy, state: "owed", dueAt: now } : copy)) };
}
