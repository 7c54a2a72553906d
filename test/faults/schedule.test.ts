import { describe, expect, it } from "vitest";
import { seededRandom } from "../fakes/clock.ts";
import { everyCallInTurn, FAULTS, isApplicable, randomSchedules, shuffled, spread } from "./schedule.ts";

const OPERATIONS = new Map([
  ["management north GET assets/*", 2],
  ["management north PUT assets/*", 1],
  ["storage north PUT blob from URL", 3],
  ["storage north HEAD blob", 1],
]);

describe("schedules", () => {
  it("fail every call in every way that it can fail", () => {
    const all = everyCallInTurn(OPERATIONS, seededRandom(1)).map(({ faults }) => faults);
    const expected = [...OPERATIONS].reduce(
      (sum, [operation, count]) => sum + count * FAULTS.filter((fault) => isApplicable(fault, operation)).length,
      0,
    );
    expect(all).toHaveLength(expected);
    expect(new Set(all.map(([fault]) => `${fault?.operation} ${fault?.nth} ${fault?.fault}`)).size).toBe(expected);
    expect(all.every((faults) => faults.length === 1)).toBe(true);
  });

  it("give a success without effect to what has one, and other bytes to what moves some", () => {
    expect(isApplicable("no effect", "management north GET assets/*")).toBe(false);
    expect(isApplicable("no effect", "management north PUT assets/*")).toBe(true);
    expect(isApplicable("wrong bytes", "storage north PUT blob from URL")).toBe(true);
    expect(isApplicable("wrong bytes", "storage north PUT blob blocklist")).toBe(false);
    expect(isApplicable("truncated", "storage north HEAD blob")).toBe(false);
  });

  it("are the same for the same seed, and have a fault at a call that there is", () => {
    const some = randomSchedules(50, OPERATIONS, seededRandom(7));
    expect(some).toEqual(randomSchedules(50, OPERATIONS, seededRandom(7)));
    expect(some).not.toEqual(randomSchedules(50, OPERATIONS, seededRandom(8)));
    for (const { faults } of some) {
      expect(faults.length).toBeGreaterThan(0);
      for (const { operation, nth, fault } of faults) {
        expect(nth).toBeLessThanOrEqual(OPERATIONS.get(operation) ?? 0);
        expect(isApplicable(fault, operation)).toBe(true);
      }
    }
  });

  it("are thinned out evenly, and shuffled without losing any", () => {
    const all = everyCallInTurn(OPERATIONS, seededRandom(1));
    expect(spread(all, 5)).toHaveLength(5);
    expect(spread(all, 5)[0]).toBe(all[0]);
    expect(spread(all, 1000)).toEqual(all);
    expect(new Set(shuffled(all, seededRandom(3)))).toEqual(new Set(all));
  });
});
