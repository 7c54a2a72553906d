import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newTrace, readTraceparent, readTracestate, spanIdFrom, writeTraceparent } from "../../src/gateway/trace.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("traceparent", () => {
  it("is read and written", () => {
    const context = readTraceparent(`00-${TRACE}-${SPAN}-01`);
    expect(context).toEqual({ traceId: TRACE, flags: "01" });
    if (context !== null) expect(writeTraceparent(context, "00000000000000aa")).toBe(`00-${TRACE}-00000000000000aa-01`);
  });

  it("of a later version is read as far as it is known", () => {
    expect(readTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-later`)).toEqual({ traceId: TRACE, flags: "01" });
    expect(readTraceparent(`01-${TRACE}-${SPAN}-09`)).toEqual({ traceId: TRACE, flags: "09" });
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["empty", ""],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["a longer version 00", `00-${TRACE}-${SPAN}-01-x`],
    ["capital letters", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["no flags", `00-${TRACE}-${SPAN}`],
    ["a later version without its hyphen", `01-${TRACE}-${SPAN}-01x`],
    ["two values in one field", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["a line feed at its end", `00-${TRACE}-${SPAN}-01\n`],
    ["endless", `01-${TRACE}-${SPAN}-01-${"x".repeat(10_000)}`],
  ])("is ignored: %s", (_, value) => {
    expect(readTraceparent(value)).toBeNull();
  });

  it("what is written is read again, whatever came in", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (trace, span) => {
        const context = newTrace(trace);
        expect(readTraceparent(writeTraceparent(context, spanIdFrom(span)))).toEqual(context);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (value) => {
        const context = readTraceparent(value);
        if (context !== null) expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
  });
});

describe("tracestate", () => {
  it("is carried as it is, or not at all", () => {
    expect(readTracestate("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")).toBe("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    for (const bad of [undefined, null, "", "a=b\r\nx: y", "ü=1", `a=${"x".repeat(511)}`]) expect(readTracestate(bad)).toBeNull();
  });
});
