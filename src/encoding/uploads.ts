/**
 * Pure: what becomes of the file that a job waits for, and of the copies in which regions keep it. A try to upload it has assets of its own, which
 * are in the record before they are made: whatever happens then, it is known what has to be removed. Copies are needed until the job has
 * finished; those of a job that failed or was canceled are kept as long as its record, as it may be tried again. A file that came into too few
 * regions is copied to others while its job is not over.
 */
import type { EncodingJob, EncodingMessage, InputCopy } from "../core/encoding.ts";
import { isSame, newCopy, withOwed, type CopyKey } from "./inputCopy.ts";
import { copyMessage } from "./messages.ts";
import { pauseAfter } from "./pause.ts";
import type { JobPolicy } from "./policy.ts";
import { applyToSpread, isOfSpread, withSpread, type SpreadEvent } from "./spread.ts";

export type UploadEvent =
  /** A try begins, in these regions; the one before is over. */
  | { readonly type: "uploading"; readonly regions: readonly string[] }
  /** The file is whole in these. */
  | { readonly type: "uploaded"; readonly upload: number; readonly regions: readonly string[] }
  | { readonly type: "abandoned"; readonly upload: number }
  | SpreadEvent
  | ({ readonly type: "discarded" } & CopyKey)
  | ({ readonly type: "undiscarded" } & CopyKey)
  /** Its region does not answer: it is left alone for a while. */
  | ({ readonly type: "deferred"; readonly until: number } & CopyKey);

type Stepped = { readonly job: EncodingJob; readonly messages: readonly EncodingMessage[] };

/** The job as it is until its file is there; any other job as it is. */
export function awaitingUpload(job: EncodingJob, policy: JobPolicy, now: number): EncodingJob {
  if (job.input.kind !== "upload") return job;
  if (job.copies.some(({ state }) => state === "kept")) return withSpread(job, policy, now);
  return { ...job, waitingFor: "upload", placeAt: null, uploadBy: now + policy.uploadMs };
}

export function applyToUpload(job: EncodingJob, event: UploadEvent, policy: JobPolicy, now: number): Stepped {
  if (isOfSpread(event)) return only(applyToSpread(job, event, policy, now));
  switch (event.type) {
    case "uploading":
      return only(job.waitingFor === "upload" ? begun(job, event.regions, policy, now) : job);
    case "uploaded":
      return only(isUnderWay(job, event.upload) ? arrived(job, event.upload, event.regions, policy, now) : job);
    case "abandoned":
      return only(withOwed(job, ({ state, upload }) => state === "coming" && upload === event.upload, now));
    case "discarded":
      return only(withoutCopy(job, event, policy, now));
    case "deferred":
      return only({ ...job, copies: job.copies.map((copy) => (isSame(copy, event) ? { ...copy, dueAt: event.until } : copy)) });
    case "undiscarded":
      return undiscarded(job, event, policy, now);
  }
}

/** What a job that has just ended needs no more. */
export function released(job: EncodingJob, now: number): EncodingJob {
  const over = withOwed(job, ({ state }) => state === "coming" || (state === "kept" && job.state === "finished"), now);
  return { ...over, uploadBy: null, spreadAt: null };
}

/** When the copy is to be removed; infinite: not yet. */
export function discardAt(job: EncodingJob, copy: InputCopy, policy: JobPolicy): number {
  if (copy.state === "owed") return copy.dueAt;
  return job.finalAt === null ? Number.POSITIVE_INFINITY : Math.max(copy.dueAt, job.finalAt + policy.retentionMs);
}

function begun(job: EncodingJob, regions: readonly string[], policy: JobPolicy, now: number): EncodingJob {
  const upload = job.uploads + 1;
  const former = withOwed(job, ({ state }) => state === "coming", now).copies;
  const made = regions.map((region) => newCopy(job, { region, upload }, "coming", now));
  return { ...job, uploads: upload, uploadBy: now + policy.uploadMs, copies: [...former, ...made] };
}

function isUnderWay(job: EncodingJob, upload: number): boolean {
  return (
    job.waitingFor === "upload" && upload === job.uploads && job.copies.some((copy) => copy.upload === upload && copy.state === "coming")
  );
}

function arrived(job: EncodingJob, upload: number, regions: readonly string[], policy: JobPolicy, now: number): EncodingJob {
  const copies = job.copies.map((copy): InputCopy => {
    if (copy.upload !== upload) return copy;
    return regions.includes(copy.region) ? { ...copy, state: "kept" } : { ...copy, state: "owed", dueAt: now };
  });
  return withSpread({ ...job, copies, uploadBy: null, waitingFor: "new", placeAt: now }, policy, now + policy.spreadMs);
}

function withoutCopy(job: EncodingJob, key: CopyKey, policy: JobPolicy, now: number): EncodingJob {
  const gone = job.copies.find((copy) => isSame(copy, key));
  const next = { ...job, copies: job.copies.filter((copy) => copy !== gone) };
  // It was to go with the job's record, and the job was tried again at that moment.
  return gone?.state === "kept" && job.finalAt === null ? withSpread(next, policy, now) : next;
}

function undiscarded(job: EncodingJob, event: CopyKey, policy: JobPolicy, now: number): Stepped {
  const copy = job.copies.find((each) => isSame(each, event));
  if (copy === undefined) return only(job);
  const tries = copy.tries + 1;
  const others = job.copies.filter((each) => each !== copy);
  if (tries >= policy.cleanTries) return { job: { ...job, copies: others }, messages: [copyMessage(job, copy, now)] };
  const pause = pauseAfter(tries, policy.cleanMs, policy.cleanLongestMs);
  return only({ ...job, copies: job.copies.with(job.copies.indexOf(copy), { ...copy, tries, dueAt: now + pause }) });
}

function only(job: EncodingJob): Stepped {
  return { job, messages: [] };
}
