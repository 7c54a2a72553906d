import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, HEALTH_STATUSES, type FailureReason, type HealthStatus, type Holding } from "../../src/core/contracts.ts";
import { candidatesFor, type Candidate } from "../../src/gateway/candidates.ts";
import { decide, type Question } from "../../src/gateway/decide.ts";
import { noneEligible } from "../../src/gateway/eligibility.ts";
import { REGIONS, serviceHealth } from "./world.ts";

interface Facts {
  readonly name: string;
  readonly has?: boolean;
  readonly status?: HealthStatus;
  readonly reason?: FailureReason;
  readonly holding?: Holding;
  readonly tried?: boolean;
}

function question(facts: readonly Facts[], whenNoneEligible: "open" | "closed" = "open"): Question {
  return {
    service: "streaming",
    candidates: facts.map(({ name, has = true }) => ({ region: name, base: has ? `https://${name}.example` : null })),
    holdings: Object.fromEntries(facts.map(({ name, holding = "verified" }) => [name, holding])),
    health: {
      takenAt: 1,
      regions: Object.fromEntries(
        facts.map(({ name, status = "healthy", reason }) => [name, { streaming: serviceHealth(status, reason ?? null) }]),
      ),
    },
    tried: new Set(facts.filter(({ tried = false }) => tried).map(({ name }) => name)),
    whenNoneEligible,
  };
}

const ILL = { status: "unhealthy" } as const;

describe("decide", () => {
  const rows: readonly (readonly [string, readonly Facts[], string | null, string])[] = [
    ["the first candidate", [{ name: "a" }, { name: "b" }], "a", "primary"],
    ["the second where the first is ill", [{ name: "a", ...ILL }, { name: "b" }], "b", "failover"],
    ["the second where the first does not have it", [{ name: "a", holding: "missing" }, { name: "b" }], "b", "failover"],
    ["the second where the first was tried", [{ name: "a", tried: true }, { name: "b" }], "b", "failover"],
    ["a healthy one before an unknown one", [{ name: "a", status: "unknown" }, { name: "b" }], "b", "failover"],
    [
      "an unknown one before an ill one",
      [
        { name: "a", ...ILL },
        { name: "b", status: "unknown" },
      ],
      "b",
      "failover",
    ],
    [
      "an unknown one where all are",
      [
        { name: "a", status: "unknown" },
        { name: "b", status: "unknown" },
      ],
      "a",
      "primary",
    ],
    [
      "the one that has shown the video",
      [
        { name: "a", holding: "unknown" },
        { name: "b", status: "unknown", holding: "found" },
      ],
      "b",
      "failover",
    ],
    ["the first that has the service, as primary", [{ name: "a", has: false }, { name: "b" }], "b", "primary"],
    [
      "the one that answers, of two ill ones",
      [
        { name: "a", ...ILL, reason: "refused" },
        { name: "b", ...ILL, reason: "status" },
      ],
      "b",
      "failopen",
    ],
    [
      "the slow one before the dead one",
      [
        { name: "a", ...ILL, reason: "refused" },
        { name: "b", ...ILL, reason: "timeout" },
      ],
      "b",
      "failopen",
    ],
    [
      "the first of two equally ill ones",
      [
        { name: "a", ...ILL, reason: "refused" },
        { name: "b", ...ILL, reason: "refused" },
      ],
      "a",
      "failopen",
    ],
    [
      "an ill one that has it before a healthy one that has not",
      [
        { name: "a", ...ILL, reason: "refused" },
        { name: "b", holding: "absent" },
      ],
      "a",
      "failopen",
    ],
    [
      "nobody where nobody has it",
      [
        { name: "a", holding: "absent" },
        { name: "b", holding: "missing", ...ILL },
      ],
      null,
      "not_found",
    ],
    [
      "nobody where all were tried",
      [
        { name: "a", tried: true },
        { name: "b", tried: true },
      ],
      null,
      "unavailable",
    ],
    [
      "nobody where one failed and the other has it not",
      [
        { name: "a", tried: true },
        { name: "b", holding: "absent" },
      ],
      null,
      "unavailable",
    ],
    ["nobody where no region has the service", [{ name: "a", has: false }], null, "not_found"],
  ];

  it.each(rows)("chooses %s", (_, facts, region, reason) => {
    expect(decide(question(facts))).toMatchObject({ region, reason });
  });

  it("fails closed where configured", () => {
    expect(decide(question([{ name: "a", ...ILL }], "closed"))).toMatchObject({ region: null, reason: "unavailable" });
    expect(decide(question([{ name: "a" }], "closed"))).toMatchObject({ region: "a", reason: "primary" });
  });

  it("says of each candidate why", () => {
    const { considered } = decide(
      question([
        { name: "a", ...ILL, reason: "refused" },
        { name: "b", holding: "found" },
        { name: "c", has: false },
      ]),
    );
    expect(considered).toEqual([
      { region: "a", eligible: false, verdict: "unhealthy", detail: "streaming unhealthy: refused; verified there" },
      { region: "b", eligible: true, verdict: "healthy", detail: "streaming healthy; was found there when asked" },
      { region: "c", eligible: false, verdict: "no_service", detail: "has no streaming service" },
    ]);
  });
});

