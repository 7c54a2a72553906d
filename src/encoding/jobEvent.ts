/**
 * Pure: the media account's events about jobs (Event Grid schema) as sightings. What is not understood is left out, never guessed.
 * https://learn.microsoft.com/azure/event-grid/event-schema-media-services
 */
import { FAILURE_CATEGORIES, type AccountJobState, type FailureCategory, type JobFailure, type Sighting } from "../core/encoding.ts";

type Fields = Readonly<Record<string, unknown>>;

const STATES: Readonly<Record<string, AccountJobState>> = {
  Queued: "queued",
  Scheduled: "scheduled",
  Processing: "processing",
  Canceling: "canceling",
  Finished: "finished",
  Canceled: "canceled",
  Error: "error",
};
const PREFIX = "Microsoft.Media.Job";

/** The sightings of one event, outputs before their job; empty for an event of another kind. `account` of each is the media account's name. */
export function sightingsOf(event: unknown): readonly Sighting[] {
  if (!isFields(event) || !isFields(event["data"])) return [];
  const [type, subject] = [text(event, "eventType"), subjectOf(event)];
  return type === null || !type.startsWith(PREFIX) || subject === null ? [] : told(subject, type.slice(PREFIX.length), event["data"]);
}

function subjectOf(event: Fields): Subject | null {
  const account = text(event, "topic")?.split("/").at(-1)?.toLowerCase();
  const jobName = /^transforms\/[^/]+\/jobs\/([^/]+)$/.exec(text(event, "subject") ?? "")?.[1];
  const at = timeOf(text(event, "eventTime"));
  return account === undefined || jobName === undefined || at === null ? null : { account, jobName, at };
}

type Subject = Pick<Sighting, "account" | "jobName" | "at">;

function told(subject: Subject, type: string, data: Fields): readonly Sighting[] {
  if (type === "OutputProgress") return progressOf(subject, data);
  const { output } = data;
  if (type.startsWith("Output")) return isFields(output) ? outputSighting(subject, output) : [];
  const state = stateOf(data["state"]);
  if (state === null) return [];
  const outputs = Array.isArray(data["outputs"]) ? data["outputs"].filter(isFields) : [];
  return [...outputs.flatMap((each) => outputSighting(subject, each)), { ...subject, label: null, state, progress: null, failure: null }];
}

function progressOf(subject: Subject, data: Fields): readonly Sighting[] {
  const [label, progress] = [text(data, "label"), percent(data["progress"])];
  return label === null || progress === null ? [] : [{ ...subject, label, state: null, progress, failure: null }];
}

function outputSighting(subject: Subject, output: Fields): Sighting[] {
  const [label, state] = [text(output, "label"), stateOf(output["state"])];
  if (label === null || state === null) return [];
  return [{ ...subject, label, state, progress: percent(output["progress"]), failure: failureOf(output["error"]) }];
}

/** The error of a job's output, as events and answers have it; null where there is none. */
export function failureOf(error: unknown): JobFailure | null {
  if (!isFields(error)) return null;
  const code = text(error, "code");
  if (code === null) return null;
  const message = text(error, "message") ?? "no message";
  return { code, message, category: categoryOf(text(error, "category")), mayRetry: text(error, "retry") === "MayRetry" };
}

/** The word for a state in the service's own spelling; null for what it has never said. */
export function stateOf(value: unknown): AccountJobState | null {
  return typeof value === "string" ? (STATES[value] ?? null) : null;
}

function categoryOf(category: string | null): FailureCategory {
  const known = FAILURE_CATEGORIES.find((each) => each === category?.toLowerCase());
  // What the service does not explain is its own.
  return known ?? "service";
}

/** Seven decimals and no zone: it is UTC. */
function timeOf(value: string | null): number | null {
  if (value === null) return null;
  const at = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(value) ? value : `${value}Z`);
  return Number.isNaN(at) ? null : at;
}

function percent(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value <= 100 ? value : null;
}

function text(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
