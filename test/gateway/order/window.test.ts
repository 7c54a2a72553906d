import fc from "fast-check";
import { expect, it } from "vitest";
import { DecisionWindow } from "../../../src/gateway/order/window.ts";

it("counts what was decided within the last minute, to five seconds", () => {
  const window = new DecisionWindow();
  window.record("a", 1_000);
  window.record("a", 2_000);
  window.record("b", 6_000);
  expect(window.counts(6_000)).toEqual({ a: 2, b: 1 });
  expect(window.counts(59_999)).toEqual({ a: 2, b: 1 });
  expect(window.counts(60_000)).toEqual({ a: 0, b: 1 });
  expect(window.counts(65_000)).toEqual({ a: 0, b: 0 });
});

it("loses nothing to a clock that goes back", () => {
  const window = new DecisionWindow();
  window.record("a", 100_000);
  window.record("a", 20_000);
  expect(window.counts(140_000)).toEqual({ a: 2 });
});

it("agrees with counting one by one, whatever the pauses", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 40_000 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (events) => {
      const window = new DecisionWindow();
      const all: { region: string; at: number }[] = [];
      let now = 0;
      for (const [region, pause] of events) {
        now += pause;
        window.record(region, now);
        all.push({ region, at: now });
      }
      const oldest = (Math.floor(now / 5_000) - 11) * 5_000;
      for (const region of ["a", "b"]) {
        const expected = all.filter((each) => each.region === region && each.at >= oldest).length;
        expect(window.counts(now)[region] ?? 0).toBe(expected);
      }
    }),
  );
});
