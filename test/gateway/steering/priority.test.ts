import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Considered, Decision, Verdict } from "../../../src/core/contracts.ts";
import { priorityOf } from "../../../src/gateway/steering/priority.ts";

const ELIGIBLE: readonly Verdict[] = ["healthy", "degraded", "ramping", "unknown"];
const OTHERS: readonly Verdict[] = ["drained", "no_keys", "unhealthy", "tried", "missing", "absent", "no_service", "disabled"];

function considered(region: string, verdict: Verdict, eligible = ELIGIBLE.includes(verdict)): Considered {
  return { region, eligible, verdict, detail: "for the test" };
}

function decision(list: readonly (readonly [string, Verdict])[], region: string | null, reason: Decision["reason"] = "primary"): Decision {
  return { region, reason, considered: list.map(([name, verdict]) => considered(name, verdict)) };
}

describe("order of a session's pathways", () => {
  it("the chosen region comes first, then those that may serve by their state and in order, then the others by how likely they serve", () => {
    const list = decision(
      [
        ["off", "disabled"],
        ["ill", "unhealthy"],
        ["keyless", "no_keys"],
        ["slow", "degraded"],
        ["two", "healthy"],
        ["away", "drained"],
        ["one", "healthy"],
        ["without", "missing"],
        ["back", "ramping"],
      ],
      "one",
    );
    const pathways = list.considered.map(({ region }) => region).toReversed();
    expect(priorityOf(pathways, list)).toEqual(["one", "two", "slow", "back", "away", "keyless", "ill", "without", "off"]);
  });

  it("a region that is no longer configured comes last, and behind it only the gateway's own copy", () => {
    const list = decision(
      [
        ["a", "unhealthy"],
        ["b", "disabled"],
      ],
      "a",
      "failopen",
    );
    expect(priorityOf(["gateway", "gone", "b", "a"], list)).toEqual(["a", "b", "gone", "gateway"]);
  });

  it("what is not in the session is left out, also where it was chosen", () => {
    const list = decision(
      [
        ["a", "healthy"],
        ["b", "unhealthy"],
        ["c", "healthy"],
      ],
      "a",
    );
    expect(priorityOf(["b", "c"], list)).toEqual(["c", "b"]);
  });

  it("where the order follows measurements, that of the session holds among equals, but not against health, pins and canaries", () => {
    const list: (readonly [string, Verdict])[] = [
      ["a", "healthy"],
      ["b", "healthy"],
      ["c", "unhealthy"],
    ];
    expect(priorityOf(["c", "b", "a"], decision(list, "a"), true)).toEqual(["b", "a", "c"]);
    expect(priorityOf(["c", "b", "a"], decision(list, "a"), false)).toEqual(["a", "b", "c"]);
    expect(priorityOf(["b", "a", "c"], decision(list, "a", "pinned"), true)).toEqual(["a", "b", "c"]);
    expect(priorityOf(["b", "a", "c"], decision(list, "c", "canary"), true)).toEqual(["c", "b", "a"]);
  });

  it("names every pathway exactly once, and has an eligible one at its head whenever there is one", () => {
    const region = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const verdicts = fc.dictionary(region, fc.constantFrom(...ELIGIBLE, ...OTHERS));
    const pathways = fc.uniqueArray(fc.constantFrom<string>("a", "b", "c", "d", "e", "gone", "gateway"), { minLength: 1 });
    fc.assert(
      fc.property(verdicts, pathways, fc.nat(), fc.boolean(), (states, session, pick, keepsOrder) => {
        const list = Object.entries(states).map(([name, verdict]) => considered(name, verdict));
        const may = list.filter(({ eligible }) => eligible);
        const chosen = may[pick % Math.max(1, may.length)] ?? list[pick % Math.max(1, list.length)];
        const made: Decision = {
          region: chosen?.region ?? null,
          reason: may.length > 0 ? "primary" : "failopen",
          considered: list,
        };
        const order = priorityOf(session, made, keepsOrder);
        expect(order.toSorted()).toEqual(session.toSorted());
        const eligible = may.map(({ region: name }) => name).filter((name) => session.includes(name));
        if (eligible.length > 0) expect(eligible).toContain(order[0]);
        if (order.includes("gateway")) expect(order.at(-1)).toBe("gateway");
      }),
    );
  });
});
