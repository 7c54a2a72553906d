import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, type FailureReason, type HealthStatus, type Outcome, type ServiceHealth } from "../../src/core/contracts.ts";
import { initialState, observe, resumedState, type CheckState, type StatePolicy, type Step } from "../../src/health/state.ts";
import { failuresNeeded, type Seen } from "../../src/health/thresholds.ts";

/** Without damping and ramp: they have tests of their own. */
const PLAIN = { ramp: 0, rampStart: 0.1, damping: { window: 300_000, base: 0, cap: 0 } } as const;
const POLICY: StatePolicy = { fall: 2, rise: 3, ...PLAIN };
const ok: Outcome = { ok: true, durationMs: 5 };
const slow: Outcome = { ok: true, durationMs: 5, signals: [{ kind: "first_byte", detail: "900 ms" }] };
const failed = (reason: FailureReason): Outcome => ({ ok: false, durationMs: 5, reason, detail: `planted ${reason}` });
const timeout = failed("timeout");
const probe = (outcome: Outcome): Seen => ({ outcome, source: "probe", quorum: false });
const viewer = (outcome: Outcome): Seen => ({ outcome, source: "traffic", quorum: false });
const quorum = (outcome: Outcome): Seen => ({ outcome, source: "traffic", quorum: true });

/** Feeds the looks one after another, a second apart; each state is frozen, so that a step that edits fails. */
function feed(seen: readonly Seen[], policy: StatePolicy, now: (index: number) => number = (index) => index): Step[] {
  let state: CheckState = Object.freeze(initialState(now(0)));
  return seen.map((look, index) => {
    const step = observe(state, look, policy, { now: now(index), monotonic: index * 1000 });
    state = Object.freeze(step.state);
    Object.freeze(step.state.health);
    Object.freeze(step.state.tally);
    Object.freeze(step.state.damping);
    return step;
  });
}

function probes(outcomes: readonly Outcome[], policy = POLICY): Step[] {
  return feed(outcomes.map(probe), policy);
}

function statuses(outcomes: readonly Outcome[], policy = POLICY): string[] {
  return probes(outcomes, policy).map(({ state }) => state.health.status);
}

function last(seen: readonly Seen[], policy = POLICY): Step | undefined {
  return feed(seen, policy).at(-1);
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

  it("confirms definite faults once, whatever fall says, and never what cannot be chance", () => {
    const needed = Object.fromEntries(FAILURE_REASONS.map((reason) => [reason, failuresNeeded(reason, 5)]));
    expect(needed).toEqual({
      refused: 1,
      reset: 5,
      timeout: 5,
      dns: 5,
      abandoned: 5,
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
      stale: 1,
      regressed: 2,
      rewritten: 2,
    });
    expect(failuresNeeded("body", 1)).toBe(1);
  });

  it("says why, also while a change is pending, and forgets it when healthy", () => {
    const [first, second, third, fourth] = probes([ok, timeout, ok, failed("refused")]);
    expect(first?.transition).toEqual({ from: "unknown", to: "healthy", reason: null });
    expect(second).toMatchObject({
      transition: null,
      state: { health: { reason: "timeout", pending: 1, checkedAt: 1, since: 0 } },
    });
    expect(third).toMatchObject({ state: { health: { reason: null, detail: null, pending: 0 } } });
    expect(fourth?.transition).toEqual({ from: "healthy", to: "unhealthy", reason: "refused" });
    expect(fourth?.state.health).toEqual({
      status: "unhealthy",
      since: 3,
      reason: "refused",
      detail: "planted refused",
      checkedAt: 3,
      pending: 0,
      latencyMs: 5,
    });
  });

  it("starts unknown, with nothing pending", () => {
    const health = { status: "unknown", since: 5, reason: null, detail: null, checkedAt: null, pending: 0 };
    expect(initialState(5).health).toEqual(health);
  });

  it("takes up an earlier status without its pending change", () => {
    const health = { status: "unhealthy", since: 7, reason: "timeout", detail: "was slow", checkedAt: 9, pending: 2 } as const;
    const at = { now: 10, monotonic: 0 };
    const resumed = resumedState(health, POLICY, at);
    expect(resumed.health).toEqual({ ...health, pending: 0 });
    expect(observe(resumed, probe(ok), POLICY, at).transition).toBeNull();
    expect(observe(resumed, probe(ok), { ...POLICY, rise: 1 }, at).transition).toEqual({ from: "unhealthy", to: "healthy", reason: null });
  });

  it("smooths how long successes take, and learns nothing from failures", () => {
    const took = (durationMs: number): Outcome => ({ ok: true, durationMs });
    const seen = [probe(took(100)), probe(took(200)), probe({ ...timeout, durationMs: 5000 }), quorum(took(9000))];
    expect(feed(seen, POLICY).map(({ state }) => state.health.latencyMs)).toEqual([100, 120, 120, 120]);
  });
});

