/** Lines and attribute lists are read so that everything else stays as it came. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAttributes, withAttributes } from "../../../src/gateway/hls/attributes.ts";
import { joinLines, splitLines } from "../../../src/gateway/hls/lines.ts";

const pairs = (line: string) => parseAttributes(line)?.map(({ name, value }) => [name, value]) ?? null;
const change = (line: string, changes: Readonly<Record<string, string>>) =>
  withAttributes(line, parseAttributes(line) ?? [], new Map(Object.entries(changes)));

describe("parseAttributes", () => {
  it.each<[string, string, readonly (readonly [string, string])[] | null]>([
    [
      "commas and equals signs in quotation marks",
      '#T:A="x,y=z",B=1',
      [
        ["A", "x,y=z"],
        ["B", "1"],
      ],
    ],
    [
      "lower-case hexadecimal",
      "#T:IV=0x00ff,B=1x2",
      [
        ["IV", "0x00ff"],
        ["B", "1x2"],
      ],
    ],
    [
      "an equals sign in a bare value",
      "#T:A=b=c,D=e",
      [
        ["A", "b=c"],
        ["D", "e"],
      ],
    ],
    [
      "blanks",
      '#T: A = "x" , B= 1 ',
      [
        ["A", "x"],
        ["B", "1"],
      ],
    ],
    [
      "empty values",
      '#T:A=,B="",C=1',
      [
        ["A", ""],
        ["B", ""],
        ["C", "1"],
      ],
    ],
    ["words without a value", "#T:A,B=1,,C", [["B", "1"]]],
    [
      "something behind a closing quotation mark",
      '#T:A="x"y,B=1',
      [
        ["A", "x"],
        ["B", "1"],
      ],
    ],
    ["a colon in a value", '#T:URI="https://a/b:c"', [["URI", "https://a/b:c"]]],
    ["no list", "#T", []],
    ["an open quotation mark", '#T:A=1,B="x,C=2', null],
  ])("%s", (_, line, expected) => {
    expect(pairs(line)).toEqual(expected);
  });
});

describe("withAttributes", () => {
  it("changes values in their place, and adds what is new behind the last", () => {
    expect(change('#T:A="x,y" ,B=1, ', { A: '"z"', C: "2" })).toBe('#T:A="z" ,B=1,C=2, ');
    expect(change("#T:", { A: "1", B: "2" })).toBe("#T:A=1,B=2");
    expect(change("#T", { A: "1" })).toBe("#T:A=1");
  });

  it("changes every attribute of a name, for parsers differ in which they take", () => {
    expect(change("#T:A=1,B=2,A=3", { A: "4" })).toBe("#T:A=4,B=2,A=4");
  });

  it("changes nothing but what it is told, in any line", () => {
    const text = fc.string({ unit: fc.constantFrom("A", "B", "=", ",", '"', " ", "x") });
    fc.assert(
      fc.property(text, (list) => {
        const line = `#T:${list}`;
        const attributes = parseAttributes(line);
        fc.pre(attributes !== null);
        expect(change(line, {})).toBe(line);
        const before = attributes.filter(({ name }) => name !== "Z").map(({ name, value }) => [name, value]);
        expect(pairs(change(line, { Z: '"new"' }))).toEqual([...before, ["Z", "new"]]);
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});

describe("splitLines", () => {
  it("loses nothing", () => {
    const text = fc.string({ unit: fc.constantFrom("\n", "\r", "\r\n", "\uFEFF", "#", "a") });
    fc.assert(
      fc.property(text, (playlist) => {
        expect(joinLines(splitLines(playlist))).toBe(playlist);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});