describe("properties of decide", () => {
  const facts = fc.record({
    has: fc.boolean(),
    status: fc.constantFrom(...HEALTH_STATUSES),
    reason: fc.constantFrom(...FAILURE_REASONS),
    holding: fc.constantFrom<Holding>("verified", "missing", "found", "absent", "unknown"),
    tried: fc.boolean(),
  });
  const questions = fc
    .tuple(fc.array(facts, { minLength: 1, maxLength: 5 }), fc.constantFrom<"open" | "closed">("open", "closed"))
    .map(([list, mode]) =>
      question(
        list.map((each, at) => ({ ...each, name: `r${at}` })),
        mode,
      ),
    );

  it("never chooses a region that has not got the service, the video, or was tried", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { region } = decide(asked);
        if (region === null) return;
        expect(asked.candidates.find((candidate) => candidate.region === region)?.base).not.toBeNull();
        expect(["missing", "absent"]).not.toContain(asked.holdings[region]);
        expect(asked.tried.has(region)).toBe(false);
      }),
    );
  });

  it("chooses an eligible region where there is one, and calls it failopen where there is none", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { region, reason, considered } = decide(asked);
        const eligible = considered.filter((each) => each.eligible).map((each) => each.region);
        expect(considered.map((each) => each.region)).toEqual(asked.candidates.map((candidate) => candidate.region));
        if (eligible.length > 0) expect(eligible).toContain(region);
        else expect(["failopen", "not_found", "unavailable"]).toContain(reason);
        if (reason === "failopen") expect(asked.whenNoneEligible).toBe("open");
        expect(region === null).toBe(reason === "not_found" || reason === "unavailable");
      }),
    );
  });

  it("never passes over a healthy region with the video for one that is not known to be both", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { region, considered } = decide(asked);
        const sure = considered.filter(
          (each) => each.verdict === "healthy" && ["verified", "found"].includes(asked.holdings[each.region] ?? ""),
        );
        if (sure[0] !== undefined) expect(region).toBe(sure[0].region);
      }),
    );
  });
});

describe("candidates", () => {
  it("are the regions in configured order, with the base URL of the service", () => {
    const withoutKeys = { name: "c", streaming: "https://c.example", keys: null };
    expect(candidatesFor("keys", [...REGIONS, withoutKeys])).toEqual<Candidate[]>([
      { region: "westeurope", base: "https://we.keys.example/base" },
      { region: "northeurope", base: "https://ne.keys.example" },
      { region: "c", base: null },
    ]);
  });

  it("noneEligible is true only while all that have the service are ill", () => {
    const both = [{ name: "a", ...ILL }, { name: "b" }];
    expect(noneEligible("streaming", question(both).candidates, question(both).health)).toBe(false);
    const ill = [
      { name: "a", ...ILL },
      { name: "b", ...ILL },
    ];
    expect(noneEligible("streaming", question(ill).candidates, question(ill).health)).toBe(true);
    expect(noneEligible("streaming", [], question(ill).health)).toBe(false);
  });
});
