import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentDecoded } from "../../src/core/percent.ts";

describe("percent-encoding", () => {
  it("is taken off what was encoded", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => percentDecoded(encodeURIComponent(text)) === text));
  });

  it("has no meaning where it is malformed", () => {
    expect(["%", "%4", "%zz", "%ff", "a%e0%a4"].map(percentDecoded)).toEqual([null, null, null, null, null]);
  });

  it("leaves a plus as it is", () => {
    expect(percentDecoded("a+b")).toBe("a+b");
  });
});
