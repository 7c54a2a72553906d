import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import type { LocatorSummary, StreamingLocator } from "../../src/core/media.ts";
import type { Removable } from "../../src/replicator/diff.ts";
import { decideRecreation, type RecreationFacts, type Refused } from "../../src/replicator/recreation.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { PLAIN_LOCATOR } from "../fakes/plainLocator.ts";

const IDENTITY = { source: "west", target: "north", assetName: "intro" };
const id = (digit: string): string => `${digit.repeat(8)}-1111-4111-8111-111111111111`;

function locator(name: string, digit: string): StreamingLocator {
  return {
    ...PLAIN_LOCATOR,
    name,
    assetName: "intro",
    streamingLocatorId: id(digit),
    streamingPolicyName: "envelope",
    created: 0,
  };
}

function refused(what: string, removable?: Removable): Refused {
  const conflict = { what, source: "one", target: "another", advice: "look" };
  return removable === undefined ? { action: "conflict", conflict } : { action: "conflict", conflict, removable };
}

const removal = (name: string, digit: string, assetName = "intro"): Removable => ({
  kind: "locator",
  name,
  assetName,
  locatorId: id(digit),
});

function entry(digit: string, source: string, verifiedIn: readonly string[]): readonly [string, CatalogueEntry] {
  const regions = Object.fromEntries(verifiedIn.map((name) => [name, { state: "verified", at: 1, detail: "" } as const]));
  return [id(digit), { ...catalogueEntry(id(digit)), source, regions }];
}

function facts(
  change: { users?: Record<string, readonly LocatorSummary[]>; entries?: readonly (readonly [string, CatalogueEntry])[] } = {},
): RecreationFacts {
  return { users: new Map(Object.entries(change.users ?? {})), entries: new Map(change.entries ?? []) };
}

const ONE = locator("one", "1");
const TWO = locator("two", "2");

