import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, type FailureReason, type Outcome } from "../../src/core/contracts.ts";
import {
  failuresNeeded,
  initialState,
  observe,
  resumedState,
  type CheckState,
  type Source,
  type StatePolicy,
  type Transition,
} from "../../src/health/state.ts";

const POLICY: StatePolicy = { fall: 2, rise: 3 };
const ok: Outcome = { ok: true, durationMs: 5 };
const failed = (reason: FailureReason): Outcome => ({ ok: false, durationMs: 5, reason, detail: `planted ${reason}` });
const timeout = failed("timeout");

interface Seen {
  readonly outcome: Outcome;
  readonly source: Source;
}

/** Feeds the outcomes one after another; each state is frozen, so that a step that edits fails. */
function feed(seen: readonly Seen[], policy: StatePolicy, now: (index: number) => number = (index) => index) {
  let state: CheckState = Object.freeze(initialState(now(0)));
  return seen.map(({ outcome, source }, index) => {
    const step = observe(state, outcome, policy, now(index), source);
    state = Object.freeze(step.state);
    Object.freeze(step.state.health);
    return step;
  });
}

function probes(outcomes: readonly Outcome[], policy = POLICY) {
  return feed(
    outcomes.map((outcome) => ({ outcome, source: "probe" as const })),
    policy,
  );
}

function statuses(outcomes: readonly Outcome[], policy = POLICY): string[] {
  return probes(outcomes, policy).map(({ state }) => state.health.status);
}

describe("probes", () => {
  it.each([
    ["first success of an unknown service", [ok], ["healthy"]],
    ["first soft failure of an unknown service", [timeout], ["unknown"]],
    ["soft failures from the start", [timeout, timeout], ["unknown", "unhealthy"]],
    ["a refusal", [ok, failed("refused")], ["healthy", "unhealthy"]],
    ["one failure between successes", [ok, timeout, ok, timeout, ok], ["healthy", "healthy", "healthy", "healthy", "healthy"]],
    ["failures of different kinds", [ok, timeout, failed("status")], ["healthy", "healthy", "unhealthy"]],
    ["a recovery", [failed("refused"), ok, ok, ok], ["unhealthy", "unhealthy", "unhealthy", "healthy"]],
    ["a recovery that is broken off", [failed("refused"), ok, ok, timeout, ok, ok], Array<string>(6).fill("unhealthy")],
  ] as const)("%s", (_, outcomes, expected) => {
    expect(statuses(outcomes)).toEqual(expected);
  });

  it("confirms definite faults once, whatever fall says, and a refusal never", () => {
    const needed = Object.fromEntries(FAILURE_REASONS.map((reason) => [reason, failuresNeeded(reason, 5)]));
    expect(needed).toEqual({
      refused: 1,
      reset: 5,
      timeout: 5,
      dns: 5,
      tls: 2,
      status: 5,
      not_found: 5,
      unauthorized: 5,
      body: 2,
      truncated: 5,
      too_large: 5,
      segment: 5,
      key_length: 2,
      key_mismatch: 2,
    });
    expect(failuresNeeded("body", 1)).toBe(1);
  });

  it("says why, also while a change is pending, and forgets it when healthy", () => {
    const [first, second, third, fourth] = probes([ok, timeout, ok, failed("refused")]);
    expect(first?.transition).toEqual({ from: "unknown", to: "healthy", reason: null });
    expect(second).toMatchObject({
      pending: true,
      transition: null,
      state: { health: { reason: "timeout", pending: 1, checkedAt: 1, since: 0 } },
    });
    expect(third).toMatchObject({ pending: false, state: { health: { reason: null, detail: null, pending: 0 } } });
    expect(fourth?.transition).toEqual({ from: "healthy", to: "unhealthy", reason: "refused" });
    expect(fourth?.state.health).toEqual({
      status: "unhealthy",
      since: 3,
      reason: "refused",
      detail: "planted refused",
      checkedAt: 3,
      pending: 0,
    });
  });

  it("takes up an earlier status without its pending change", () => {
    const health = { status: "unhealthy", since: 7, reason: "timeout", detail: "was slow", checkedAt: 9, pending: 2 } as const;
    const resumed = resumedState(health);
    expect(resumed.health).toEqual({ ...health, pending: 0 });
    expect(observe(resumed, ok, POLICY, 10).transition).toBeNull();
    expect(observe(resumed, ok, { fall: 2, rise: 1 }, 10).transition).toEqual({ from: "unhealthy", to: "healthy", reason: null });
  });
});

