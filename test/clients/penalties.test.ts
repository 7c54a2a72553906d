import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Penalties } from "../../clients/penalties.js";

const PAIR = ["west", "north", "gateway"];

describe("Penalties", () => {
  it("puts a pathway that failed behind the others, until the penalty ends", () => {
    const penalties = new Penalties({ penaltyMs: 1000 });
    penalties.failed("west", 0);
    expect(penalties.order(PAIR, 999)).toEqual(["north", "gateway", "west"]);
    expect(penalties.nextEnd(999)).toBe(1000);
    expect(penalties.order(PAIR, 1000)).toEqual(PAIR);
    expect(penalties.nextEnd(1000)).toBeNull();
  });

  it("where all have failed, goes back to the one that failed longest ago", () => {
    const penalties = new Penalties();
    penalties.failed("north", 1);
    penalties.failed("west", 2);
    penalties.failed("gateway", 3);
    expect(penalties.order(PAIR, 4)).toEqual(["north", "west", "gateway"]);
    penalties.failed("north", 5);
    expect(penalties.order(PAIR, 6)).toEqual(["west", "gateway", "north"]);
  });

  it("doubles with each failure after a penalty has ended, up to the longest, and forgets after a good while", () => {
    const penalties = new Penalties({ penaltyMs: 1000, longestMs: 3000 });
    penalties.failed("west", 0);
    penalties.failed("west", 10);
    expect(penalties.nextEnd(20), "requests under way fail together").toBe(1000);
    penalties.failed("west", 1000);
    expect(penalties.nextEnd(1000)).toBe(3000);
    penalties.failed("west", 3000);
    expect(penalties.nextEnd(3000)).toBe(6000);
    penalties.failed("west", 9000);
    expect(penalties.nextEnd(9000)).toBe(10_000);
  });

  it("ends early when the gateway has outranked the pathway and puts it first again, and not before", () => {
    const penalties = new Penalties();
    penalties.failed("west", 0);
    penalties.heard(PAIR, 10);
    expect(penalties.demoted("west", 10), "the gateway has not noticed yet").toBe(true);
    penalties.heard(["north", "west", "gateway"], 20);
    expect(penalties.demoted("west", 20)).toBe(true);
    penalties.heard(PAIR, 30);
    expect(penalties.demoted("west", 30)).toBe(false);
  });

  it("never loses or invents a pathway", () => {
    const failure = fc.record({ pathway: fc.constantFrom(...PAIR, "unlisted"), at: fc.integer({ min: 0, max: 1e6 }) });
    fc.assert(
      fc.property(fc.array(failure), fc.integer({ min: 0, max: 1e6 }), (failures, now) => {
        const penalties = new Penalties();
        for (const { pathway, at } of failures.toSorted((one, other) => one.at - other.at)) penalties.failed(pathway, at);
        expect(penalties.order(PAIR, now).toSorted()).toEqual(PAIR.toSorted());
      }),
    );
  });
});