describe("a hold", () => {
  /** Held for 5 s after its second outage, which ends at once. */
  const policy: StatePolicy = { ...POLICY, fall: 3, rise: 1, damping: { window: 60_000, base: 5000, cap: 20_000 } };
  const flapped = [ok, failed("refused"), ok, failed("refused")].map(probe);
  const after = (seen: readonly Seen[]) => feed([...flapped, ...seen], policy, (index) => index * 1000).map(({ state }) => state.health);

  it("keeps a service that is well unhealthy until it is over, and says so", () => {
    const healths = after(Array<Seen>(6).fill(probe(ok)));
    expect(healths.map(({ status }) => status).slice(4)).toEqual([...Array<string>(4).fill("unhealthy"), "healthy", "healthy"]);
    expect(healths[7]).toMatchObject({
      since: 3000,
      reason: "refused",
      detail: "planted refused",
      pending: 0,
      heldUntil: 8000,
      checkedAt: 7000,
    });
    expect(healths[8]).not.toHaveProperty("heldUntil");
  });

  it("ends only by a probe that succeeds", () => {
    const held = Array<Seen>(4).fill(probe(ok));
    const statusesAfter = (seen: readonly Seen[]) =>
      after([...held, ...seen])
        .map(({ status }) => status)
        .slice(8);
    expect(statusesAfter([probe(timeout), probe(ok)])).toEqual(["unhealthy", "healthy"]);
    expect(statusesAfter([quorum(timeout), viewer(ok), viewer(ok), probe(ok)])).toEqual(["unhealthy", "unhealthy", "unhealthy", "healthy"]);
  });

  it.each([
    ["is taken up", 3000, policy, 8000],
    ["is not longer than the cap, whatever the clock says", 1e12, policy, 25_000],
    ["has passed", 0, policy, 5000],
    ["is of no use any more", 3000, { ...policy, damping: { ...policy.damping, base: 0 } }, 5000],
  ])("of an earlier process %s", (_, left, under, returnsAt) => {
    const health: ServiceHealth = {
      status: "unhealthy",
      since: 1,
      reason: "refused",
      detail: "",
      checkedAt: 2,
      pending: 0,
      heldUntil: 77 + left,
    };
    let state = resumedState(health, under, { now: 77, monotonic: 5000 });
    const seenAt = (monotonic: number): string => {
      ({ state } = observe(state, probe(ok), under, { now: 77, monotonic }));
      return state.health.status;
    };
    if (returnsAt > 5000) expect([seenAt(5000), seenAt(returnsAt - 1)]).toEqual(["unhealthy", "unhealthy"]);
    expect(seenAt(returnsAt)).toBe("healthy");
    // The outages before count as one, or, while they held it, as two.
    const { health: again } = observe(state, probe(failed("refused")), policy, { now: 0, monotonic: returnsAt }).state;
    expect(again.heldUntil).toBe(returnsAt > 5000 ? 10_000 : 5000);
  });

  it("is not taken up by a service that serves", () => {
    const health: ServiceHealth = { status: "healthy", since: 1, reason: null, detail: null, checkedAt: 2, pending: 0, heldUntil: 99_999 };
    const { state } = observe(resumedState(health, policy, { now: 0, monotonic: 0 }), probe(failed("refused")), policy, {
      now: 0,
      monotonic: 0,
    });
    expect(state.health).not.toHaveProperty("heldUntil");
  });
});

