import { describe, expect, it } from "vitest";
import type { EncodingJob } from "../../src/core/encoding.ts";
import { dutiesOf, timersOf } from "../../src/encoding/duties.ts";
import { apply } from "../../src/encoding/job.ts";
import type { Standing, Standings } from "../../src/encoding/standing.ts";
import { applied, MINUTE, NOW, placedIn, POLICY, runningJob, seen, SECOND, sighting, waitingJob } from "./samples.ts";

const WELL: Standing = { status: "in", reason: null };
const standings =
  (of: Readonly<Record<string, Standing>>): Standings =>
  (account) =>
    account in of ? (of[account] ?? null) : WELL;
const well = standings({});
const westIs = (reason: "unreachable" | "failing" | "denied" | "stuck" | "failures"): Standings =>
  standings({ west: { status: "out", reason } });

const duties = (job: EncodingJob, at: number, of = well) =>
  dutiesOf(job, of, POLICY, at).map((duty) => (duty.type === "move" ? duty.reason : duty.type));
/** The account has just said that nothing has changed. */
const confirmed = (job: EncodingJob, state: "queued" | "scheduled" | "processing", now: number): EncodingJob =>
  apply(job, { type: "seen", attempt: 1, asked: true, sightings: [sighting("west", 1, { state })] }, POLICY, now).job;

describe("a live attempt", () => {
  it("is submitted again while nobody knows whether it was, and moved when that takes too long", () => {
    const { job } = applied(waitingJob(), placedIn("west"));
    expect(duties(job, NOW + 2 * SECOND)).toEqual([]);
    expect(duties(job, NOW + SECOND + 2 * POLICY.resubmitMs)).toEqual(["submit"]);
    expect(duties(job, NOW + SECOND + POLICY.submitMs)).toEqual(["unsubmitted"]);
  });

  it("is asked for after a silence, and moved from a state that lasts too long only when the account has confirmed it", () => {
    const job = runningJob();
    expect(duties(job, NOW + MINUTE)).toEqual([]);
    expect(duties(job, NOW + POLICY.checkMs + 2 * SECOND)).toEqual(["check"]);
    for (const [state, limitMs] of [
      ["queued", POLICY.queuedMs],
      ["scheduled", POLICY.scheduledMs],
      ["processing", POLICY.stalledMs],
    ] as const) {
      const there = applied(job, seen("west", 1, state)).job;
      const at = (there.attempts[0]?.newsAt ?? 0) + limitMs;
      expect(duties(there, at)).toEqual(["check"]);
      expect(duties(confirmed(there, state, at), at)).toEqual([state === "processing" ? "stalled" : state]);
      expect(duties(confirmed(there, state, at - SECOND), at - SECOND)).toEqual([]);
    }
  });

  it("is looked at in time when it reaches its limit", () => {
    const job = runningJob();
    const newsAt = job.attempts[0]?.newsAt ?? 0;
    expect(timersOf(job, POLICY).follow).toBe(newsAt + POLICY.checkMs);
    expect(timersOf(confirmed(job, "queued", newsAt + POLICY.queuedMs - MINUTE), POLICY).follow).toBe(newsAt + POLICY.queuedMs);
  });

  it("moves when the account leaves question after question unanswered", () => {
    const silent = applied(
      runningJob(),
      ...Array.from({ length: POLICY.unansweredLimit }, () => ({ type: "unanswered", attempt: 1 }) as const),
    );
    expect(duties(silent.job, silent.now)).toEqual(["unanswered"]);
  });

  it("that tries an account has less time, until it is processed", () => {
    const trial = runningJob("west", true);
    const at = NOW + SECOND + POLICY.trialMs;
    expect(duties(confirmed(trial, "scheduled", at), at)).toEqual(["trial"]);
    expect(duties(confirmed(trial, "processing", at), at)).toEqual([]);
  });
});

describe("an account that is out", () => {
  it("and silent loses its jobs without being asked; one that shows signs of life may stay", () => {
    const job = applied(runningJob(), seen("west", 1, "processing")).job;
    const newsAt = job.attempts[0]?.newsAt ?? 0;
    for (const reason of ["unreachable", "failing"] as const) {
      expect(dutiesOf(job, westIs(reason), POLICY, newsAt + SECOND)).toMatchObject([{ type: "postpone", until: newsAt + POLICY.aliveMs }]);
      expect(duties(job, newsAt + POLICY.aliveMs, westIs(reason))).toEqual(["account_out"]);
    }
    expect(duties(applied(waitingJob(), placedIn("west")).job, NOW + SECOND, westIs("unreachable"))).toEqual(["account_out"]);
  });

  it("for its jobs loses those that are not being processed", () => {
    const job = runningJob();
    expect(duties(job, NOW + 2 * SECOND, westIs("stuck"))).toEqual(["account_out"]);
    expect(duties(applied(job, seen("west", 1, "processing")).job, NOW + 4 * SECOND, westIs("stuck"))).toEqual([]);
  });

  it("to us only, for want of access, keeps its jobs up to their limits, and is not asked", () => {
    const job = runningJob();
    expect(duties(job, NOW + POLICY.checkMs + 2 * SECOND, westIs("denied"))).toEqual(["postpone"]);
    expect(duties(job, NOW + POLICY.queuedMs + 2 * SECOND, westIs("denied"))).toEqual(["queued"]);
  });

  it("by an operator's word loses its jobs, whatever they are at; one that is drained keeps them", () => {
    const disabled: Standings = (account) => ({ status: "in", reason: null, disabled: account === "west" });
    for (const job of [applied(waitingJob(), placedIn("west")).job, runningJob(), applied(runningJob(), seen("west", 1, "processing")).job])
      expect([duties(job, NOW + 4 * SECOND, disabled), duties(job, NOW + 4 * SECOND)]).toEqual([["disabled"], []]);
    expect(duties(runningJob("east"), NOW + 4 * SECOND, disabled)).toEqual([]);
  });

  it("is not cleaned up in until it answers; one that is not configured any more is reported in the end", () => {
    const { job, now } = applied(runningJob(), { type: "moved", attempt: 1, reason: "account_out", detail: "" });
    expect(duties(job, now)).toEqual(["clean"]);
    expect(duties(job, now, westIs("unreachable"))).toEqual(["postpone"]);
    expect(duties(job, now, westIs("stuck"))).toEqual(["clean"]);
    expect(duties(job, now, standings({ west: null }))).toEqual(["clean"]);
  });
});

it("a record goes when its job has been final for long enough and nothing is owed", () => {
  const finished = applied(runningJob(), seen("west", 1, "finished")).job;
  const at = (finished.finalAt ?? 0) + POLICY.retentionMs;
  expect(duties(finished, at)).toEqual(["clean"]);
  const clean = applied(finished, { type: "cleaned", attempt: 1 }).job;
  expect(duties(clean, at - 1)).toEqual([]);
  expect(duties(clean, at)).toEqual(["expire"]);
  expect(timersOf(clean, POLICY)).toEqual({ place: null, follow: at });
});
