import fc from "fast-check";
import { expect, test } from "vitest";
import { partsOf } from "../../../src/replicator/adapters/s3Multipart.ts";

const MIB = 1024 * 1024;

test("parts cover an object once, in order, and are few enough for the service", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * 1024 * 1024 }), (mib) => {
      const length = mib * MIB - 1;
      const parts = partsOf(length, 8 * MIB);
      expect(parts.length).toBeLessThanOrEqual(10_000);
      let at = 0;
      for (const [index, part] of parts.entries()) {
        expect([part.number, part.offset]).toEqual([index + 1, at]);
        at += part.length;
      }
      expect(at).toBe(length);
      expect(new Set(parts.slice(0, -1).map((part) => part.length)).size).toBeLessThanOrEqual(1);
    }),
    { numRuns: 100 },
  );
});
