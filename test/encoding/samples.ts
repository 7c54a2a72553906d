/** Jobs, attempts and sightings as tests need them. */
import type { AccountJobState, EncodingJob, JobFailure, Sighting } from "../../src/core/encoding.ts";
import { apply, type Applied, type JobEvent } from "../../src/encoding/job.ts";
import { newJob } from "../../src/encoding/newAttempt.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";

export const NOW = Date.UTC(2026, 0, 1);
export const POLICY = DEFAULT_POLICY.job;
export const ID = "0mk1bdj1l945bed1fde79";
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

export const TRANSIENT: JobFailure = { code: "ServiceTransientError", message: "try again", category: "service", mayRetry: true };
export const MALFORMED: JobFailure = { code: "ContentMalformed", message: "broken", category: "content", mayRetry: false };

export function waitingJob(changes: Partial<EncodingJob> = {}): EncodingJob {
  const input = { kind: "url", url: "https://in.example/video.mp4" } as const;
  return { ...newJob({ id: ID, clientId: "client", transform: "ladder", input, priority: "normal" }, NOW), ...changes };
}

export function sighting(account: string, attempt: number, changes: Partial<Sighting> = {}): Sighting {
  return { account, jobName: `${ID}-a${attempt}`, label: null, state: null, progress: null, failure: null, at: NOW, ...changes };
}

export function seen(account: string, attempt: number, state: AccountJobState, changes: Partial<Sighting> = {}): JobEvent {
  return { type: "seen", attempt, asked: false, sightings: [sighting(account, attempt, { state, ...changes })] };
}

/** Applies events one after the other, a second apart, and gathers what came of them. */
export function applied(job: EncodingJob, ...events: readonly JobEvent[]): Applied & { readonly now: number } {
  let [current, now] = [job, NOW];
  const [messages, evidence]: [Applied["messages"][number][], Applied["evidence"][number][]] = [[], []];
  for (const event of events) {
    now += SECOND;
    const step = apply(current, event, POLICY, now);
    current = step.job;
    messages.push(...step.messages);
    evidence.push(...step.evidence);
  }
  return { job: current, messages, evidence, now };
}

export const placedIn = (account: string, trial = false): JobEvent => ({ type: "placed", account, trial, outputs: 1 });

/** A job that an account has taken. */
export function runningJob(account = "west", trial = false): EncodingJob {
  return applied(waitingJob(), placedIn(account, trial), { type: "submitted", attempt: 1 }).job;
}
