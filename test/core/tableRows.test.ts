import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascending, descending, jsonValues, keyOf, keysUnder, recordOf } from "../../src/core/tableRows.ts";

const text = fc.string({ unit: "binary", maxLength: 60 }).filter((each) => each.isWellFormed());
const bytewise = (one: string, other: string): number => Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)));
const ordinal = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

describe("keys of table rows", () => {
  it("are allowed by the service, and safe in URLs and filters", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "grapheme", minLength: 300, maxLength: 1_200 })), (each) => {
        const key = keyOf(each);
        expect(key).toMatch(/^[-!.:_~0-9A-Za-z]*$/);
        expect(key.length).toBeLessThanOrEqual(400);
      }),
    );
  });

  it("stand in the order of the texts, and are the same for the same text only", () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(ordinal(keyOf(one), keyOf(other))).toBe(bytewise(one, other));
      }),
      { numRuns: 2_000 },
    );
    const near = ["", "-", ".", "/", "0", "a", "a-b", "a.b", "a/b", "a0", "aZ", "a_", "a`", "aa", "a{", "a~", "aé", "$web", "A"];
    const ordered = near.toSorted(bytewise);
    expect(ordered.toSorted((one, other) => ordinal(keyOf(one), keyOf(other)))).toEqual(ordered);
    expect(keyOf(`${"x".repeat(500)}1`)).not.toBe(keyOf(`${"x".repeat(500)}2`));
  });

  it("leave GUIDs and container names as they are", () => {
    for (const name of ["11111111-1111-4111-8111-111111111111", "lecture-1", "Intro2"]) expect(keyOf(name)).toBe(name);
  });

  it("have ranges that hold what begins with a prefix, and nothing else", () => {
    const { from, below } = keysUnder("entry-");
    const within = (key: string): boolean => key >= from && key < below;
    expect([`entry-${keyOf("~é")}`, "entry-", `entry-${keyOf("!")}`].map(within)).toEqual([true, true, true]);
    expect(["entr", "entry", "entry!", "entry0", "entrz-", "head-1"].map(within)).toEqual([false, false, false, false, false, false]);
  });

  it("of numbers stand in their order, or the other way round", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 9e14 }), (one, other) => {
        expect(ordinal(ascending(one), ascending(other))).toBe(Math.sign(one - other));
        expect(ordinal(descending(one), descending(other))).toBe(Math.sign(other - one));
      }),
    );
  });
});

describe("records in table rows", () => {
  it("come back as they were, in values that the service takes", () => {
    const long = fc
      .tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 7 }), fc.nat({ max: 12_000 }))
      .map(([part, count]) => part.repeat(count));
    fc.assert(
      fc.property(fc.record({ a: fc.oneof(text, long), b: fc.option(fc.double({ noNaN: true })) }), (record) => {
        const values = jsonValues(record, "a record");
        for (const value of Object.values(values)) {
          expect(value.length * 2).toBeLessThanOrEqual(65_536);
          expect(value.isWellFormed()).toBe(true);
        }
        expect(recordOf({ key: "k", etag: "e", values })).toEqual(JSON.parse(JSON.stringify(record)));
      }),
    );
  });

  it("have no line ends but those that are written as escapes", () => {
    const name = "a\u2028b\u2029c\nd\re\\u2028";
    const values = jsonValues({ name }, "a record");
    expect(values["json0"]).toBe(String.raw`{"name":"a\u2028b\u2029c\nd\re\\u2028"}`);
    expect(recordOf({ key: "k", etag: "e", values })).toEqual({ name });
  });

  it("are refused where a row could not hold them", () => {
    expect(() => jsonValues("x".repeat(300_000), "entry a")).toThrow(/store entry a: it has 300002 characters/);
  });

  it("are said to be damaged where they are", () => {
    for (const values of [{}, { json0: '{"a":' }, { json0: "{", json2: "}" }])
      expect(() => recordOf({ key: "entry-a", etag: "e", values })).toThrow(/row entry-a: it is not as it was written/);
  });
});
