import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CALL_OUTCOMES, type AccountState, type CallOutcome } from "../../src/core/encoding.ts";
import { aged, called, capacityOf, isUsable, newAccount, readmitted, told, tried, wantsTrial } from "../../src/encoding/account.ts";
import type { Evidence, EvidenceKind } from "../../src/encoding/evidence.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { MINUTE, NOW, SECOND } from "./samples.ts";

const POLICY = DEFAULT_POLICY.account;
const start = newAccount("west", NOW);

const said = (outcome: CallOutcome, retryAfterMs: number | null = null) => ({ outcome, retryAfterMs });

/** Calls so many milliseconds apart. */
function calls(state: AccountState, outcomes: readonly CallOutcome[], everyMs: number, from = NOW): AccountState {
  return outcomes.reduce((known, outcome, index) => called(known, said(outcome), POLICY, from + index * everyMs), state);
}

const evidence = (kind: EvidenceKind, trial = false, jobId = "job"): Evidence => ({
  account: "west",
  kind,
  jobId,
  attempt: 1,
  trial,
  at: NOW,
});

function jobs(state: AccountState, kinds: readonly EvidenceKind[], now = NOW): AccountState {
  return kinds.reduce((known, kind) => told(known, evidence(kind), POLICY, now), state);
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("management calls", () => {
  it("put an account out when they get no answer for a while, not when many fail in one moment", () => {
    expect(calls(start, times(50, "unreachable"), 0).status).toBe("in");
    expect(calls(start, times(3, "unreachable"), 30 * SECOND)).toMatchObject({
      status: "out",
      reason: "unreachable",
      since: NOW + 60 * SECOND,
    });
    expect(calls(start, ["unreachable", "unreachable", "ok", "unreachable", "unreachable"], 30 * SECOND).status).toBe("in");
  });

  it("have each a meaning of its own", () => {
    expect(calls(start, times(3, "failing"), 30 * SECOND)).toMatchObject({ status: "out", reason: "failing" });
    expect(calls(start, times(2, "denied"), MINUTE)).toMatchObject({ status: "out", reason: "denied" });
    const throttled = calls(start, times(20, "throttled"), 10 * SECOND);
    expect(throttled.status).toBe("in");
    const last = NOW + 190 * SECOND;
    expect([isUsable(throttled, last), isUsable(throttled, last + POLICY.throttleMs)]).toEqual([false, true]);
  });

  it("pause it as long as it asks for, the longest of several that came at once, and never without end", () => {
    const pausedFor = (state: AccountState): number => (state.pausedUntil ?? NOW) - NOW;
    const asked = (state: AccountState, retryAfterMs: number | null) => called(state, said("throttled", retryAfterMs), POLICY, NOW);
    expect(pausedFor(asked(start, 90 * SECOND))).toBe(90 * SECOND);
    expect(pausedFor(asked(start, 2 * SECOND))).toBe(2 * SECOND);
    expect(pausedFor(asked(start, null))).toBe(POLICY.throttleMs);
    expect(pausedFor(asked(asked(start, 90 * SECOND), 2 * SECOND))).toBe(90 * SECOND);
    expect(pausedFor(asked(start, 24 * 60 * MINUTE))).toBe(POLICY.throttleLongestMs);
    expect(pausedFor(asked({ ...start, pausedUntil: NOW + 24 * 60 * MINUTE }, 0))).toBe(POLICY.throttleLongestMs);
    expect(pausedFor(called(start, said("failing", 90 * SECOND), POLICY, NOW))).toBe(90 * SECOND);
    expect(pausedFor(called(start, said("failing"), POLICY, NOW))).toBe(0);
    expect(aged(asked(start, 2 * SECOND), POLICY, NOW + 2 * SECOND).pausedUntil).toBeNull();
  });

  it("bring it back when they succeed in a row, with its capacity by and by", () => {
    const out = calls(start, times(3, "unreachable"), 30 * SECOND);
    const at = NOW + 10 * MINUTE;
    expect(calls(out, ["ok", "ok", "unreachable", "ok", "ok"], 30 * SECOND, at).status).toBe("out");
    const back = calls(out, ["ok", "ok", "ok"], 30 * SECOND, at);
    const returnedAt = at + 60 * SECOND;
    expect(back).toMatchObject({ status: "in", reason: null, returnedAt });
    expect([0, 0.5, 1].map((share) => capacityOf(back, 40, POLICY, returnedAt + share * POLICY.rampMs))).toEqual([1, 20, 40]);
    expect(aged(back, POLICY, returnedAt + POLICY.rampMs).returnedAt).toBeNull();
  });

  it("do not bring back an account that its jobs put out", () => {
    const out = jobs(start, times(3, "stuck"));
    expect(calls(out, times(20, "ok"), 30 * SECOND).status).toBe("out");
  });
});

describe("jobs", () => {
  it("put an account out when enough of them get stuck or fail by its fault", () => {
    expect(jobs(start, times(2, "stuck")).status).toBe("in");
    expect(jobs(start, times(3, "stuck"))).toMatchObject({ status: "out", reason: "stuck" });
    expect(jobs(start, [...times(20, "well" as const), ...times(3, "stuck" as const)]).status).toBe("in");
    expect(jobs(start, times(5, "failed"))).toMatchObject({ status: "out", reason: "failures" });
  });

  it("never do so by customers' broken input", () => {
    expect(jobs(start, times(1_000, "neutral"))).toEqual(start);
  });

  it("count for a while only", () => {
    const before = jobs(start, times(2, "stuck"));
    const later = NOW + POLICY.windowMs + POLICY.bucketMs;
    expect(jobs(before, ["stuck"], later).status).toBe("in");
    expect(aged(before, POLICY, later).buckets).toEqual([]);
  });

  it("are tried one at a time after a pause; one that gets going brings the account back", () => {
    const out = jobs(start, times(3, "stuck"));
    const at = NOW + POLICY.holdMs;
    expect(aged(out, POLICY, at - 1).status).toBe("out");
    const trial = aged(out, POLICY, at);
    expect([trial.status, wantsTrial(trial, at), isUsable(trial, at), capacityOf(trial, 40, POLICY, at)]).toEqual([
      "trial",
      true,
      false,
      40,
    ]);
    const under = tried(trial, "job", 1, at);
    expect(wantsTrial(under, at)).toBe(false);
    expect(told(under, evidence("progress", true), POLICY, at + MINUTE)).toMatchObject({ status: "in", trial: null });
    expect(told(under, evidence("neutral", true), POLICY, at + MINUTE)).toMatchObject({ status: "trial", trial: null });
    expect(told(under, evidence("well", false), POLICY, at + MINUTE).status).toBe("trial");
    expect(aged(under, POLICY, at + POLICY.trialLostMs).trial).toBeNull();
  });

  it("keep a flapping account away for longer, but never for more than some minutes at a time", () => {
    const holds: number[] = [];
    let [state, now] = [jobs(start, times(3, "stuck")), NOW];
    for (let count = 0; count < 8; count += 1) {
      const until = state.damping.until ?? 0;
      holds.push(until - now);
      now = until + MINUTE;
      state = told(tried(aged(state, POLICY, now), "job", 1, now), evidence("stuck", true), POLICY, now);
      expect(state.status).toBe("out");
    }
    expect(holds[0]).toBe(POLICY.holdMs);
    expect(Math.max(...holds)).toBe(Math.max(POLICY.holdMs, POLICY.damping.cap));
  });

  it("that were to try it, and were given up, bring it back when they get going after all, once the pause is over", () => {
    const out = jobs(start, times(3, "stuck"));
    expect(told(out, evidence("progress", true), POLICY, NOW + SECOND).status).toBe("out");
    expect(told(out, evidence("progress", true), POLICY, NOW + POLICY.holdMs).status).toBe("in");
    expect(told(out, evidence("progress", false), POLICY, NOW + POLICY.holdMs).status).toBe("out");
  });
});

it("an operator's word brings it back at once", () => {
  const out = jobs(start, times(3, "stuck"));
  const back = readmitted(out, "Ada", NOW + 1);
  expect(back).toMatchObject({ status: "in", returnedAt: NOW + 1, readmitted: { by: "Ada", at: NOW + 1 } });
  expect(readmitted(start, "Ada", NOW + 1)).toBe(start);
  // Of the next time that it is out nobody has said anything.
  expect(jobs(back, times(3, "stuck"))).toMatchObject({ status: "out", readmitted: null });
});

it("property: is out for a reason or not at all, and has no capacity while it is", () => {
  const step = fc.oneof(
    fc.record({ call: fc.constantFrom(...CALL_OUTCOMES) }),
    fc.record({ kind: fc.constantFrom<EvidenceKind>("well", "failed", "stuck", "progress", "neutral"), trial: fc.boolean() }),
    fc.record({ passMs: fc.integer({ min: 0, max: 600_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let [state, now] = [start, NOW];
      for (const each of steps) {
        now += "passMs" in each ? each.passMs : 10 * SECOND;
        if ("call" in each) state = called(state, said(each.call), POLICY, now);
        else if ("kind" in each) state = told(state, evidence(each.kind, each.trial), POLICY, now);
        state = aged(state, POLICY, now);
        expect(state.reason === null).toBe(state.status === "in");
        if (state.status === "out") expect(capacityOf(state, 40, POLICY, now)).toBe(0);
        expect(isUsable(state, now) && wantsTrial(state, now)).toBe(false);
      }
      // However bad it was, calls and a trial that go well bring it back.
      now += POLICY.damping.cap + POLICY.holdMs + 10 * MINUTE;
      for (let count = 0; count < 5; count += 1) state = aged(called(state, said("ok"), POLICY, now + count), POLICY, now + count);
      state = told(state, evidence("progress", true), POLICY, now + 10);
      expect(state.status).toBe("in");
    }),
  );
});
