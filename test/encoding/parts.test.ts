import fc from "fast-check";
import { expect, it } from "vitest";
import { partsOf } from "../../src/encoding/parts.ts";

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

it("gives the content in parts of the size, whatever pieces it comes in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 })), fc.integer({ min: 1, max: 25 }), async (chunks, size) => {
      const parts: Uint8Array[] = [];
      for await (const part of partsOf(from(chunks), size)) parts.push(part);
      expect(Buffer.concat(parts)).toEqual(Buffer.concat(chunks));
      expect(parts.slice(0, -1).every(({ length }) => length === size)).toBe(true);
      expect(parts.every(({ length }) => length > 0)).toBe(true);
      expect(new Set(parts.map(({ buffer }) => buffer)).size).toBe(parts.length);
    }),
  );
});
