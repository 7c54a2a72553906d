import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACCOUNT_JOB_STATES, type Attempt, type EncodingJob, type EncodingMessage } from "../../src/core/encoding.ts";
import { placesOf, timersOf } from "../../src/encoding/duties.ts";
import { apply, isFinal, liveAttempt, type JobEvent } from "../../src/encoding/job.ts";
import { applied, MALFORMED, NOW, placedIn, POLICY, runningJob, seen, sighting, SECOND, TRANSIENT, waitingJob } from "./samples.ts";

const submitted = (attempt: number): JobEvent => ({ type: "submitted", attempt });
const moved = (attempt: number): JobEvent => ({ type: "moved", attempt, reason: "account_out", detail: "west is out" });
const cleaned = (attempt: number): JobEvent => ({ type: "cleaned", attempt });

describe("a job", () => {
  it("is placed, submitted, seen through to its end, and told of once", () => {
    const { job, messages, evidence } = applied(
      waitingJob(),
      placedIn("west"),
      submitted(1),
      seen("west", 1, "scheduled"),
      seen("west", 1, "finished"),
      seen("west", 1, "finished"),
      seen("west", 1, "processing"),
    );
    expect(job).toMatchObject({
      state: "finished",
      finalAt: NOW + 4 * SECOND,
      result: { attempt: 1, account: "west", assets: [`${job.id}-a1-o0`] },
    });
    expect(job.attempts).toMatchObject([{ end: "won", owed: "tidy", state: "finished" }]);
    expect(messages).toMatchObject([{ kind: "finished", account: "west", assets: [`${job.id}-a1-o0`] }]);
    expect(evidence).toMatchObject([{ account: "west", kind: "well" }]);
  });

  it("fails with a customer's broken input at once, and says nothing against the account", () => {
    const { job, messages, evidence } = applied(runningJob(), seen("west", 1, "error", { failure: MALFORMED }));
    expect(job).toMatchObject({ state: "failed", failure: { code: "ContentMalformed" } });
    expect(messages).toMatchObject([{ kind: "failed" }]);
    expect(evidence).toMatchObject([{ kind: "neutral" }]);
  });

  it("goes on elsewhere after a failure that may pass, which speaks against the account", () => {
    const { job, messages, evidence } = applied(runningJob(), seen("west", 1, "error", { failure: TRANSIENT }));
    expect(job).toMatchObject({ state: "waiting", waitingFor: "again", attempts: [{ end: "failed", owed: "remove" }] });
    expect(messages).toEqual([]);
    expect(evidence).toMatchObject([{ account: "west", kind: "failed" }]);
  });

  it("that fails everywhere speaks against nobody but the first", () => {
    const { evidence } = applied(
      runningJob(),
      seen("west", 1, "error", { failure: TRANSIENT }),
      placedIn("east"),
      seen("east", 2, "error", { failure: TRANSIENT }),
    );
    expect(evidence.map(({ account, kind }) => [account, kind])).toEqual(
      [
        ["west", "failed"],
        ["east", "neutral"],
      ].map((pair) => pair),
    );
  });

  it("does not hold a source that cannot be read against the account", () => {
    const download = { ...TRANSIENT, code: "DownloadTransientError", category: "download" } as const;
    expect(applied(runningJob(), seen("west", 1, "error", { failure: download })).evidence).toMatchObject([{ kind: "neutral" }]);
  });

  it("asks whose fault a failure is before it decides", () => {
    const before = applied(runningJob(), seen("west", 1, "error"));
    expect(before.job).toMatchObject({ state: "running", attempts: [{ state: "error", end: null, dueAt: before.now }] });
    const answer = [sighting("west", 1, { state: "error" }), sighting("west", 1, { label: "o0", state: "error", failure: MALFORMED })];
    const after = apply(before.job, { type: "seen", attempt: 1, asked: true, sightings: answer }, POLICY, NOW);
    expect(after.job).toMatchObject({ state: "failed", failure: { code: "ContentMalformed" }, attempts: [{ checks: 1 }] });
  });

  it("fences a late result: the live attempt wins, the other's output is removed and reported", () => {
    const { job, messages } = applied(
      runningJob(),
      moved(1),
      placedIn("east"),
      submitted(2),
      seen("west", 1, "finished"),
      seen("east", 2, "finished"),
      cleaned(1),
      cleaned(2),
    );
    expect(job).toMatchObject({ state: "finished", result: { attempt: 2, account: "east" } });
    expect(job.attempts).toMatchObject([
      { end: "moved", late: true, owed: null },
      { end: "won", owed: null },
    ]);
    expect(messages.map(({ kind, account }) => [kind, account])).toEqual([["finished", "east"], ["superseded", "west"]]); // prettier-ignore
    expect(messages[1]?.assets).toEqual([`${job.id}-a1-o0`]);
  });

  it("does not end by what an attempt that was given up does", () => {
    for (const state of ["finished", "error", "canceled"] as const) {
      const { job } = applied(runningJob(), moved(1), seen("west", 1, state, { failure: MALFORMED }));
      expect(job).toMatchObject({ state: "waiting", result: null });
    }
  });

  it("knows by an event that a submission without an answer came through", () => {
    const { job } = applied(waitingJob(), placedIn("west"), { type: "unanswered", attempt: 1 }, seen("west", 1, "scheduled"), submitted(1));
    expect(job.attempts).toMatchObject([{ state: "scheduled", submittedAt: NOW + 3 * SECOND, unanswered: 1 }]);
  });

  it("counts checks and attempts apart", () => {
    const answer: JobEvent = { type: "seen", attempt: 1, asked: true, sightings: [sighting("west", 1, { state: "queued" })] };
    const { job } = applied(runningJob(), answer, answer, { type: "unanswered", attempt: 1 }, moved(1), placedIn("east"));
    expect(job.attempts.map(({ number, checks, unanswered }) => [number, checks, unanswered])).toEqual([[1, 2, 1], [2, 0, 0]]); // prettier-ignore
  });

  it("waits on where an account refused it, without having been tried there", () => {
    const { job, messages } = applied(waitingJob(), placedIn("west"), { type: "refused", attempt: 1, detail: "429" });
    expect(job).toMatchObject({ state: "waiting", attempts: [{ end: "refused" }] });
    expect([messages, placesOf(job)]).toEqual([[], []]);
  });

  it("gives its place back while no region gives its input, for ever longer, and holds that against nobody", () => {
    let job = waitingJob();
    const pauses = Array.from({ length: 8 }, (_, at) => {
      const { job: placed, now } = applied(job, placedIn("west"));
      const step = apply(placed, { type: "withheld", attempt: at + 1, detail: "no region answers" }, POLICY, now);
      expect(step.evidence).toMatchObject([{ kind: "neutral" }]);
      job = step.job;
      expect([placesOf(job), job.attempts.at(-1)?.owed]).toEqual([[], null]);
      return (job.placeAt ?? 0) - now;
    });
    const doubled = Array.from({ length: 8 }, (_, at) => Math.min(POLICY.inputMs * 2 ** at, POLICY.inputLongestMs));
    expect(pauses).toEqual(doubled);
    // The account may have a job whose submission got no answer: that one is not given up.
    const unsure = applied(
      waitingJob(),
      placedIn("west"),
      { type: "unanswered", attempt: 1 },
      { type: "withheld", attempt: 1, detail: "" },
    );
    expect([unsure.job.state, placesOf(unsure.job)]).toEqual(["running", ["west"]]);
  });

  it("takes up a place where what was given up may still run, until it is known not to", () => {
    const { job } = applied(runningJob(), moved(1), placedIn("east"));
    expect(placesOf(job)).toEqual(["west", "east"]);
    expect(placesOf(applied(job, seen("west", 1, "canceled")).job)).toEqual(["east"]);
    expect(placesOf(applied(job, cleaned(1)).job)).toEqual(["east"]);
  });

  it("is canceled once, and tried again by an operator in a new round with a message of its own", () => {
    const first = applied(runningJob(), { type: "cancel", by: "ann" }, { type: "cancel", by: "bob" });
    expect(first.job).toMatchObject({ state: "canceled", attempts: [{ end: "canceled", owed: "remove" }] });
    const second = applied(first.job, { type: "retry", by: "Ada" }, placedIn("west"), { type: "cancel", by: "ann" });
    expect(second.job).toMatchObject({ round: 2, attempts: [{ round: 1 }, { round: 2, account: "west" }] });
    expect(new Set([...first.messages, ...second.messages].map(({ id }) => id)).size).toBe(2);
  });

  it("keeps who did what with it and when, as long as that changed anything, and the last ones only", () => {
    const { job } = applied(waitingJob(), { type: "retry", by: "eve" }, { type: "cancel", by: "ann" }, { type: "cancel", by: "bob" });
    const canceled = { kind: "cancel", by: "ann", at: NOW + 2 * SECOND };
    expect(job.actions).toEqual([canceled]);
    const retried = applied(job, { type: "retry", by: "Ada" }).job;
    expect(retried.actions).toEqual([canceled, { kind: "retry", by: "Ada", at: NOW + SECOND }]);
    const events = Array.from({ length: 30 }, (_, at): JobEvent => ({ type: at % 2 === 0 ? "cancel" : "retry", by: `n${at}` }));
    const { actions } = applied(retried, ...events).job;
    expect([actions?.length, actions?.[0]?.by, actions?.at(-1)?.by]).toEqual([20, "n10", "n29"]);
  });

  it("reports what it could not clean up, after many tries with growing pauses", () => {
    const start = applied(runningJob(), moved(1)).job;
    const pauses: number[] = [];
    let [job, messages]: [EncodingJob, readonly EncodingMessage[]] = [start, []];
    for (let count = 0; count < POLICY.cleanTries; count += 1) {
      const step = apply(job, { type: "uncleaned", attempt: 1 }, POLICY, NOW);
      pauses.push((step.job.attempts[0]?.dueAt ?? 0) - NOW);
      [job, messages] = [step.job, [...messages, ...step.messages]];
    }
    expect(pauses.slice(0, 3)).toEqual([POLICY.cleanMs, 2 * POLICY.cleanMs, 4 * POLICY.cleanMs]);
    expect(Math.max(...pauses.slice(0, -1))).toBe(POLICY.cleanLongestMs);
    expect(messages).toMatchObject([{ kind: "left_behind", account: "west" }]);
    expect(job.attempts).toMatchObject([{ owed: null }]);
  });

  it("whose account has lost it goes elsewhere", () => {
    expect(applied(runningJob(), { type: "gone", attempt: 1 }).job).toMatchObject({ state: "waiting", attempts: [{ moved: "gone" }] });
  });

  it("leaves the trial where it is for a while: when that gets going, the account is well", () => {
    const trial = applied(runningJob("west", true), { type: "moved", attempt: 1, reason: "trial", detail: "still scheduled" });
    expect(trial.evidence).toMatchObject([{ kind: "stuck", trial: true }]);
    expect(trial.job.attempts[0]?.dueAt).toBe(trial.now + POLICY.lookoutMs);
    const { evidence } = applied(trial.job, seen("west", 1, "processing"));
    expect(evidence).toMatchObject([{ kind: "progress", trial: true, account: "west" }]);
  });
});

