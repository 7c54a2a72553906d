/**
 * Pure: what becomes of the file that a job waits for, and of the copies in which regions keep it. A try to upload it has assets of its own, which
 * are in the record before they are made: whatever happens then, it is known what has to be removed. Copies are needed until the job has
 * finished; those of a job that failed or was canceled are kept as long as its record, as it may be tried again.
 */
import type { EncodingJob, EncodingMessage, InputCopy } from "../core/encoding.ts";
import { copyMessage } from "./messages.ts";
import { inputAssetName } from "./names.ts";
import type { JobPolicy } from "./policy.ts";

export type UploadEvent =
  /** A try begins, in these regions; the one before is over. */
  | { readonly type: "uploading"; readonly regions: readonly string[] }
  /** The file is whole in these. */
  | { readonly type: "uploaded"; readonly upload: number; readonly regions: readonly string[] }
  | { readonly type: "abandoned"; readonly upload: number }
  | ({ readonly type: "discarded" } & CopyKey)
  | ({ readonly type: "undiscarded" } & CopyKey)
  /** Its region does not answer: it is left alone for a while. */
  | ({ readonly type: "deferred"; readonly until: number } & CopyKey);

type CopyKey = Pick<InputCopy, "region" | "upload">;
type Stepped = { readonly job: EncodingJob; readonly messages: readonly EncodingMessage[] };

/** The job as it is until its file is there; any other job as it is. */
export function awaitingUpload(job: EncodingJob, policy: JobPolicy, now: number): EncodingJob {
  if (job.input.kind !== "upload" || job.copies.some(({ state }) => state === "kept")) return job;
  return { ...job, waitingFor: "upload", placeAt: null, uploadBy: now + policy.uploadMs };
}

export function applyToUpload(job: EncodingJob, event: UploadEvent, policy: JobPolicy, now: number): Stepped {
  switch (event.type) {
    case "uploading":
      return only(job.waitingFor === "upload" ? begun(job, event.regions, policy, now) : job);
    case "uploaded":
      return only(isUnderWay(job, event.upload) ? arrived(job, event.upload, event.regions, now) : job);
    case "abandoned":
      return only(withOwed(job, ({ state, upload }) => state === "coming" && upload === event.upload, now));
    case "discarded":
      return only({ ...job, copies: job.copies.filter((copy) => !isSame(copy, event)) });
    case "deferred":
      return only({ ...job, copies: job.copies.map((copy) => (isSame(copy, event) ? { ...copy, dueAt: event.until } : copy)) });
    case "undiscarded":
      return undiscarded(job, event, policy, now);
  }
}

/** What a job that has just ended needs no more. */
export function released(job: EncodingJob, now: number): EncodingJob {
  const over = withOwed(job, ({ state }) => state === "coming" || (state === "kept" && job.state === "finished"), now);
  return over.uploadBy === null ? over : { ...over, uploadBy: null };
}

/** When the copy is to be removed; infinite: not yet. */
export function discardAt(job: EncodingJob, copy: InputCopy, policy: JobPolicy): number {
  if (copy.state === "owed") return copy.dueAt;
  return job.finalAt === null ? Number.POSITIVE_INFINITY : Math.max(copy.dueAt, job.finalAt + policy.retentionMs);
}

function begun(job: EncodingJob, regions: readonly string[], policy: JobPolicy, now: number): EncodingJob {
  const upload = job.uploads + 1;
  const former = withOwed(job, ({ state }) => state === "coming", now).copies;
  const made = regions.map((region): InputCopy => {
    return { region, upload, assetName: inputAssetName(job.id, upload), state: "coming", dueAt: now, tries: 0 };
  });
  return { ...job, uploads: upload, uploadBy: now + policy.uploadMs, copies: [...former, ...made] };
}

function isUnderWay(job: EncodingJob, upload: number): boolean {
  return (
    job.waitingFor === "upload" && upload === job.uploads && job.copies.some((copy) => copy.upload === upload && copy.state === "coming")
  );
}

function arrived(job: EncodingJob, upload: number, regions: readonly string[], now: number): EncodingJob {
  const copies = job.copies.map((copy): InputCopy => {
    if (copy.upload !== upload) return copy;
    return regions.includes(copy.region) ? { ...copy, state: "kept" } : { ...copy, state: "owed", dueAt: now };
  });
  return { ...job, copies, uploadBy: null, waitingFor: "new", placeAt: now };
}

function undiscarded(job: EncodingJob, event: CopyKey, policy: JobPolicy, now: number): Stepped {
  const copy = job.copies.find((each) => isSame(each, event));
  if (copy === undefined) return only(job);
  const tries = copy.tries + 1;
  const others = job.copies.filter((each) => each !== copy);
  if (tries >= policy.cleanTries) return { job: { ...job, copies: others }, messages: [copyMessage(job, copy, now)] };
  const pause = Math.min(policy.cleanLongestMs, policy.cleanMs * 2 ** Math.min(tries - 1, 20));
  return only({ ...job, copies: job.copies.with(job.copies.indexOf(copy), { ...copy, tries, dueAt: now + pause }) });
}

/** The same object where it concerns none of them. */
function withOwed(job: EncodingJob, isOver: (copy: InputCopy) => boolean, now: number): EncodingJob {
  if (!job.copies.some(isOver)) return job;
  return { ...job, copies: job.copies.map((copy) => (isOver(copy) ? { ...copy, state: "owed", dueAt: now } : copy)) };
}

function isSame(copy: InputCopy, { region, upload }: CopyKey): boolean {
  return copy.region === region && copy.upload === upload;
}

function only(job: EncodingJob): Stepped {
  return { job, messages: [] };
}