describe("signals", () => {
  it.each([
    ["degrade after fall in a row", [ok, slow, slow], ["healthy", "healthy", "degraded"]],
    ["do not degrade with a clean success in between", [ok, slow, ok, slow], Array<string>(4).fill("healthy")],
    ["degrade over a failure in between", [ok, slow, timeout, slow], ["healthy", "healthy", "healthy", "degraded"]],
    ["count from the first look", [slow, slow], ["healthy", "degraded"]],
    [
      "need rise clean successes in a row to end",
      [slow, slow, ok, ok, slow, ok, ok, ok],
      ["healthy", ...Array<string>(6).fill("degraded"), "healthy"],
    ],
    [
      "need them without a failure in between",
      [slow, slow, ok, ok, timeout, ok, ok, ok],
      ["healthy", ...Array<string>(6).fill("degraded"), "healthy"],
    ],
    ["do not keep a service from failing", [slow, slow, timeout, timeout], ["healthy", "degraded", "degraded", "unhealthy"]],
    ["do not keep a service from coming back", [failed("refused"), slow, slow, slow], ["unhealthy", "unhealthy", "unhealthy", "degraded"]],
    [
      "are forgotten by an outage",
      [slow, failed("refused"), ok, ok, ok, slow],
      ["healthy", ...Array<string>(3).fill("unhealthy"), "healthy", "healthy"],
    ],
  ] as const)("%s", (_, outcomes, expected) => {
    expect(statuses(outcomes)).toEqual(expected);
  });

  it("are told while they last, and bring the next probe forward", () => {
    const [, pending, degraded, clean, , , healthy, , unhealthy] = probes([ok, slow, slow, ok, slow, ok, ok, ok, failed("refused")]);
    const { signals } = slow as Extract<Outcome, { ok: true }>;
    expect(pending?.state.health).toMatchObject({ status: "healthy", pending: 1, reason: null, signals });
    expect(degraded).toMatchObject({
      transition: { from: "healthy", to: "degraded", reason: null },
      state: { health: { pending: 0, signals, reason: null } },
    });
    expect(clean?.state.health).toMatchObject({ status: "degraded", pending: 1, signals });
    expect(healthy?.state.health).toMatchObject({ status: "degraded", pending: 2 });
    expect(unhealthy?.state.health).not.toHaveProperty("signals");
    expect(probes([slow, ok]).at(-1)?.state.health).not.toHaveProperty("signals");
  });
});

