import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockSizeFor } from "../../../src/replicator/adapters/azureBlobBlocks.ts";

const MIB = 1024 * 1024;

describe("the block size of a blob", () => {
  it("is the smallest one while that gives few enough blocks", () => {
    expect(blockSizeFor(300 * MIB, 8 * MIB)).toBe(8 * MIB);
    expect(blockSizeFor(50_000 * 8 * MIB, 8 * MIB)).toBe(8 * MIB);
    expect(blockSizeFor(50_000 * 8 * MIB + 1, 8 * MIB)).toBe(16 * MIB);
  });

  it("never gives more than 50,000 blocks, nor blocks larger than needed for that", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), fc.integer({ min: 1, max: 64 * MIB }), (length, smallest) => {
        const size = blockSizeFor(length, smallest);
        expect(Math.ceil(length / size)).toBeLessThanOrEqual(50_000);
        expect(size === smallest || Math.ceil((length / size) * 2) > 50_000).toBe(true);
      }),
    );
  });
});
