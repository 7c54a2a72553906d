/** Encoding's jobs as rows of a table, and what a write of one changes. All are in one partition, so that a write is one transaction. */
import { PRIORITIES, type EncodingJob, type EncodingMessage } from "../core/encoding.ts";
import type { Errand, Timers } from "../core/ports/encodingStore.ts";
import type { Row, RowChange } from "../core/table.ts";
import { ascending, jsonValues, keyOf, recordOf } from "../core/tableRows.ts";

/** Partition of everything. */
export const ENCODING = "encoding";

/** A job as it is stored. */
export interface StoredJob {
  readonly job: EncodingJob;
  readonly timers: Timers;
  readonly places: readonly string[];
  /** Of the write that made it, so that a write whose answer was lost is known again. */
  readonly mark: string;
  readonly etag: string;
}

const LAST_DIGIT = 35;

/** Ids ascend with time; their keys descend, so that what is newest is read first. */
export function jobKey(id: string): string {
  const mirrored = Array.from(id, (digit) => (LAST_DIGIT - Number.parseInt(digit, LAST_DIGIT + 1)).toString(LAST_DIGIT + 1));
  return `job-${mirrored.join("")}`;
}

export function clientKey(clientId: string): string {
  return `client-${keyOf(clientId)}`;
}

export function accountKey(account: string): string {
  return `account-${keyOf(account)}`;
}

export function messageKey({ id, at }: EncodingMessage): string {
  return `out-${ascending(Math.floor(at))}-${keyOf(id)}`;
}

function timerKey(errand: Errand, job: EncodingJob, at: number): string {
  if (errand === "follow") return `follow-${ascending(Math.floor(at))}-${job.id}`;
  return `place-${PRIORITIES.indexOf(job.priority)}-${ascending(Math.floor(job.createdAt))}-${job.id}`;
}

export function storedJob(row: Row): StoredJob {
  const { place = "", follow = "", places = "", mark = "" } = row.values;
  const time = (text: string): number | null => (text === "" ? null : Number(text));
  return {
    job: recordOf(row) as EncodingJob,
    timers: { place: time(place), follow: time(follow) },
    places: placesOfText(places),
    mark,
    etag: row.etag,
  };
}

export function placesOfText(text: string): readonly string[] {
  return text === "" ? [] : text.split("\n");
}

export type NewRecord = Omit<StoredJob, "etag">;

/** The job's own row comes first. `before`: what is replaced, and only that; null: nothing. */
export function jobChanges(before: StoredJob | null, after: NewRecord): RowChange[] {
  const row = { key: jobKey(after.job.id), values: jobValues(after) };
  const own: RowChange = before === null ? { type: "insert", ...row } : { type: "replace", ...row, etag: before.etag };
  return [own, ...timerChanges("place", before, after), ...timerChanges("follow", before, after)];
}

function jobValues({ job, timers, places, mark }: NewRecord) {
  const time = (at: number | null): string => (at === null ? "" : String(at));
  return {
    ...jsonValues(job, `encoding job ${job.id}`),
    place: time(timers.place),
    follow: time(timers.follow),
    places: places.join("\n"),
    mark,
  };
}

function timerChanges(errand: Errand, before: StoredJob | null, after: NewRecord): RowChange[] {
  const [was, is] = [before?.timers[errand] ?? null, after.timers[errand]];
  const wasKey = before === null || was === null ? null : timerKey(errand, before.job, was);
  if (is === null) return wasKey === null ? [] : [{ type: "delete", key: wasKey, etag: null }];
  const key = timerKey(errand, after.job, is);
  const values = { id: after.job.id, at: String(is), places: after.places.join("\n") };
  const kept: RowChange = { type: "replace", key, values, etag: null };
  return wasKey === null || wasKey === key ? [kept] : [kept, { type: "delete", key: wasKey, etag: null }];
}

/** All rows of a job that goes. The job's own is deleted by `etag` beforehand or not at all: that stands alone in the service. */
export function otherRows({ job, timers }: StoredJob): RowChange[] {
  const timed = (["place", "follow"] as const).flatMap((errand) => {
    const at = timers[errand];
    return at === null ? [] : [timerKey(errand, job, at)];
  });
  return [clientKey(job.clientId), ...timed].map((key) => ({ type: "delete", key, etag: null }));
}
