import { describe, expect, it } from "vitest";
import type { FailureReason } from "../../src/core/contracts.ts";
import { besideOthers, observeCopy, UNKNOWN_COPY, verdictOn, type LiveCopyState, type LiveLook } from "../../src/health/liveCopy.ts";

const LIMITS = { rise: 2, fall: 3 };
const TARGET_MS = 3_000;

/** Looks every half second, at a playlist that last moved at each of these times. */
class Run {
  state: LiveCopyState = UNKNOWN_COPY;
  at = 0;

  look(look: LiveLook): this {
    this.at += 500;
    this.state = observeCopy(this.state, look, LIMITS, { now: 1_000_000 + this.at, monotonic: this.at });
    return this;
  }

  /** Plays; the newest segment came at `movedAt`. */
  plays(movedAt: number): this {
    return this.look({ ok: true, leftMs: movedAt + TARGET_MS - (this.at + 500) });
  }

  fails(reason: FailureReason): this {
    return this.look({ ok: false, reason, detail: "seen" });
  }
}

describe("a copy of a live event", () => {
  it("is on air when it has shown something new, not before", () => {
    const run = new Run().plays(400).plays(400).plays(400);
    expect(run.state.onAir).toBeNull();
    expect(run.plays(1_900).state).toMatchObject({ onAir: true, since: 1_002_000, detail: null });
  });

  it("is on air at once when it has ended and plays as a recording", () => {
    const ended = { ok: true, leftMs: null } as const;
    expect(new Run().look(ended).state.onAir).toBeNull();
    expect(new Run().look(ended).look(ended).state.onAir).toBe(true);
  });

  it.each([
    ["stale", 1],
    ["refused", 1],
    ["regressed", 1],
    ["not_found", 3],
    ["timeout", 3],
    ["segment", 3],
  ] as const)("is off the air by %s after %i looks", (reason, looks) => {
    const run = new Run().plays(400).plays(900).plays(900);
    expect(run.state.onAir).toBe(true);
    for (let look = 1; look <= looks; look += 1) {
      expect(run.state.onAir).toBe(true);
      run.fails(reason);
    }
    expect(run.state).toMatchObject({ onAir: false, detail: `${reason}: seen` });
  });

  it("returns when it moves again, not when its old list is there again", () => {
    const run = new Run().plays(400).plays(900).fails("stale");
    run.plays(900).plays(900).plays(900);
    expect(run.state.onAir).toBe(false);
    expect(run.plays(3_400).state.onAir).toBe(true);
  });

  it("forgives a failure that passes", () => {
    const run = new Run().plays(400).plays(900).fails("timeout").plays(1_400).fails("timeout").fails("timeout").plays(2_400);
    expect(run.state.onAir).toBe(true);
  });
});

describe("copies beside one another", () => {
  const state = (onAir: boolean | null, ended: boolean): LiveCopyState => ({ ...UNKNOWN_COPY, onAir, ended });
  const beside = (...states: LiveCopyState[]): readonly LiveCopyState[] => [
    ...besideOthers(new Map(states.map((each, at) => [`region-${at}`, each]))).values(),
  ];
  const onAir = (...states: LiveCopyState[]): unknown[] => beside(...states).map((copy) => copy.onAir);

  it("a recording is off the air while another region goes on, and serves where all have ended", () => {
    expect(onAir(state(true, true), state(true, false))).toEqual([false, true]);
    expect(onAir(state(true, true), state(true, true))).toEqual([true, true]);
    expect(onAir(state(true, true), state(false, false))).toEqual([true, false]);
    expect(onAir(state(true, true), state(null, false), state(true, false))).toEqual([false, null, true]);
    expect(beside(state(true, true), state(true, false))[0]?.detail).toBe("it has ended: a recording plays");
  });

  it("a look at a playlist that moves says that it has not ended", () => {
    const run = new Run().look({ ok: true, leftMs: null });
    expect(run.state.ended).toBe(true);
    expect(run.plays(1_000).state.ended).toBe(false);
    expect(run.look({ ok: true, leftMs: null }).fails("timeout").state.ended).toBe(true);
  });
});

describe("what the catalogue is told of it", () => {
  const state = (onAir: boolean | null, since = 100): LiveCopyState => ({ ...UNKNOWN_COPY, onAir, since });
  const HEAL = 1_000;

  it("takes away what is off the air while another is on air, and never the last", () => {
    expect(verdictOn(state(false), { serves: true, at: 0, othersOnAir: true }, 200, HEAL)).toBe("withdraw");
    expect(verdictOn(state(false), { serves: true, at: 0, othersOnAir: false }, 200, HEAL)).toBeNull();
    expect(verdictOn(state(null), { serves: true, at: 0, othersOnAir: true }, 200, HEAL)).toBeNull();
    expect(verdictOn(state(false), { serves: false, at: 0, othersOnAir: true }, 200, HEAL)).toBeNull();
  });

  it("brings back what came on air after it was taken out, and what stays on air for long although it is out", () => {
    expect(verdictOn(state(true, 100), { serves: false, at: 50, othersOnAir: false }, 200, HEAL)).toBe("serve");
    // Stopped just now, and not seen yet: it was on air before.
    expect(verdictOn(state(true, 100), { serves: false, at: 150, othersOnAir: false }, 200, HEAL)).toBeNull();
    expect(verdictOn(state(true, 100), { serves: false, at: 150, othersOnAir: false }, 1_200, HEAL)).toBe("serve");
    expect(verdictOn(state(true), { serves: true, at: 50, othersOnAir: false }, 200, HEAL)).toBeNull();
  });
});