describe("traffic", () => {
  it("says nothing without a quorum, however often", () => {
    const run = [probe(ok), ...Array<Seen>(50).fill(viewer(timeout)), probe(timeout)];
    const steps = feed(run, POLICY);
    expect(steps[50]?.state).toBe(steps[0]?.state);
    expect(steps.at(-1)).toMatchObject({ transition: null, state: { health: { pending: 1 } } });
  });

  it("counts like probes with a quorum", () => {
    expect(last([probe(ok), quorum(timeout)])?.state.health).toMatchObject({ pending: 1, reason: "timeout", status: "healthy" });
    expect(last([probe(ok), quorum(timeout), probe(timeout)])?.transition?.to).toBe("unhealthy");
    expect(last([probe(ok), quorum(timeout), quorum(timeout)])?.transition).toEqual({
      from: "healthy",
      to: "unhealthy",
      reason: "timeout",
    });
    expect(last([probe(ok), quorum(timeout), probe(ok), quorum(timeout)])?.transition).toBeNull();
  });

  it("takes back with a success what failures of traffic did, and nothing that probes did", () => {
    expect(last([probe(ok), quorum(timeout), viewer(ok)])?.state.health).toMatchObject({ pending: 0, reason: null });
    expect(last([probe(ok), quorum(timeout), quorum(ok)])?.state.health).toMatchObject({ pending: 1 });
    expect(last([probe(ok), probe(timeout), viewer(ok)])?.state.health).toMatchObject({ pending: 1, reason: "timeout" });
    expect(last([probe(ok), probe(timeout), viewer(ok), probe(timeout)])?.transition?.to).toBe("unhealthy");
  });

  it("leaves the reason of probes and the signals as they are", () => {
    const policy = { ...POLICY, fall: 3 };
    const seen = [probe(slow), probe(timeout), quorum(failed("reset")), viewer(ok)];
    const healths = feed(seen, policy).map(({ state }) => state.health);
    expect(healths[3]).toMatchObject({ pending: 1, reason: "reset", signals: [{ kind: "first_byte" }] });
    expect(last([probe(slow), probe(slow), probe(ok), probe(ok), quorum(timeout), probe(ok)])?.state.health).toMatchObject({
      status: "degraded",
      pending: 1,
    });
  });

  it("does not heal, and breaks a recovery off with a quorum only", () => {
    expect(last([probe(failed("refused")), ...Array<Seen>(10).fill(quorum(ok))])?.state.health.status).toBe("unhealthy");
    const almost = [probe(failed("refused")), probe(ok), probe(ok)];
    expect(last([...almost, viewer(timeout), probe(ok)])?.state.health.status).toBe("healthy");
    expect(last([...almost, quorum(timeout), probe(ok)])?.state.health).toMatchObject({ status: "unhealthy", pending: 1 });
  });

  it("does not blame a service for one video or one viewer", () => {
    for (const reason of ["not_found", "unauthorized"] as const) {
      const steps = feed([probe(ok), quorum(failed(reason))], POLICY);
      expect(steps[1]?.state).toBe(steps[0]?.state);
    }
  });

  it("is noted as a look once a second at most", () => {
    const at = (now: number) => ({ now, monotonic: 0 });
    const { state } = observe(initialState(0), probe(ok), POLICY, at(0));
    expect(observe(state, viewer(ok), POLICY, at(999)).state).toBe(state);
    expect(observe(state, viewer(ok), POLICY, at(1000)).state.health).toEqual({ ...state.health, checkedAt: 1000 });
    expect(observe(state, viewer(ok), POLICY, at(-5000)).state.health.checkedAt).toBe(-5000);
    expect(observe(state, viewer(timeout), POLICY, at(5000)).state).toBe(state);
  });
});

describe("a slow return", () => {
  const policy: StatePolicy = { ...POLICY, rise: 1, ramp: 10_000, rampStart: 0.2 };
  const shares = (seen: readonly Outcome[], under = policy) => probes(seen, under).map(({ state }) => state.health.share ?? 1);

  it("begins with an outage and rises with time", () => {
    const seen = [ok, failed("refused"), ...Array<Outcome>(12).fill(ok)];
    const expected = [1, 1, 0.2, 0.28, 0.36, 0.44, 0.52, 0.6, 0.68, 0.76, 0.84, 0.92, 1, 1];
    shares(seen).forEach((share, index) => {
      expect(share).toBeCloseTo(expected[index] ?? -1, 10);
    });
    expect(probes(seen, policy).at(-1)?.state.health).not.toHaveProperty("share");
    expect(shares(seen, { ...policy, ramp: 0 })).toEqual(Array<number>(14).fill(1));
  });

  it("goes on over a change to degraded, ends with an outage and begins again after it", () => {
    expect(statuses([failed("refused"), ok, slow, slow], policy)).toEqual(["unhealthy", "healthy", "healthy", "degraded"]);
    expect(shares([failed("refused"), ok, slow, slow])[3]).toBeCloseTo(0.36, 10);
    expect(shares([failed("refused"), ok, ok, failed("refused"), ok, ok])).toEqual([1, 0.2, 0.28, 1, 0.2, 0.28]);
  });

  it("is no part of a start", () => {
    expect(shares([ok, ok])).toEqual([1, 1]);
    expect(shares([timeout, ok])).toEqual([1, 1]);
  });

  it("goes on after a reload", () => {
    const at = { now: 77, monotonic: 50_000 };
    const health: ServiceHealth = { status: "healthy", since: 7, reason: null, detail: null, checkedAt: 9, pending: 0, share: 0.6 };
    const share = (later: number) =>
      observe(resumedState(health, policy, at), probe(ok), policy, { now: 77, monotonic: at.monotonic + later }).state.health.share;
    expect(share(0)).toBeCloseTo(0.6, 10);
    expect(share(2500)).toBeCloseTo(0.8, 10);
    expect(share(5000)).toBeUndefined();
  });
});

