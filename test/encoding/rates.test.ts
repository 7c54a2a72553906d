import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccountState } from "../../src/core/encoding.ts";
import { newAccount } from "../../src/encoding/account.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { ratesOf } from "../../src/encoding/rates.ts";
import { MINUTE, NOW, SECOND } from "./samples.ts";

const POLICY = DEFAULT_POLICY.account;

function since(ms: number, changes: Partial<AccountState> = {}): AccountState {
  return { ...newAccount("west", NOW - ms), ...changes };
}

const bucket = (ago: number, well: number, failed = 0, stuck = 0) => ({ at: NOW - ago, well, failed, stuck });

describe("what an account gets done", () => {
  it("counts what ended within the window, and reckons it to an hour", () => {
    const state = since(60 * MINUTE, { buckets: [bucket(31 * MINUTE, 50), bucket(20 * MINUTE, 4, 1), bucket(MINUTE, 2, 0, 1)] });
    const counted = { windowMs: 30 * MINUTE, finished: 6, failed: 1, stuck: 1, finishedPerHour: 12, failureShare: 0.25 };
    expect(ratesOf(state, POLICY, NOW)).toEqual(counted);
  });

  it("takes an account that has returned for as young as that, and no younger than five minutes", () => {
    expect(ratesOf(since(10 * MINUTE, { buckets: [bucket(5 * MINUTE, 2)] }), POLICY, NOW)).toMatchObject({ finishedPerHour: 12 });
    expect(ratesOf(since(SECOND, { buckets: [bucket(0, 1)] }), POLICY, NOW)).toMatchObject({ windowMs: 5 * MINUTE, finishedPerHour: 12 });
  });

  it("counts over the whole window while the account is out", () => {
    const state = since(SECOND, { status: "out", reason: "stuck", buckets: [bucket(10 * MINUTE, 3, 0, 3)] });
    expect(ratesOf(state, POLICY, NOW)).toMatchObject({ windowMs: 30 * MINUTE, finishedPerHour: 6, failureShare: 0.5 });
  });

  it("knows no share where nothing ended, and is never out of bounds", () => {
    expect(ratesOf(since(0), POLICY, NOW)).toMatchObject({ finished: 0, finishedPerHour: 0, failureShare: null });
    const many = fc.integer({ min: 0, max: 1000 });
    const buckets = fc.array(fc.record({ at: fc.integer({ min: NOW - 60 * MINUTE, max: NOW }), well: many, failed: many, stuck: many }));
    fc.assert(
      fc.property(buckets, fc.integer({ min: 0, max: 60 * MINUTE }), (drawn, age) => {
        const { failureShare, finished, failed, stuck, finishedPerHour } = ratesOf(since(age, { buckets: drawn }), POLICY, NOW);
        expect(finishedPerHour).toBeGreaterThanOrEqual(finished);
        if (failureShare === null) expect(finished + failed + stuck).toBe(0);
        else expect(failureShare >= 0 && failureShare <= 1).toBe(true);
      }),
    );
  });
});
