/**
 * Pure: what is seen of an account's job, put together. Sightings come late, doubled, unordered or never: states only ever advance, a final
 * state stays, and a time that comes late is recorded all the same.
 */
import { ACCOUNT_JOB_STATES, type AccountJobState, type Attempt, type AttemptOutput, type Sighting } from "../core/encoding.ts";

const FINAL: ReadonlySet<AccountJobState> = new Set(["finished", "canceled", "error"]);

export function isFinalState(state: AccountJobState | null): boolean {
  return state !== null && FINAL.has(state);
}

/** Takes in one sighting. Gives the same attempt where it tells nothing new. */
export function sighted(attempt: Attempt, sighting: Sighting, now: number): Attempt {
  const next = sighting.label === null ? jobSighted(attempt, sighting) : outputSighted(attempt, sighting, sighting.label);
  if (next === attempt) return attempt;
  return next.state !== attempt.state || next.progress > attempt.progress ? { ...next, newsAt: now } : next;
}

/** The later of two states. */
function advanced(from: AccountJobState | null, to: AccountJobState | null): AccountJobState | null {
  if (to === null || isFinalState(from)) return from;
  return from === null || ACCOUNT_JOB_STATES.indexOf(to) > ACCOUNT_JOB_STATES.indexOf(from) ? to : from;
}

interface Times {
  readonly scheduledAt: number | null;
  readonly processingAt: number | null;
  readonly finalAt: number | null;
}

/** When it first entered the state that was seen. */
function timed(times: Times, { state, at }: Sighting, ends: boolean): Times {
  const first = (known: number | null, told: boolean): number | null => (told ? Math.min(known ?? at, at) : known);
  return {
    scheduledAt: first(times.scheduledAt, state === "scheduled"),
    processingAt: first(times.processingAt, state === "processing"),
    finalAt: ends ? at : times.finalAt,
  };
}

function sameTimes(one: Times, other: Times): boolean {
  return one.scheduledAt === other.scheduledAt && one.processingAt === other.processingAt && one.finalAt === other.finalAt;
}

function jobSighted(attempt: Attempt, sighting: Sighting): Attempt {
  const state = advanced(attempt.state, sighting.state);
  const times = timed(attempt, sighting, state !== attempt.state && isFinalState(state));
  const failure = attempt.failure ?? sighting.failure;
  const progress = Math.max(attempt.progress, sighting.progress ?? 0);
  const same = state === attempt.state && progress === attempt.progress && failure === attempt.failure && sameTimes(attempt, times);
  return same ? attempt : { ...attempt, ...times, state, failure, progress };
}

function outputSighted(attempt: Attempt, sighting: Sighting, label: string): Attempt {
  const at = attempt.outputs.findIndex((each) => each.label === label);
  const output = attempt.outputs[at];
  if (output === undefined) return attempt;
  const next = outputAfter(output, sighting);
  const failure = attempt.failure ?? sighting.failure;
  if (next === output && failure === attempt.failure) return attempt;
  const outputs = attempt.outputs.with(at, next);
  const progress = Math.max(attempt.progress, Math.floor(outputs.reduce((sum, each) => sum + each.progress, 0) / outputs.length));
  const state = advanced(attempt.state, togetherIn(outputs));
  const ends = state !== attempt.state && isFinalState(state);
  return { ...attempt, outputs, failure, progress, state, finalAt: ends ? sighting.at : attempt.finalAt };
}

function outputAfter(output: AttemptOutput, sighting: Sighting): AttemptOutput {
  const state = advanced(output.state, sighting.state) ?? output.state;
  const times = timed(output, sighting, state !== output.state && isFinalState(state));
  const progress = state === "finished" ? 100 : Math.max(output.progress, sighting.progress ?? 0);
  const same = state === output.state && progress === output.progress && sameTimes(output, times);
  return same ? output : { ...output, ...times, state, progress };
}

/** What the outputs say of their job: it is final when all of them are, and failed when one of them is. */
function togetherIn(outputs: readonly AttemptOutput[]): AccountJobState {
  const has = (state: AccountJobState): boolean => outputs.some((each) => each.state === state);
  if (outputs.every(({ state }) => FINAL.has(state))) return has("error") ? "error" : has("canceled") ? "canceled" : "finished";
  if (has("canceling")) return "canceling";
  if (outputs.some(({ state }) => state === "processing" || FINAL.has(state))) return "processing";
  return has("scheduled") ? "scheduled" : "queued";
}