const ACCOUNTS = ["west", "north", "east"];
const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.record({ type: fc.constant("placed" as const), account: fc.constantFrom(...ACCOUNTS), trial: fc.boolean(), outputs: fc.constant(1) }),
  fc.record({
    type: fc.constantFrom("submitted" as const, "unanswered" as const, "gone" as const, "cleaned" as const, "uncleaned" as const),
    attempt: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    type: fc.constantFrom("refused" as const, "rejected" as const, "withheld" as const),
    attempt: fc.integer({ min: 1, max: 4 }),
    detail: fc.constant("no"),
  }),
  fc.record({
    type: fc.constant("moved" as const),
    attempt: fc.integer({ min: 1, max: 4 }),
    reason: fc.constantFrom("account_out" as const, "scheduled" as const),
    detail: fc.constant(""),
  }),
  fc
    .record({
      type: fc.constant("seen" as const),
      attempt: fc.integer({ min: 1, max: 4 }),
      asked: fc.boolean(),
      sightings: fc.array(
        fc.record({
          state: fc.constantFrom(...ACCOUNT_JOB_STATES),
          label: fc.constantFrom(null, "o0"),
          failure: fc.constantFrom(null, TRANSIENT, MALFORMED),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    })
    .map((event) => ({ ...event, sightings: event.sightings.map((each) => sighting("west", event.attempt, each)) })),
  fc.constantFrom<JobEvent>(
    { type: "cancel", by: "ann" },
    { type: "retry", by: "Ada" },
    { type: "unplaced", why: "none" },
    { type: "exhausted", detail: "" },
  ),
);

describe("property: whatever comes, in whatever order", () => {
  it("at most one attempt is live, one wins, a round ends once, and nothing is forgotten", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let job = waitingJob();
        const told: string[] = [];
        events.forEach((event, index) => {
          const before = job;
          const step = apply(job, event, POLICY, NOW + index * SECOND);
          // An attempt has ended when it ended, whatever is seen of it later.
          for (const [at, { end, endedAt }] of before.attempts.entries())
            if (end !== null) expect(step.job.attempts[at]?.endedAt).toBe(endedAt);
          job = step.job;
          told.push(...step.messages.map(({ id }) => id));
          check(job);
          // Doubled: nothing more comes of it, but what counts tries and questions.
          const again = apply(job, event, POLICY, NOW + index * SECOND);
          if (event.type !== "uncleaned" && event.type !== "placed" && event.type !== "retry") expect(again.messages).toEqual([]);
          if (isFinal(before) && event.type !== "retry") expect(job.state).toBe(before.state);
        });
        expect(new Set(told).size).toBe(told.length);
      }),
      { numRuns: 500 },
    );
  });
});

function check(job: EncodingJob): void {
  const live = job.attempts.filter(({ end }) => end === null);
  expect(live.length).toBe(job.state === "running" ? 1 : 0);
  expect(liveAttempt(job)).toBe(live[0] ?? null);
  const won = job.attempts.filter(({ end }) => end === "won");
  expect(won.length).toBe(job.state === "finished" ? 1 : 0);
  for (const attempt of job.attempts) checkEnd(attempt);
  if (job.state === "finished") expect(job.result?.attempt).toBe(won[0]?.number);
  const timers = timersOf(job, POLICY);
  expect(timers.place !== null).toBe(job.state === "waiting");
  // Whatever is still to be done has a time at which it is done.
  const open = live.length > 0 || job.attempts.some(({ owed }) => owed !== null) || isFinal(job);
  expect(timers.follow !== null).toBe(open);
  expect(placesOf(job).length).toBeLessThanOrEqual(job.attempts.length);
}

function checkEnd({ end, endedAt, placedAt }: Attempt): void {
  if (end === null) expect(endedAt).toBeNull();
  else expect(endedAt).toBeGreaterThanOrEqual(placedAt);
}
