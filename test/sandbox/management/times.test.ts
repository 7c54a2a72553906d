import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatStored, formatTicks, NEVER, parseTime, sortableTime } from "../../../src/sandbox/management/times.ts";

const at = (text: string) => parseTime(text) ?? expect.fail(`${text} is a time`);

describe("times of the management API", () => {
  it.each([
    ["2018-03-29T10:00:00.000Z", "2018-03-29T10:00:00Z"],
    ["2022-04-14T18:01:20.4020810Z", "2022-04-14T18:01:20.402081Z"],
    ["2022-04-14T20:01:20+02:00", "2022-04-14T18:01:20Z"],
    ["2012-06-01", "2012-06-01T00:00:00Z"],
    ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"],
  ])("%s is written %s with 100 ns", (sent, shown) => {
    expect(formatTicks(at(sent))).toBe(shown);
  });

  it.each([
    ["2022-04-14T18:00:46.6019481Z", "2022-04-14T18:00:46.603Z"],
    ["2022-04-14T18:00:42.8230969Z", "2022-04-14T18:00:42.823Z"],
    ["2022-04-14T18:00:42.9990000Z", "2022-04-14T18:00:43Z"],
    ["2022-04-14T18:00:42.1100000Z", "2022-04-14T18:00:42.11Z"],
  ])("%s is read back as %s from the database", (sent, shown) => {
    expect(formatStored(at(sent))).toBe(shown);
  });

  it("ends with the database's last time", () => {
    expect(formatTicks(NEVER)).toBe("9999-12-31T23:59:59.9999999Z");
    expect(formatStored(NEVER)).toBe("9999-12-31T23:59:59.997Z");
  });

  it.each(["", "yesterday", "2022-04-14 18:00", "2022-13-01T00:00:00Z"])("'%s' is not a time", (text) => {
    expect(parseTime(text)).toBeNull();
  });

  it("keeps every instant through writing and reading, and its order", () => {
    const instant = fc.record({ ms: fc.integer({ min: 0, max: 4e12 }), ticks: fc.integer({ min: 0, max: 9999 }) });
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        expect(parseTime(formatTicks(a))).toEqual(a);
        const [first, second] = [sortableTime(formatTicks(a)) ?? "", sortableTime(formatTicks(b)) ?? ""];
        expect(Math.sign(a.ms - b.ms || a.ticks - b.ticks)).toBe(first < second ? -1 : first > second ? 1 : 0);
      }),
    );
  });
});
