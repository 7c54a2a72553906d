/** The model against the players themselves: what was measured with a buffer of 6 s, a TTL of 5 s and a loss that is noticed after 2 s. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Loss } from "./faults.ts";
import { laboratory, type Bed } from "./laboratory.ts";
import { seenOf, type Seen } from "./matrix.ts";
import { PLAYERS, profileOf, type PlayerName } from "./profiles.ts";
import { REGION_NAMES } from "./regions.ts";
import { World } from "./world.ts";

/** Seconds of the longest stop that were measured; `never`: no picture any more for as long as anybody watched, at least a minute. */
type Measured = number | "never";
type Row = readonly [bed: Bed, player: PlayerName, measured: Partial<Record<Loss, Measured>>];

const MEASURED: readonly Row[] = [
  ["redirect", "hls.js", { refused: "never", "503": "never", "black hole": "never" }],
  ["redirect", "Shaka HLS", { refused: "never", "503": "never", "black hole": "never" }],
  ["redirect", "Shaka DASH", { refused: "never", "503": "never", "black hole": "never" }],
  ["redirect", "dash.js", { refused: "never", "503": "never", "black hole": "never" }],
  ["redirect", "VHS", { refused: "never", "503": "never", "black hole": "never" }],
  ["listed", "hls.js", { refused: 0, "503": 10.8, "black hole": 34.5 }],
  ["listed", "Shaka HLS", { refused: 0, "503": 0, "black hole": "never" }],
  ["listed", "Shaka DASH", { refused: 0, "503": 0, "black hole": 9.1 }],
  ["listed", "dash.js", { refused: 0, "503": 0, "black hole": "never" }],
  ["listed", "VHS", { refused: 0, "503": 0, "black hole": "never" }],
  ["steer", "hls.js", { refused: 0, "503": 0, "404": 0, "black hole": 4.1, "half body": "never" }],
  ["steer", "Shaka HLS", { refused: 0, "503": 0, "404": 0, "black hole": 5.6, "half body": 5.6 }],
  ["steer", "Shaka DASH", { refused: 0, "503": 0, "black hole": 5.8 }],
  ["steer", "dash.js", { refused: 0, "503": 0, "black hole": 76.6, "half body": "never" }],
  ["steer", "VHS", { refused: 0, "503": 0, "404": 0, "black hole": 0, "half body": 0 }],
];

const BUFFER_SECONDS = 6;
/** With the worlds' settling time: as in the experiment, a steering manifest is fetched soon after the loss is noticed. */
const PLAYED_MS = 7_500;
const WATCHED_MS = 95_000;
const NEVER_MS = 60_000;
/** Of what was measured: latencies, segment borders and polls fall otherwise each time. */
const TOLERANCE = 0.35;
const TOLERANCE_MS = 1_500;

const CASES = MEASURED.flatMap(([bed, player, row]) =>
  Object.entries(row).map(([loss, measured]) => ({ bed, player, loss: loss as Loss, measured })),
);

describe("the model of", () => {
  const seen = new Map<string, Seen>();
  beforeAll(async () => {
    for (const [bed, cases] of Map.groupBy(CASES, (each) => each.bed))
      for (const loss of new Set(cases.map((each) => each.loss))) await experiment(bed, loss, seen);
  });

  it.each(CASES)("$player in the bed $bed, $loss: as measured, $measured", ({ bed, player, loss, measured }) => {
    const { longestStopMs = Number.NaN } = seen.get(`${bed} ${loss} ${player}`) ?? {};
    if (measured === "never") {
      expect(longestStopMs).toBeGreaterThan(NEVER_MS);
      return;
    }
    const ms = measured * 1_000;
    expect(Math.abs(longestStopMs - ms)).toBeLessThanOrEqual(Math.max(TOLERANCE_MS, TOLERANCE * ms));
  });
});

async function experiment(bed: Bed, loss: Loss, seen: Map<string, Seen>): Promise<void> {
  await using world = await World.begin(1, laboratory(bed, PLAYED_MS));
  const clickedAt = world.now;
  const players = PLAYERS.map((name) => {
    const profile = profileOf(name, { kit: false, bufferSeconds: BUFFER_SECONDS, live: false });
    return { name, player: world.watch({ name, profile, mode: "steer", content: "film", bufferSeconds: BUFFER_SECONDS }) };
  });
  const lostAt = clickedAt + PLAYED_MS;
  world.plan(REGION_NAMES[0], { loss, from: lostAt, until: Number.POSITIVE_INFINITY });
  await world.clock.advance(PLAYED_MS + WATCHED_MS);
  for (const { name, player } of players) seen.set(`${bed} ${loss} ${name}`, seenOf(player, clickedAt, lostAt, world.now));
}
