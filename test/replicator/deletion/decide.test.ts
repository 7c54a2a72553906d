import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deletion } from "../../../src/core/ports/deletions.ts";
import {
  decideDeletions,
  dueAt,
  limitOf,
  type Candidate,
  type DecisionFacts,
  type DeletionPolicy,
} from "../../../src/replicator/deletion/decide.ts";
import { deletionOf } from "../../conformance/deletions.ts";

const DAY = 86_400_000;
const NOW = 100 * DAY;
const POLICY: DeletionPolicy = { graceMs: 7 * DAY, limit: { share: 0.01 }, windowMs: DAY, needsApproval: false };

function facts(change: Partial<DecisionFacts> = {}): DecisionFacts {
  return { held: new Map([["north", 1_000]]), policy: POLICY, now: NOW, ...change };
}

function gone(id: string, change: Partial<Deletion> = {}): Candidate {
  return { deletion: deletionOf(id, { goneAt: 0, notedAt: NOW - 8 * DAY, ...change }), evidence: "gone" };
}

const kindOf = (candidate: Candidate, change: Partial<DecisionFacts> = {}) => decideDeletions([candidate], facts(change))[0]?.verdict;

describe("one deletion", () => {
  it("is due when the grace period since it was noted is over, however long it has been gone", () => {
    expect(kindOf(gone("a", { notedAt: NOW - 7 * DAY + 1 }))).toEqual({ kind: "pending", dueAt: NOW + 1 });
    expect(kindOf(gone("a", { notedAt: NOW - 7 * DAY }))).toEqual({ kind: "delete" });
  });
  it("is forgotten when it is published again, also where it was found to be nobody's of ours", () => {
    expect(kindOf({ ...gone("a"), evidence: "published" })).toEqual({ kind: "restored" });
    expect(kindOf({ ...gone("a", { state: "deleting" }), evidence: "published" })).toEqual({ kind: "restored" });
    expect(kindOf({ ...gone("a", { state: "foreign" }), evidence: "published" })).toEqual({ kind: "restored" });
    expect(kindOf(gone("a", { state: "foreign" }))).toEqual({ kind: "over" });
  });
  it("waits for an operator where that is asked for, and stays where one says so", () => {
    const policy = { ...POLICY, needsApproval: true };
    expect(kindOf(gone("a"), { policy })).toEqual({ kind: "unapproved" });
    expect(kindOf(gone("a", { word: "approve" }), { policy })).toEqual({ kind: "delete" });
    expect(kindOf(gone("a", { word: "keep" }))).toEqual({ kind: "kept" });
  });
});

describe("many at once", () => {
  const many = (count: number, change: Partial<Deletion> = {}) => Array.from({ length: count }, (_, at) => gone(`v${at}`, change));
  const kinds = (candidates: readonly Candidate[], change: Partial<DecisionFacts> = {}) =>
    decideDeletions(candidates, facts(change)).map(({ verdict }) => verdict.kind);

  it("are all refused where more are due than may go in a window", () => {
    expect(new Set(kinds(many(10)))).toEqual(new Set(["delete"]));
    const refused = decideDeletions(many(11), facts());
    for (const { verdict } of refused) expect(verdict).toEqual({ kind: "refused", due: 11, limit: 10 });
  });
  it("go by and by once an operator has approved them: never more than the share", () => {
    const approved = kinds(many(25, { word: "approve" }));
    expect(approved.filter((kind) => kind === "delete")).toHaveLength(10);
    expect(approved.filter((kind) => kind === "waits")).toHaveLength(15);
  });
  it("do not keep back what an operator has approved", () => {
    const [first, ...rest] = decideDeletions([gone("z", { word: "approve" }), ...many(11)], facts());
    expect(first?.verdict).toEqual({ kind: "delete" });
    expect(new Set(rest.map(({ verdict }) => verdict.kind))).toEqual(new Set(["refused"]));
  });
  it("share what is left of the window with those that were begun in it", () => {
    const begun = Array.from({ length: 8 }, (_, at) => gone(`b${at}`, { state: "done", begunAt: NOW - DAY + 1 }));
    const held = new Map([["north", 992]]);
    const then = kinds([...begun, ...many(5)], { held });
    expect(then.filter((kind) => kind === "delete")).toHaveLength(2);
    expect(then.filter((kind) => kind === "waits")).toHaveLength(3);
    const later = decideDeletions([...begun, ...many(5)], facts({ held, now: NOW + 1 })).filter(({ verdict }) => verdict.kind === "delete");
    expect(later).toHaveLength(5);
  });
  it("go on with what was begun, and count it anew where that was in another window", () => {
    const begun = many(12, { state: "deleting", begunAt: NOW - 10 });
    expect(new Set(kinds(begun))).toEqual(new Set(["delete"]));
    const older = kinds(many(12, { state: "deleting", begunAt: NOW - 2 * DAY }));
    expect(older.filter((kind) => kind === "delete")).toHaveLength(10);
  });
  it("one of a small library may go, or so many as a count says", () => {
    expect(limitOf(POLICY, 20)).toBe(1);
    expect(limitOf({ limit: { count: 0 } }, 20)).toBe(0);
    expect(kinds([gone("a")], { policy: { ...POLICY, limit: { count: 0 } } })).toEqual(["refused"]);
  });
});