const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(fc.constantFrom(ok, slow), fc.constantFrom(...FAILURE_REASONS).map(failed));
const anySeen: fc.Arbitrary<Seen> = fc.oneof(
  { arbitrary: anyOutcome.map(probe), weight: 2 },
  { arbitrary: fc.tuple(anyOutcome, fc.boolean()).map(([outcome, stands]) => (stands ? quorum(outcome) : viewer(outcome))), weight: 1 },
);
const anyThresholds = fc.record({ fall: fc.integer({ min: 1, max: 5 }), rise: fc.integer({ min: 1, max: 5 }) });
const anyPolicy: fc.Arbitrary<StatePolicy> = anyThresholds.map((thresholds) => ({ ...PLAIN, ...thresholds }));
const dampedPolicy: fc.Arbitrary<StatePolicy> = fc.record({
  fall: fc.integer({ min: 1, max: 5 }),
  rise: fc.integer({ min: 1, max: 5 }),
  ramp: fc.constantFrom(0, 5000, 30_000),
  rampStart: fc.constantFrom(0, 0.1, 1),
  damping: fc.record({ window: fc.constantFrom(5000, 60_000), base: fc.constantFrom(0, 1500, 8000), cap: fc.constantFrom(8000, 20_000) }),
});
const anyRun = fc.array(anySeen, { maxLength: 60 });

const probed = ({ source }: Seen): boolean => source === "probe";
const fails = (seen: Seen): boolean =>
  !seen.outcome.ok && (probed(seen) || (seen.quorum && seen.outcome.reason !== "not_found" && seen.outcome.reason !== "unauthorized"));
const succeeds = (seen: Seen): boolean => probed(seen) && seen.outcome.ok;
const signalled = ({ outcome }: Seen): boolean => outcome.ok && (outcome.signals ?? []).length > 0;

/** Whether the looks since the last change justify this one, counted afresh. `all` goes further back. */
function justified(
  to: HealthStatus,
  from: HealthStatus,
  looks: readonly Seen[],
  all: readonly Seen[],
  { fall, rise }: StatePolicy,
): boolean {
  if (to === "unhealthy") {
    const latest = looks.at(-1);
    const against = looks.slice(looks.findLastIndex(succeeds) + 1).filter(fails).length;
    return latest !== undefined && !latest.outcome.ok && against >= failuresNeeded(latest.outcome.reason, fall);
  }
  const well = looks.slice(looks.findLastIndex(fails) + 1).filter(succeeds);
  if (from === "unhealthy" && well.length < rise) return false;
  const successes = all.filter(succeeds).slice(-fall);
  if (to === "degraded") return successes.length === fall && successes.every(signalled);
  return from !== "degraded" || (well.length >= rise && !well.slice(-rise).some(signalled));
}

