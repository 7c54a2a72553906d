import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WayBreaker } from "../../../src/replicator/work/breaker.ts";
import { lookPiece, pieceOf, pieceText, type Piece } from "../../../src/replicator/work/piece.ts";

const name = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" });
const piece: fc.Arbitrary<Piece> = fc.record(
  {
    region: name,
    asset: name,
    target: fc.option(name),
    locators: fc.array(name, { maxLength: 4 }),
    full: fc.boolean(),
    at: fc.nat(),
    again: fc.nat(9),
    delays: fc.nat(9),
  },
  { noNullPrototype: true },
);

describe("a piece of work", () => {
  it("is what it was, after it has lain in a queue", () => {
    fc.assert(
      fc.property(piece, (given) => {
        expect(pieceOf(pieceText(given))).toEqual(given);
      }),
    );
  });

  it("fits into a queue with as many locators as an asset may have", () => {
    const look = lookPiece({ region: "westeurope", asset: "a".repeat(260), at: 1 });
    const locators = Array.from({ length: 100 }, () => "11111111-1111-4111-8111-111111111111");
    expect(Buffer.byteLength(pieceText({ ...look, target: "northeurope", locators }))).toBeLessThan(49_152);
  });

  it("is refused where it is none, or one of a later release", () => {
    const good = JSON.parse(pieceText(lookPiece({ region: "west", asset: "intro", at: 1 }))) as Record<string, unknown>;
    const wrong = [
      { v: 2 },
      { region: "" },
      { asset: 7 },
      { target: "" },
      { locators: "all" },
      { locators: [null] },
      { full: "yes" },
      { at: -1 },
      { at: "now" },
      { again: null },
      { delays: undefined },
    ].map((change) => JSON.stringify({ ...good, ...change }));
    for (const text of ["", "null", "[]", "7", "{", ...wrong])
      expect(() => pieceOf(text)).toThrow(expect.objectContaining({ code: "work_malformed", retry: "never" }));
  });
});

describe("a way between regions", () => {
  it("is closed for a minute after three failures in a row, and opened by one success", () => {
    const breaker = new WayBreaker();
    expect([breaker.failed("west", "north", 0), breaker.failed("west", "north", 1)]).toEqual([false, false]);
    breaker.worked("west", "north");
    expect([1, 2, 3].map((now) => breaker.failed("west", "north", now))).toEqual([false, false, true]);
    expect(breaker.isClosed("west", "north", 60_002)).toBe(true);
    expect(breaker.isClosed("west", "south", 4)).toBe(false);
    expect(breaker.isClosed("west", "north", 60_003)).toBe(false);
    expect(breaker.failed("west", "north", 60_003)).toBe(true);
    breaker.worked("west", "north");
    expect(breaker.isClosed("west", "north", 60_004)).toBe(false);
  });
});
