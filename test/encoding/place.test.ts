import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { place, type Berth } from "../../src/encoding/place.ts";
import { seededRandom } from "../fakes/clock.ts";
import { applied, MINUTE, NOW, placedIn, POLICY, waitingJob } from "./samples.ts";

const berth = (account: string, free = 10, changes: Partial<Berth> = {}): Berth => ({
  account,
  usable: true,
  trial: false,
  free,
  ...changes,
});
const moved = { type: "moved", attempt: 1, reason: "scheduled", detail: "stuck" } as const;
const movedFromWest = applied(waitingJob(), placedIn("west"), moved).job;

describe("placing", () => {
  it("draws by free capacity", () => {
    const random = seededRandom(7);
    const counts: Record<string, number> = { west: 0, east: 0, north: 0 };
    for (let count = 0; count < 10_000; count += 1) {
      const placement = place(waitingJob(), [berth("west", 30), berth("east", 10), berth("north", 0)], random.next(), POLICY, NOW);
      if (placement.type === "account") counts[placement.account] = (counts[placement.account] ?? 0) + 1;
    }
    expect(counts["north"]).toBe(0);
    expect((counts["west"] ?? 0) / 10_000).toBeCloseTo(0.75, 1);
  });

  it("tells all full from none usable", () => {
    expect(place(waitingJob(), [berth("west", 0), berth("east", 5, { usable: false })], 0.5, POLICY, NOW)).toEqual({ type: "full" });
    expect(place(waitingJob(), [berth("east", 5, { usable: false })], 0.5, POLICY, NOW)).toEqual({ type: "none" });
    expect(place(waitingJob(), [], 0.5, POLICY, NOW)).toEqual({ type: "none" });
  });

  it("holds a job whose only untried account cannot be used; it has not failed", () => {
    expect(place(movedFromWest, [berth("west"), berth("east", 5, { usable: false })], 0.5, POLICY, NOW)).toEqual({ type: "none" });
  });

  it("is exhausted when every account was tried, and says why the last did not do", () => {
    expect(place(movedFromWest, [berth("west")], 0.5, POLICY, NOW)).toMatchObject({
      type: "exhausted",
      detail: expect.stringContaining("stuck"),
    });
    expect(place(movedFromWest, [berth("west"), berth("east")], 0.5, { ...POLICY, maxAttempts: 1 }, NOW)).toMatchObject({
      type: "exhausted",
    });
  });

  it("tries an account that was out with one job, rather than others", () => {
    const berths = [berth("west"), berth("east", 3, { usable: false, trial: true })];
    expect(place(waitingJob(), berths, 0, POLICY, NOW)).toEqual({ type: "account", account: "east", trial: true });
    expect(place(waitingJob(), [berth("east", 0, { usable: false, trial: true })], 0, POLICY, NOW)).toEqual({ type: "none" });
  });

  it("goes back to an account that refused it after a while, for it was not tried there", () => {
    const refused = applied(waitingJob(), placedIn("west"), { type: "refused", attempt: 1, detail: "429" }).job;
    expect(place(refused, [berth("west")], 0, POLICY, NOW + MINUTE)).toEqual({ type: "none" });
    expect(place(refused, [berth("west")], 0, POLICY, NOW + POLICY.refusedMs + MINUTE)).toMatchObject({ account: "west" });
  });

  it("goes back to an account that an operator had disabled, for that was not its fault", () => {
    const moved = applied(waitingJob(), placedIn("west"), { type: "moved", attempt: 1, reason: "disabled", detail: "" }).job;
    expect(place(moved, [berth("west", 3, { usable: false })], 0, POLICY, NOW)).toEqual({ type: "none" });
    expect(place(moved, [berth("west")], 0, POLICY, NOW)).toMatchObject({ account: "west" });
  });

  it("begins anew in an operator's new round", () => {
    const again = applied(movedFromWest, { type: "exhausted", detail: "" }, { type: "retry", by: "Ada" }).job;
    expect(place(again, [berth("west")], 0, POLICY, NOW)).toMatchObject({ account: "west" });
  });

  it("property: never one that was tried, never one without room, never one that is not used", () => {
    const berths = fc.array(
      fc.record({
        account: fc.constantFrom("west", "east", "north", "south"),
        usable: fc.boolean(),
        trial: fc.boolean(),
        free: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(berths, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (drawn, draw) => {
        const known = [...new Map(drawn.map((each) => [each.account, each])).values()];
        const placement = place(movedFromWest, known, draw, POLICY, NOW);
        if (placement.type !== "account") return;
        const chosen = known.find(({ account }) => account === placement.account);
        expect(chosen).toMatchObject(placement.trial ? { trial: true } : { usable: true });
        expect(chosen?.free).toBeGreaterThan(0);
        expect(placement.account).not.toBe("west");
      }),
    );
  });
});
