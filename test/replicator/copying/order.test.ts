import fc from "fast-check";
import { expect, it } from "vitest";
import { compareNames } from "../../../src/replicator/copying/order.ts";

const name = fc.string({
  unit: fc.oneof(fc.constantFrom("a", "b", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{1f600}"), fc.string({ unit: "binary", maxLength: 1 })),
});

it("names are in the order of the bytes of their UTF-8", () => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      fc.pre(one.isWellFormed() && other.isWellFormed());
      expect(Math.sign(compareNames(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
    { numRuns: 1000 },
  );
});
