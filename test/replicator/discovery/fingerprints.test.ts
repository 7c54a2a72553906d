import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FingerprintTable } from "../../../src/replicator/discovery/fingerprints.ts";

describe("a table of fingerprints", () => {
  it("holds what a map would, however it grows", () => {
    const operations = fc.array(fc.tuple(fc.oneof(fc.uuid(), fc.string({ maxLength: 3 })), fc.nat(0xffff_ffff)), { maxLength: 3_000 });
    fc.assert(
      fc.property(operations, (pairs) => {
        const table = new FingerprintTable(2);
        const model = new Map<string, number>();
        for (const [text, number] of pairs) {
          const numbers = table.add(text);
          expect(numbers[0]).toBe(model.get(text) ?? 0);
          numbers[0] = number;
          model.set(text, number);
        }
        expect(table.size).toBe(model.size);
        for (const [text, number] of model) expect(table.find(text)?.[0]).toBe(number);
        const kept = Array.from(table.rows(), (row) => row[0] ?? 0);
        expect(kept.sort((one, other) => one - other)).toEqual([...model.values()].sort((one, other) => one - other));
        expect(table.find("a text that was never added, and is no GUID")).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  it("takes no two of 400,000 names for one: numbered, random and alike but for one character", () => {
    const table = new FingerprintTable(0);
    for (let at = 0; at < 200_000; at += 1) {
      table.add(`west/film-${at}`);
      table.add(`${at.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`);
    }
    expect(table.size).toBe(400_000);
  });
});
