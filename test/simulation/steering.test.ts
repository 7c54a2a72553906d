/** The steering endpoint fails, from the start or in the middle, and later a region is lost as well. */
import { describe, expect, it } from "vitest";
import type { Gateway, GatewayParts } from "./gateway.ts";
import { laboratory } from "./laboratory.ts";
import { seenOf, type Seen } from "./matrix.ts";
import type { SteeringLoss } from "./network.ts";
import { PLAYERS, profileOf, type PlayerName } from "./profiles.ts";
import { REGION_NAMES } from "./regions.ts";
import { World } from "./world.ts";

const BUFFER_SECONDS = 30;
const PLAYED_MS = 40_000;
const WATCHED_MS = 60_000;
const MIDDLE_MS = 10_000;
const LATER_MS = 2_000;
const LOSSES: readonly SteeringLoss[] = ["refused", "hangs", "500"];

interface Case {
  readonly kit: boolean;
  /** Null: the steering server is well. */
  readonly loss: SteeringLoss | null;
  /** Milliseconds of playback before. */
  readonly afterMs?: number;
  readonly gateway?: (parts: GatewayParts) => Gateway;
}

type Watched = Seen & { readonly polls: number };

async function watched({ kit, loss, afterMs = 0, gateway }: Case): Promise<ReadonlyMap<PlayerName, Watched>> {
  await using world = await (gateway === undefined ? World.begin(1) : World.begin(1, gateway));
  const clickedAt = world.now;
  const steering = loss === null ? null : { loss, from: clickedAt + afterMs };
  const players = PLAYERS.map((name) => {
    const profile = profileOf(name, { kit, bufferSeconds: BUFFER_SECONDS, live: false });
    return { name, player: world.watch({ name, profile, mode: "steer", content: "film", bufferSeconds: BUFFER_SECONDS, steering }) };
  });
  const lostAt = clickedAt + PLAYED_MS;
  world.plan(REGION_NAMES[0], { loss: "503", from: lostAt, until: Number.POSITIVE_INFINITY });
  await world.clock.advance(PLAYED_MS + WATCHED_MS);
  return new Map(
    players.map(({ name, player }) => [name, { ...seenOf(player, clickedAt, lostAt, world.now), polls: player.requests.steering }]),
  );
}

describe.each(LOSSES)("a steering endpoint that fails (%s)", (loss) => {
  it.each([
    { kit: false, afterMs: 0 },
    { kit: false, afterMs: MIDDLE_MS },
    { kit: true, afterMs: 0 },
    { kit: true, afterMs: MIDDLE_MS },
  ])("delays nobody's start, and the region's loss is survived by all but VHS alone: %o", async ({ kit, afterMs }) => {
    const normal = await watched({ kit, loss: null });
    const without = await watched({ kit, loss, afterMs });
    for (const [name, { startMs, lost, fatals, longestStopMs, polls }] of without) {
      expect(startMs, name).toBeLessThanOrEqual((normal.get(name)?.startMs ?? Number.NaN) + LATER_MS);
      // Nobody asks again and again: an inline manifest has told a TTL.
      expect(polls, name).toBeLessThan(30);
      // VHS changes pathways only when a steering manifest says so; the kit does it for it.
      const survives = name !== "VHS" || kit;
      expect({ name, lost, fatals, stopped: longestStopMs > 0 }).toEqual({ name, lost: !survives, fatals: [], stopped: !survives });
    }
  });
});

describe("without an inline steering manifest, as measured", () => {
  const bed = laboratory("steer", PLAYED_MS);

  it("VHS asks a server that answers 500 again and again", async () => {
    const { polls = 0 } = (await watched({ kit: false, loss: "500", gateway: bed })).get("VHS") ?? {};
    expect(polls).toBeGreaterThan((100 * (PLAYED_MS + WATCHED_MS)) / 1000 / 4);
  });

  it("Shaka waits for a server that hangs, and has no second region then", async () => {
    const shaka = (await watched({ kit: false, loss: "hangs", gateway: bed })).get("Shaka HLS");
    expect(shaka?.startMs).toBeGreaterThan(20_000);
    expect(shaka?.fatals).toHaveLength(1);
  });

  it("dash.js does not start while a server hangs that is to be asked first", async () => {
    expect((await watched({ kit: false, loss: "hangs", gateway: bed })).get("dash.js")?.startMs).toBeNull();
  });
});
