/** A thousand viewers in virtual time, who do what they are told when they ask and nothing else: what steering alone does in a loss and a return. */
import { describe, expect, it } from "vitest";
import { rampShare } from "../../../src/health/ramp.ts";
import { SESSION, steeringWorld, type SteeringWorld } from "./steeringWorld.ts";

const VIEWERS = 1_000;
const RAMP = { ramp: 30_000, rampStart: 0.1 };
const PROBE_SECONDS = 5;
/** The last second of the shortest and the longest time to the next request, jitter included. */
const CALM = 36;
const INCIDENT = 7;

interface Member {
  url: string;
  head: string;
  due: number;
  moves: number;
}

class Herd {
  readonly #world: SteeringWorld;
  readonly members: Member[];
  readonly polls: number[] = [];
  second = 0;

  constructor(world: SteeringWorld) {
    this.#world = world;
    // They came over half a minute.
    this.members = Array.from({ length: VIEWERS }, (_, viewer) => ({ url: SESSION, head: "westeurope", due: viewer % 30, moves: 0 }));
  }

  /** Viewers that load from a region. */
  at(region: string): number {
    return this.members.filter(({ head }) => head === region).length;
  }

  /** Lets seconds pass; `each` is called after every one. */
  pass(seconds: number, each: (second: number) => void = () => undefined): void {
    for (let count = 1; count <= seconds; count += 1) {
      this.#world.clock.advance(1_000);
      this.second += 1;
      this.polls.push(this.members.filter((member, viewer) => this.#visit(member, viewer)).length);
      each(count);
    }
  }

  #visit(member: Member, viewer: number): boolean {
    if (member.due > this.second) return false;
    const { list } = this.#world.poll(member.url, { peer: `203.0.${viewer >> 8}.${viewer & 255}` });
    const [head = ""] = list["PATHWAY-PRIORITY"];
    if (head !== member.head) member.moves += 1;
    Object.assign(member, { url: list["RELOAD-URI"], head, due: this.second + list.TTL });
    return true;
  }
}

function lose(world: SteeringWorld, region: string): void {
  world.put(region, { status: "unhealthy", reason: "refused" });
}

describe("a thousand viewers", () => {
  it("a region is lost: nobody is left there after the longest time between two polls", () => {
    const world = steeringWorld();
    const herd = new Herd(world);
    herd.pass(90);
    expect(herd.at("westeurope")).toBe(VIEWERS);
    lose(world, "westeurope");
    herd.pass(CALM);
    expect(herd.at("westeurope")).toBe(0);
    expect(herd.at("northeurope")).toBe(VIEWERS);
  });

  it("a second one is lost in the same incident: nobody is left there after the short time between two polls", () => {
    const world = steeringWorld();
    const herd = new Herd(world);
    herd.pass(90);
    lose(world, "westeurope");
    herd.pass(CALM + INCIDENT);
    lose(world, "northeurope");
    herd.pass(INCIDENT);
    expect(herd.at("eastus")).toBe(VIEWERS);
  });

  it("it returns: never more than its share, all within two times the TTL, each viewer once", () => {
    const world = steeringWorld();
    const herd = new Herd(world);
    herd.pass(90);
    lose(world, "westeurope");
    herd.pass(120);
    for (const member of herd.members) member.moves = 0;
    const since = world.clock.now();
    let share = RAMP.rampStart;
    const shares = [share];
    world.put("westeurope", { since, share });
    let last = 0;
    herd.pass(60, (second) => {
      // Where the draws of a thousand viewers fall is chance: three standard deviations.
      const allowed = share * VIEWERS + 3 * Math.sqrt(VIEWERS * share * (1 - share));
      expect(herd.at("westeurope")).toBeLessThanOrEqual(allowed);
      expect(herd.at("westeurope")).toBeGreaterThanOrEqual(last);
      last = herd.at("westeurope");
      if (second % PROBE_SECONDS !== 0 || share === 1) return;
      share = rampShare(second * 1_000, RAMP);
      shares.push(share);
      world.put("westeurope", share < 1 ? { since, share } : { since });
    });
    expect(shares.length).toBe(7);
    expect(herd.at("westeurope")).toBe(VIEWERS);
    expect(herd.members.every(({ moves }) => moves === 1)).toBe(true);
  });

  it("viewers that were moved together do not go on asking together", () => {
    const world = steeringWorld();
    const herd = new Herd(world);
    // All in the same second: the worst case.
    for (const member of herd.members) member.due = 1;
    herd.pass(300);
    expect(herd.polls[0]).toBe(VIEWERS);
    expect(Math.max(...herd.polls.slice(200))).toBeLessThan(VIEWERS / 10);
  });
});
