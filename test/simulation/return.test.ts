/** The region comes back: two hundred viewers go back to it within two TTLs of the gateway's word, and not all at once. */
import { beforeAll, describe, expect, it } from "vitest";
import { PLAYERS, profileOf, type PlayerName } from "./profiles.ts";
import { REGION_NAMES } from "./regions.ts";
import { World } from "./world.ts";

const VIEWERS = 200;
const BUFFER_SECONDS = 30;
/** Between two viewers' clicks. */
const APART_MS = 100;
const BEFORE_MS = 10_000;
const OUTAGE_MS = 90_000;
const AFTER_MS = 110_000;
const STEP_MS = 1_000;
/** Two of the default TTL. */
const TWO_TTLS_MS = 60_000;
const WINDOW_MS = 5_000;
/** Share of the viewers that may move within a window. */
const AT_ONCE = 0.3;
const NEVER = Number.POSITIVE_INFINITY;

describe("the return of a region", () => {
  /** Milliseconds from the end of the outage until each viewer had a segment of the region again. */
  const moved: { readonly player: PlayerName; readonly ms: number; readonly stops: number }[] = [];
  let healthyMs = NEVER;

  beforeAll(async () => {
    await using world = await World.begin(1);
    const players = [];
    for (let index = 0; index < VIEWERS; index += 1) {
      const name = PLAYERS[index % PLAYERS.length] ?? PLAYERS[0];
      const profile = profileOf(name, { kit: true, bufferSeconds: BUFFER_SECONDS, live: false });
      players.push({
        name,
        player: world.watch({ name: `viewer ${index}`, profile, mode: "steer", content: "film", bufferSeconds: BUFFER_SECONDS }),
      });
      await world.clock.advance(APART_MS);
    }
    const from = world.now + BEFORE_MS;
    const until = from + OUTAGE_MS;
    world.plan(REGION_NAMES[0], { loss: "503", from, until });
    await world.clock.advance(until - world.now);
    for (let passed = 0; passed < AFTER_MS; passed += STEP_MS) {
      await world.clock.advance(STEP_MS);
      if (healthyMs === NEVER && !world.isIll(REGION_NAMES[0])) healthyMs = world.now - until;
    }
    for (const { name, player } of players) {
      const first = player.loaded.find(({ at, region }) => at > until && region === REGION_NAMES[0]);
      moved.push({ player: name, ms: (first?.at ?? NEVER) - until, stops: player.playback.stops(from, world.now).length });
    }
  }, 60_000);

  /** dash.js does not read the steering manifest in the MPD, so it goes back when its own list of failed places forgets. */
  const steered = () => moved.filter(({ player }) => player !== "dash.js");

  it("is noticed within seconds", () => {
    expect(healthyMs).toBeLessThanOrEqual(20_000);
  });

  it("brings every viewer back within two TTLs, without a stop", () => {
    expect(moved.filter(({ ms }) => ms > healthyMs + TWO_TTLS_MS)).toEqual([]);
    expect(moved.filter(({ stops }) => stops > 0)).toEqual([]);
  });

  it("does not bring them back all at once", () => {
    const times = steered().map(({ ms }) => ms);
    const most = Math.max(...times.map((start) => times.filter((ms) => ms >= start && ms < start + WINDOW_MS).length));
    expect(most / times.length).toBeLessThanOrEqual(AT_ONCE);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThanOrEqual(TWO_TTLS_MS / 3);
  });
});