describe("recreation", () => {
  it("deletes a locator of the same id, once the source is known to serve it", () => {
    const wrong = refused("locator one", removal("one", "1"));
    const known = facts({ entries: [entry("1", "west", ["west", "north"])] });
    expect(decideRecreation(IDENTITY, [ONE, TWO], [wrong], known)).toEqual({
      removals: [removal("one", "1")],
      withdrawn: [id("1")],
      refused: [],
    });
  });

  it("deletes one that the catalogue does not know, and one that is not routed to", () => {
    const wrong = refused("locator one", removal("one", "1"));
    expect(decideRecreation(IDENTITY, [ONE], [wrong], facts()).refused).toEqual([]);
    expect(decideRecreation(IDENTITY, [ONE], [wrong], facts({ entries: [entry("1", "west", [])] })).refused).toEqual([]);
  });

  it("deletes what stands under the same id and another name", () => {
    const decided = decideRecreation(IDENTITY, [ONE], [refused("locator one", removal("renamed", "1"))], facts());
    expect(decided).toEqual({ removals: [removal("renamed", "1")], withdrawn: [id("1")], refused: [] });
  });

  it("withdraws both ids where a copy of ours stands under the name", () => {
    const known = facts({ entries: [entry("9", "west", ["west", "north"])] });
    const decided = decideRecreation(IDENTITY, [ONE], [refused("locator one", removal("one", "9"))], known);
    expect(decided).toEqual({ removals: [removal("one", "9")], withdrawn: [id("9"), id("1")], refused: [] });
  });

  it.each([
    ["belongs to another asset", removal("one", "1", "other"), facts(), /of asset other/],
    ["the target publishes itself", removal("one", "1"), facts({ entries: [entry("1", "north", ["north"])] }), /published in north itself/],
    ["has another id that nobody knows", removal("one", "9"), facts(), /another id .* delete it by hand/],
    [
      "has another id that a third region publishes",
      removal("one", "9"),
      facts({ entries: [entry("9", "south", ["south", "north"])] }),
      /another id/,
    ],
    ["serves alone", removal("one", "1"), facts({ entries: [entry("1", "west", ["north"])] }), /does not have .* as verified in west/],
    ["has no successor", removal("lost", "7"), facts(), /west has none to put in its place/],
  ])("refuses a locator that %s", (_why, removable, known, reason) => {
    const decided = decideRecreation(IDENTITY, [ONE], [refused("locator one", removable)], known);
    expect(decided).toMatchObject({ removals: [], withdrawn: [] });
    expect(decided.refused).toHaveLength(1);
    expect(decided.refused[0]?.advice).toMatch(reason);
  });

  it("deletes a policy after all locators under it, which are created again although they were equal", () => {
    const under = [ONE, TWO].map(({ name, assetName, streamingLocatorId, created }) => ({ name, assetName, streamingLocatorId, created }));
    const policy: Removable = { kind: "streaming policy", name: "envelope" };
    const known = facts({ users: { envelope: under }, entries: [entry("1", "west", ["west", "north"])] });
    const decided = decideRecreation(IDENTITY, [ONE, TWO], [refused("streaming policy envelope", policy)], known);
    expect(decided).toEqual({ removals: [removal("one", "1"), removal("two", "2"), policy], withdrawn: [id("1"), id("2")], refused: [] });
  });

  it("refuses a policy that a locator of another asset uses, and says so", () => {
    const foreign = { ...ONE, name: "foreign", assetName: "other", streamingLocatorId: id("8") };
    const known = facts({ users: { envelope: [ONE, foreign] } });
    const conflict = refused("streaming policy envelope", { kind: "streaming policy", name: "envelope" });
    const decided = decideRecreation(IDENTITY, [ONE], [conflict], known);
    expect(decided.removals).toEqual([]);
    expect(decided.refused[0]?.advice).toContain("locator foreign of asset other");
  });

  it("leaves what cannot be deleted as it is", () => {
    const conflict = refused("content key policy p");
    expect(decideRecreation(IDENTITY, [ONE], [conflict], facts())).toEqual({ removals: [], withdrawn: [], refused: [conflict.conflict] });
  });

  it("never deletes what belongs to another asset or what the target publishes, whatever is known", () => {
    const regions = fc.constantFrom("west", "north", "south");
    const digits = fc.constantFrom("1", "2", "8", "9");
    const summary = fc.record({
      name: fc.constantFrom("one", "two", "foreign"),
      assetName: fc.constantFrom("intro", "other"),
      streamingLocatorId: digits.map(id),
      created: fc.constant(0),
    });
    const entries = fc.array(fc.tuple(digits, regions, fc.uniqueArray(regions)).map(([digit, source, held]) => entry(digit, source, held)));
    const removable = fc.oneof(
      fc.constant<Removable>({ kind: "streaming policy", name: "envelope" }),
      summary.map((one): Removable => ({ kind: "locator", name: one.name, assetName: one.assetName, locatorId: one.streamingLocatorId })),
    );
    fc.assert(
      fc.property(fc.array(summary), entries, fc.array(removable, { maxLength: 3 }), (under, known, wanted) => {
        const seen = facts({ users: { envelope: under }, entries: known });
        const decided = decideRecreation(
          IDENTITY,
          [ONE, TWO],
          wanted.map((one) => refused("it", one)),
          seen,
        );
        for (const one of decided.removals) {
          if (one.kind === "locator") {
            expect(one.assetName).toBe("intro");
            expect(seen.entries.get(one.locatorId)?.source).not.toBe("north");
            expect(decided.withdrawn).toContain(one.locatorId);
          } else {
            const names = decided.removals.flatMap((other) => (other.kind === "locator" ? [other.name] : []));
            for (const user of under) expect(names).toContain(user.name);
            expect(decided.removals.at(-1)?.kind).toBe("streaming policy");
          }
        }
        expect(decided.refused.length === 0 || decided.refused.length <= wanted.length).toBe(true);
      }),
    );
  });
});
