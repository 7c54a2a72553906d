import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spend } from "../../../src/replicator/copying/byteBudget.ts";

describe("bytes per second", () => {
  it("lets the first second's bytes go at once, and then waits until the balance is even", () => {
    const first = spend({ bytes: 100, at: 0 }, 100, 250, 0);
    expect(first.waitMs).toBe(0);
    const second = spend(first.balance, 100, 10, 500);
    expect(second.waitMs).toBe(1000);
    expect(spend(second.balance, 100, 10, 1600).waitMs).toBe(0);
  });

  it("never exceeds the rate by more than one second's bytes and one transfer, whoever asks when", () => {
    const asked = fc.record({ bytes: fc.nat({ max: 5000 }), after: fc.nat({ max: 3000 }) });
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 2000 }), (transfers, rate) => {
        let balance = { bytes: rate, at: 0 };
        let [now, sent] = [0, 0];
        for (const { bytes, after } of transfers) {
          now += after;
          const spent = spend(balance, rate, bytes, now);
          balance = spent.balance;
          // Everything before this transfer fits into the time until it begins.
          expect(sent).toBeLessThanOrEqual(rate + (rate * (now + spent.waitMs)) / 1000 + 1e-6);
          sent += bytes;
        }
      }),
    );
  });

  it("keeps nothing of what was not used for longer than a second", () => {
    expect(spend({ bytes: 0, at: 0 }, 100, 0, 1_000_000).balance.bytes).toBe(100);
  });
});
