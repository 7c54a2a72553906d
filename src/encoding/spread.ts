/**
 * Pure: one more copy of a file that too few regions have: which region is to have it, and what becomes of the try. Each has a number, and so a
 * name of its own: whatever an earlier one still does touches nothing that counts.
 */
import type { EncodingInput, EncodingJob } from "../core/encoding.ts";
import { isSame, newCopy, withOwed, type CopyKey } from "./inputCopy.ts";
import { pauseAfter } from "./pause.ts";
import type { JobPolicy } from "./policy.ts";
import { hasStorage, type Standings } from "./standing.ts";

export type SpreadEvent =
  /** A try begins, and has until then; the one before is over. */
  | ({ readonly type: "spreading"; readonly until: number } & CopyKey)
  /** Nobody has begun it: no region can take it, or others go first. */
  | { readonly type: "unspread"; readonly upload: number; readonly until: number }
  | ({ readonly type: "copied" | "uncopied" } & CopyKey);

export interface SpreadDuty {
  readonly type: "spread";
  /** Null: none can take it now. */
  readonly region: string | null;
  /** The number of this try. */
  readonly upload: number;
  /** When to look again, should nobody begin. */
  readonly until: number;
}

/** What tries have left in a region while it could not be removed: it gets no more than this. */
const MOST_LEFT = 3;
/** A copy from region to region is slower only where something is wrong. */
const LEAST_BYTES_PER_MS = 4_000;
const LEAST_TIME_MS = 5 * 60_000;

export function spreadDuty(job: EncodingJob, standings: Standings, policy: JobPolicy, now: number): readonly SpreadDuty[] {
  if ((job.spreadAt ?? Number.POSITIVE_INFINITY) > now) return [];
  return [{ type: "spread", region: regionFor(job, standings, policy), upload: job.uploads + 1, until: now + policy.spreadMs }];
}

/** Milliseconds after which a copy is given up. */
export function copyLimitMs(input: EncodingInput): number {
  return LEAST_TIME_MS + (input.kind === "upload" ? Math.ceil(input.bytes / LEAST_BYTES_PER_MS) : 0);
}

/** First where jobs run, as a file is best where its job can; each try goes to another than the one before, if there is one. */
function regionFor({ copies, uploads }: EncodingJob, standings: Standings, { keep }: JobPolicy): string | null {
  const keeps = (region: string): boolean => copies.some((copy) => copy.region === region && copy.state === "kept");
  const left = (region: string): number => copies.filter((copy) => copy.region === region && copy.state !== "kept").length;
  const able = keep.regions.filter((region) => !keeps(region) && left(region) < MOST_LEFT && hasStorage(standings(region)));
  const isUsed = (region: string): boolean => standings(region)?.status === "in";
  const inOrder = [...able.filter(isUsed), ...able.filter((region) => !isUsed(region))];
  return inOrder[Math.max(0, uploads - 1) % inOrder.length] ?? null;
}

const OF_SPREAD: readonly string[] = ["spreading", "unspread", "copied", "uncopied"] satisfies readonly SpreadEvent["type"][];

export function isOfSpread(event: { readonly type: string }): event is SpreadEvent {
  return OF_SPREAD.includes(event.type);
}

export function applyToSpread(job: EncodingJob, event: SpreadEvent, policy: JobPolicy, now: number): EncodingJob {
  switch (event.type) {
    case "spreading":
      return maySpread(job, event) ? spreading(job, event, now) : job;
    case "unspread":
      return job.spreadAt === null || event.upload <= job.uploads ? job : { ...job, spreadAt: event.until };
    case "copied":
    case "uncopied":
      return spreadEnded(job, event, policy, now);
  }
}

/** The job of a file that is there: too few regions may have it. */
export function withSpread(job: EncodingJob, { keep }: JobPolicy, at: number): EncodingJob {
  const kept = job.copies.filter(({ state }) => state === "kept").length;
  return { ...job, spreadAt: kept > 0 && kept < Math.min(keep.copies, keep.regions.length) ? at : null };
}

/** Of several that begin the same copy the first does. */
function maySpread({ copies, uploads, spreadAt }: EncodingJob, { region, upload }: CopyKey): boolean {
  if (spreadAt === null || upload !== uploads + 1) return false;
  return !copies.some((copy) => copy.region === region && copy.state === "kept");
}

function spreading(job: EncodingJob, event: CopyKey & { readonly until: number }, now: number): EncodingJob {
  const former = withOwed(job, ({ state }) => state === "coming", now).copies;
  return { ...job, uploads: event.upload, spreadAt: event.until, copies: [...former, newCopy(job, event, "coming", event.until)] };
}

/** A copy that was given up may have ended after it was removed: then there is something to remove once more. */
function spreadEnded(
  job: EncodingJob,
  event: CopyKey & { readonly type: "copied" | "uncopied" },
  policy: JobPolicy,
  now: number,
): EncodingJob {
  const copy = job.copies.find((each) => isSame(each, event));
  if (copy === undefined) return event.upload > job.uploads ? job : { ...job, copies: [...job.copies, newCopy(job, event, "owed", now)] };
  if (copy.state !== "coming" || job.spreadAt === null) return job;
  const isKept = event.type === "copied";
  const copies = job.copies.with(job.copies.indexOf(copy), { ...copy, state: isKept ? "kept" : "owed", dueAt: now });
  return withSpread({ ...job, copies }, policy, isKept ? now : now + pauseAfter(job.uploads, policy.spreadMs, policy.spreadLongestMs));
}