describe("properties", () => {
  it("never changes a status before its threshold, and heals only by a probe", () => {
    fc.assert(
      fc.property(anyRun, anyPolicy, (run, policy) => {
        let since = 0;
        feed(run, policy).forEach(({ transition }, index) => {
          if (transition === null) return;
          const looks = run.slice(since, index + 1);
          expect(justified(transition.to, transition.from, looks, run.slice(0, index + 1), policy)).toBe(true);
          if (transition.to !== "unhealthy") expect(run[index]?.source).toBe("probe");
          since = index + 1;
        });
      }),
      { numRuns: 1000 },
    );
  });

  it("always changes once the threshold is met, whatever came before", () => {
    fc.assert(
      fc.property(anyRun, anyPolicy, fc.constantFrom(...FAILURE_REASONS), fc.boolean(), (run, policy, reason, byTraffic) => {
        const against = byTraffic && reason !== "not_found" && reason !== "unauthorized" ? quorum : probe;
        const repeated = (count: number, seen: Seen): Seen[] => Array.from({ length: count }, () => seen);
        const after = (seen: readonly Seen[]) => feed([...run, ...seen], policy).at(-1)?.state.health.status;
        expect(after(repeated(policy.fall, against(failed(reason))))).toBe("unhealthy");
        expect(after(repeated(policy.rise, probe(ok)))).toBe("healthy");
        expect(after(repeated(Math.max(policy.rise, policy.fall), probe(slow)))).toBe("degraded");
      }),
    );
  });

  it("reports every change of status as a transition, with its reason, signals and what is pending", () => {
    fc.assert(
      fc.property(anyRun, fc.oneof(anyPolicy, dampedPolicy), (run, policy) => {
        let status = "unknown";
        for (const { state, transition } of feed(run, policy)) {
          const { health, tally } = state;
          expect(transition !== null).toBe(health.status !== status);
          if (transition !== null) expect([transition.from, transition.to]).toEqual([status, health.status]);
          expect(transition?.reason ?? null).toBe(transition?.to === "unhealthy" ? health.reason : null);
          const failing = health.status === "unhealthy" || tally.failures + tally.traffic > 0;
          expect([health.reason !== null, health.detail !== null]).toEqual([failing, failing]);
          if (health.status === "degraded") expect(health.signals).not.toHaveLength(0);
          if (health.status === "unhealthy") expect(health.signals).toBeUndefined();
          status = health.status;
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
        fc.constantFrom(slow, timeout),
        (length, first, fall, rise, other) => {
          const run = Array.from({ length }, (_, index) => ((index % 2 === 0) === first ? ok : other));
          const changes = probes(run, { ...PLAIN, fall, rise }).filter(({ transition }) => transition !== null);
          expect(changes.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("keeps a held service away until its hold is over, and at most for the cap", () => {
    fc.assert(
      fc.property(anyRun, dampedPolicy, (run, policy) => {
        let heldUntil = 0;
        feed(run, policy, (index) => index * 1000).forEach(({ state: { health }, transition }, index) => {
          const held = health.heldUntil ?? 0;
          if (held > 0) expect([health.status, held <= index * 1000 + policy.damping.cap]).toEqual(["unhealthy", true]);
          if (transition?.from === "unhealthy") expect(index * 1000).toBeGreaterThanOrEqual(heldUntil);
          heldUntil = held;
        });
      }),
      { numRuns: 500 },
    );
  });

  it("gives a share after a recovery, while the ramp lasts, and at no other time", () => {
    fc.assert(
      fc.property(anyRun, dampedPolicy, (run, policy) => {
        let recoveredAt = Number.NaN;
        feed(run, policy).forEach(({ state: { health }, transition }, index) => {
          if (transition?.to === "unhealthy") recoveredAt = Number.NaN;
          if (transition?.from === "unhealthy") recoveredAt = index * 1000;
          if (run[index]?.source === "traffic") return;
          const inRamp = index * 1000 - recoveredAt < policy.ramp && policy.rampStart < 1;
          const { share = 1 } = health;
          expect([share < 1, share >= policy.rampStart && share <= 1]).toEqual([inRamp, true]);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("decides the same under any wall clock", () => {
    const anyTimes = fc.array(fc.integer({ min: -1e15, max: 1e15 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(anyRun, dampedPolicy, anyTimes, (run, policy, times) => {
        const decided = (now: (index: number) => number) =>
          feed(run, policy, now).map(({ state, transition }) => {
            const { status, pending, reason, share } = state.health;
            return { transition, status, pending, reason, share, held: (state.health.heldUntil ?? null) !== null };
          });
        expect(decided((index) => times[index] ?? 0)).toEqual(decided((index) => index));
      }),
    );
  });
});
