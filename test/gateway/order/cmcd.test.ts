import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cmcdSession } from "../../../src/gateway/order/cmcd.ts";

describe("cmcdSession", () => {
  it.each([
    ['sid="6e2fb550-c457-11e9-bb97-0800200c9a66"', "6e2fb550-c457-11e9-bb97-0800200c9a66"],
    ['br=3200,bs,d=4004,sid="abc",su', "abc"],
    ['nor="..%2Fsid=evil,sid=evil.m4v",sid="real"', "real"],
    ['cid="a \\"sid=1\\", b", sid="b"', "b"],
    ['sid="a\\"b"', 'a"b'],
    ['com.example-sid="no",sid="yes"', "yes"],
    ["sid=bare", "bare"],
    ['br=1,sid=""', null],
    ["sid", null],
    ["", null],
    ['xsid="no"', null],
    [`sid="${"a".repeat(64)}"`, "a".repeat(64)],
    [`sid="${"a".repeat(65)}"`, null],
    ['br="open,sid="x"', null],
  ])("of %s is %s", (text, sid) => {
    expect(cmcdSession(text)).toBe(sid);
  });

  it("survives anything, in time that grows with its length only", () => {
    const pieces = fc.constantFrom("sid", "=", '"', "\\", ",", " ", "a", "1", "é", "sid=", 'x="');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 400 }), (parts) => {
        const sid = cmcdSession(parts.join(""));
        expect(sid === null || (sid.length > 0 && sid.length <= 64)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