describe("traffic", () => {
  const traffic = (outcome: Outcome): Seen => ({ outcome, source: "traffic" });
  const probe = (outcome: Outcome): Seen => ({ outcome, source: "probe" });
  const last = (seen: readonly Seen[], policy = POLICY) => feed(seen, policy).at(-1);

  it("brings a change nearer, which one probe then confirms", () => {
    expect(last([probe(ok), traffic(timeout)])).toMatchObject({ pending: true, transition: null, state: { health: { pending: 1 } } });
    expect(last([probe(ok), traffic(timeout), probe(timeout)])?.transition?.to).toBe("unhealthy");
    expect(last([probe(ok), traffic(timeout), probe(ok), probe(timeout)])?.transition).toBeNull();
    expect(last([probe(ok), traffic(timeout), traffic(timeout), traffic(timeout)])?.state.health.pending).toBe(1);
  });

  it("takes back with a success what failures of traffic did, and nothing that probes did", () => {
    expect(last([probe(ok), traffic(timeout), traffic(ok)])).toMatchObject({ pending: false, state: { health: { reason: null } } });
    expect(last([probe(ok), probe(timeout), traffic(ok)])).toMatchObject({ pending: true, state: { health: { pending: 1 } } });
    expect(last([probe(ok), probe(timeout), traffic(ok), probe(timeout)])?.transition?.to).toBe("unhealthy");
  });

  it("does not heal, and a failure breaks a recovery off", () => {
    expect(last([probe(failed("refused")), ...Array<Seen>(10).fill(traffic(ok))])?.state.health.status).toBe("unhealthy");
    const almost = [probe(failed("refused")), probe(ok), probe(ok)];
    expect(last([...almost, traffic(timeout), probe(ok)])?.state.health).toMatchObject({ status: "unhealthy", pending: 1 });
  });

  it("does not blame a service for one video or one viewer", () => {
    for (const reason of ["not_found", "unauthorized"] as const) {
      expect(last([probe(ok), traffic(failed(reason))])).toMatchObject({ pending: false, state: { health: { checkedAt: 0 } } });
    }
  });
});

const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(fc.constant(ok), fc.constantFrom(...FAILURE_REASONS).map(failed));
const anySeen = fc.record({ outcome: anyOutcome, source: fc.constantFrom<Source>("probe", "probe", "traffic") });
const anyPolicy = fc.record({ fall: fc.integer({ min: 1, max: 5 }), rise: fc.integer({ min: 1, max: 5 }) });
const anyRun = fc.array(anySeen, { maxLength: 60 });

/** What speaks for a change at its moment, counted afresh from everything that was seen since the last change. */
function evidence(since: readonly Seen[], policy: StatePolicy): { failures: number; successes: number } {
  const probed = since.filter(({ source }) => source === "probe").map(({ outcome }) => outcome.ok);
  const lastOk = since.findLastIndex(({ outcome, source }) => source === "probe" && outcome.ok);
  const after = since.slice(lastOk + 1);
  const byTraffic = after.filter(({ outcome, source }) => source === "traffic" && !outcome.ok).length;
  const byProbes = after.filter(({ source }) => source === "probe").length;
  const failures = byProbes + Math.min(byTraffic, policy.fall - 1);
  return { failures, successes: probed.length - 1 - probed.lastIndexOf(false) };
}

describe("properties", () => {
  it("never changes a status before its threshold, and only by a probe", () => {
    fc.assert(
      fc.property(anyRun, anyPolicy, (run, policy) => {
        let since = 0;
        feed(run, policy).forEach(({ transition }, index) => {
          const seen = run[index];
          if (transition === null || seen === undefined) return;
          expect(seen.source).toBe("probe");
          const { failures, successes } = evidence(run.slice(since, index + 1), policy);
          if (!seen.outcome.ok) expect(failures).toBeGreaterThanOrEqual(failuresNeeded(seen.outcome.reason, policy.fall));
          else expect(successes).toBeGreaterThanOrEqual(transition.from === "unknown" ? 1 : policy.rise);
          since = index + 1;
        });
      }),
      { numRuns: 1000 },
    );
  });

  it("always changes once the threshold is met, whatever came before", () => {
    fc.assert(
      fc.property(anyRun, anyPolicy, fc.constantFrom(...FAILURE_REASONS), (run, policy, reason) => {
        const down = Array.from({ length: policy.fall }, (): Seen => ({ outcome: failed(reason), source: "probe" }));
        const up = Array.from({ length: policy.rise }, (): Seen => ({ outcome: ok, source: "probe" }));
        expect(feed([...run, ...down], policy).at(-1)?.state.health.status).toBe("unhealthy");
        expect(feed([...run, ...up], policy).at(-1)?.state.health.status).toBe("healthy");
      }),
    );
  });

  it("reports every change of status as a transition, and pending as the schedule needs it", () => {
    fc.assert(
      fc.property(anyRun, anyPolicy, (run, policy) => {
        let status = "unknown";
        for (const { state, transition, pending } of feed(run, policy)) {
          expect(transition !== null).toBe(state.health.status !== status);
          if (transition !== null) expect([transition.from, transition.to]).toEqual([status, state.health.status]);
          expect(pending).toBe(state.health.pending > 0);
          if (state.health.status === "healthy") expect(state.health.reason === null).toBe(!pending);
          if (state.health.status === "unhealthy") expect(state.health.reason).not.toBeNull();
          status = state.health.status;
        }
      }),
    );
  });

  it("bounds the changes of an alternating service", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.boolean(),
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (length, first, fall, rise) => {
          const run = Array.from({ length }, (_, index) => ((index % 2 === 0) === first ? ok : timeout));
          const changes = probes(run, { fall, rise }).filter(({ transition }) => transition !== null);
          expect(changes.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("decides the same under any clock", () => {
    fc.assert(
      fc.property(
        anyRun,
        anyPolicy,
        fc.array(fc.integer({ min: -1e15, max: 1e15 }), { minLength: 60, maxLength: 60 }),
        (run, policy, times) => {
          const changes = (now: (index: number) => number): (Transition | null)[] =>
            feed(run, policy, now).map(({ transition }) => transition);
          expect(changes((index) => times[index] ?? 0)).toEqual(changes((index) => index));
        },
      ),
    );
  });
});
