import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget } from "../../src/gateway/retryBudget.ts";

test("three at least, then a fifth of what is under way", () => {
  const budget = new RetryBudget();
  const taken = (): number => {
    let count = 0;
    while (budget.take()) count += 1;
    for (let given = 0; given < count; given += 1) budget.give();
    return count;
  };
  expect(taken()).toBe(3);
  for (let request = 0; request < 15; request += 1) budget.begin();
  expect(taken()).toBe(3);
  for (let request = 15; request < 100; request += 1) budget.begin();
  expect(taken()).toBe(20);
  for (let request = 0; request < 95; request += 1) budget.end();
  expect(taken()).toBe(3);
});

test("never more, in whatever order requests come and go", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("begin", "end", "take", "give"), { maxLength: 200 }), (steps) => {
      const budget = new RetryBudget();
      let active = 0;
      let extra = 0;
      for (const step of steps) {
        if (step === "begin") {
          budget.begin();
          active += 1;
        } else if (step === "end" && active > 0) {
          budget.end();
          active -= 1;
        } else if (step === "give" && extra > 0) {
          budget.give();
          extra -= 1;
        } else if (step === "take") {
          const allowed = extra < Math.max(3, Math.floor(active / 5));
          expect(budget.take()).toBe(allowed);
          if (allowed) extra += 1;
        }
      }
    }),
  );
});