const candidate: fc.Arbitrary<Candidate> = fc
  .record({
    at: fc.integer({ min: 0, max: 60 }),
    target: fc.constantFrom("north", "south"),
    source: fc.constantFrom("west", "east"),
    notedAt: fc.integer({ min: NOW - 20 * DAY, max: NOW + DAY }),
    goneAt: fc.integer({ min: NOW - 20 * DAY, max: NOW + DAY }),
    word: fc.constantFrom(null, null, "approve" as const, "keep" as const),
    state: fc.constantFrom("pending" as const, "pending" as const, "deleting" as const, "done" as const, "foreign" as const),
    begun: fc.integer({ min: NOW - 3 * DAY, max: NOW }),
    evidence: fc.constantFrom("gone" as const, "gone" as const, "gone" as const, "published" as const, "unknown" as const),
  })
  .map(({ at, begun, evidence, ...change }) => {
    const begunAt = change.state === "deleting" || change.state === "done" ? begun : null;
    return { deletion: deletionOf(`v${at}`, { ...change, begunAt }), evidence };
  });
const candidates = fc.uniqueArray(candidate, { maxLength: 60, selector: ({ deletion }) => deletion.id });
const policies: fc.Arbitrary<DeletionPolicy> = fc.record({
  graceMs: fc.integer({ min: 0, max: 10 * DAY }),
  limit: fc.oneof(
    fc.record({ count: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ share: fc.double({ min: 0.001, max: 1, noNaN: true }) }),
  ),
  windowMs: fc.integer({ min: 1, max: 2 * DAY }),
  needsApproval: fc.boolean(),
});
const held = fc.record({ north: fc.integer({ min: 0, max: 500 }), south: fc.integer({ min: 0, max: 500 }) });

describe("whatever there is", () => {
  const check = (holds: (all: readonly Candidate[], policy: DeletionPolicy, videos: { north: number; south: number }) => void) => {
    fc.assert(fc.property(candidates, policies, held, holds), { numRuns: 300 });
  };
  const decide = (all: readonly Candidate[], policy: DeletionPolicy, videos: { north: number; south: number }, now = NOW) =>
    decideDeletions(all, { policy, now, held: new Map(Object.entries(videos)) });

  it("every candidate is decided once, in order", () => {
    check((all, policy, videos) => {
      expect(decide(all, policy, videos).map(({ deletion }) => deletion)).toEqual(all.map(({ deletion }) => deletion));
    });
  });
  it("nothing is deleted within grace, against an operator's word, or that some region publishes", () => {
    check((all, policy, videos) => {
      for (const [at, { deletion, verdict }] of decide(all, policy, videos).entries()) {
        if (verdict.kind !== "delete") continue;
        expect(dueAt(deletion, policy)).toBeLessThanOrEqual(NOW);
        expect(deletion.word).not.toBe("keep");
        expect(all[at]?.evidence).toBe("gone");
        expect(deletion.state === "pending" || deletion.state === "deleting").toBe(true);
        if (policy.needsApproval) expect(deletion.word).toBe("approve");
      }
    });
  });
  it("a source that cannot be asked about one deletes none", () => {
    check((all, policy, videos) => {
      const silent = new Set(all.filter(({ evidence }) => evidence === "unknown").map(({ deletion }) => deletion.source));
      for (const { deletion, verdict } of decide(all, policy, videos))
        if (silent.has(deletion.source)) expect(verdict.kind).not.toBe("delete");
    });
  });
  it("never more than the limit is begun in any window, however often it is decided", () => {
    const moments = fc.array(fc.integer({ min: 0, max: DAY }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(candidates, policies, held, moments, (all, policy, videos, steps) => {
        // Those that were begun before are another run's, which kept its own limit.
        let rows = all.map((each): Candidate => ({ ...each, deletion: { ...each.deletion, state: "pending", begunAt: null } }));
        const begun: { target: string; id: string; at: number }[] = [];
        const whole = { north: videos.north + rows.length, south: videos.south + rows.length };
        let now = NOW;
        for (const [turn, step] of steps.entries()) {
          now += step;
          const late = (target: string) =>
            new Set(begun.filter((one) => one.target === target && one.at > now - policy.windowMs).map(({ id }) => id));
          const ever = (target: string) => new Set(begun.filter((one) => one.target === target).map(({ id }) => id));
          const left = { north: whole.north - ever("north").size, south: whole.south - ever("south").size };
          for (const { deletion, verdict } of decide(rows, policy, left, now)) {
            if (verdict.kind !== "delete") continue;
            begun.push({ target: deletion.target, id: deletion.id, at: now });
            // Every other one is interrupted in the middle.
            const state = turn % 2 === 0 ? "deleting" : "done";
            const change = (one: Candidate): Candidate =>
              one.deletion.id === deletion.id ? { ...one, deletion: { ...one.deletion, state, begunAt: now } } : one;
            rows = rows.map(change);
          }
          for (const target of ["north", "south"] as const) expect(late(target).size).toBeLessThanOrEqual(limitOf(policy, whole[target]));
        }
      }),
      { numRuns: 300 },
    );
  });
});
