/** The loss of a region for every player, mode, fault, buffer and content, with the client kit and without: what the viewer sees of it. */
import { LOSSES, type Loss } from "./faults.ts";
import { MODES, type Mode } from "./gateway.ts";
import { CONTENTS, type Content } from "./origin.ts";
import type { Player } from "./player.ts";
import { PLAYERS, profileOf, type PlayerName } from "./profiles.ts";
import { REGION_NAMES } from "./regions.ts";
import { World } from "./world.ts";

export const BUFFERS = [6, 30] as const;

export interface Cell {
  readonly player: PlayerName;
  readonly mode: Mode;
  readonly loss: Loss;
  readonly content: Content;
  readonly bufferSeconds: number;
  readonly kit: boolean;
}

/** Milliseconds, of one viewer. */
export interface Seen {
  /** From the click to the first picture; null: there was none. */
  readonly startMs: number | null;
  /** The longest time that the picture stood still after the loss. */
  readonly longestStopMs: number;
  readonly totalStopMs: number;
  /** The picture stands still at the end. */
  readonly lost: boolean;
  /** Why the player gave up, in its own words; empty: it did not. */
  readonly fatals: readonly string[];
  /** Times that the watchdog loaded the URL again. */
  readonly reloads: number;
  /** From the loss to the first segment of the other region; null: none came. */
  readonly otherAfterMs: number | null;
}

export type Result = Cell & Seen;

export interface MatrixOptions {
  readonly seed: number;
  readonly contents?: readonly Content[];
  readonly losses?: readonly Loss[];
  readonly modes?: readonly Mode[];
}

/** Playback before the loss, at least; then viewers are watched for longer than any player's default patience but dash.js's in sum. */
const BEFORE_MS = 15_000;
const AFTER_MS = 100_000;
const STEP_MS = 1_000;
/** Viewers do not ask in step. */
const SPREAD_MS = 2_000;
/** DASH is measured on demand. */
const DASH: ReadonlySet<PlayerName> = new Set(["Shaka DASH", "dash.js"]);

export async function runMatrix({ seed, contents = CONTENTS, losses = LOSSES, modes = MODES }: MatrixOptions): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const content of contents) {
    for (const loss of losses) results.push(...(await runWorld(seed, loss, cellsOf(content, loss, modes))));
  }
  return results;
}

function cellsOf(content: Content, loss: Loss, modes: readonly Mode[]): readonly Cell[] {
  const players = PLAYERS.filter((player) => content === "film" || !DASH.has(player));
  return players.flatMap((player) =>
    modes.flatMap((mode) =>
      BUFFERS.flatMap((bufferSeconds) => [true, false].map((kit): Cell => ({ player, mode, loss, content, bufferSeconds, kit }))),
    ),
  );
}

/** All viewers of one loss in one world: they see the same outage, noticed by the same gateway. */
async function runWorld(seed: number, loss: Loss, cells: readonly Cell[]): Promise<readonly Result[]> {
  await using world = await World.begin(seed);
  const watched: { readonly cell: Cell; readonly player: Player; readonly clickedAt: number }[] = [];
  for (const [index, cell] of cells.entries()) {
    watched.push({ cell, player: watch(world, cell), clickedAt: world.now });
    if (index % 4 === 3) await world.clock.advance((SPREAD_MS * 4) / cells.length);
  }
  await world.clock.advance(BEFORE_MS);
  const lostAt = await loseAfterProbe(world, loss);
  await world.clock.advance(AFTER_MS);
  return watched.map(({ cell, player, clickedAt }) => ({ ...cell, ...seenOf(player, clickedAt, lostAt, world.now) }));
}

function watch(world: World, { player, mode, content, bufferSeconds, kit }: Cell): Player {
  const profile = profileOf(player, { kit, bufferSeconds, live: content === "channel" });
  return world.watch({ name: `${player} ${mode} ${bufferSeconds} ${kit}`, profile, mode, content, bufferSeconds });
}

/** The worst moment: the gateway has just found the region well. Returns the time of the loss. */
async function loseAfterProbe(world: World, loss: Loss): Promise<number> {
  const [region] = REGION_NAMES;
  const before = world.probedAt(region);
  while (world.probedAt(region) === before) await world.clock.advance(STEP_MS / 10);
  const from = world.now;
  world.plan(region, { loss, from, until: Number.POSITIVE_INFINITY });
  return from;
}

export function seenOf(player: Player, clickedAt: number, lostAt: number, now: number): Seen {
  const { playback, loaded, fatals, reloads } = player;
  const stops = playback.stops(lostAt, now).map(({ from, to }) => to - from);
  const other = loaded.find(({ at, region }) => at > lostAt && region === REGION_NAMES[1]);
  return {
    startMs: playback.startedAt === null ? null : playback.startedAt - clickedAt,
    longestStopMs: Math.max(0, ...stops),
    totalStopMs: stops.reduce((sum, ms) => sum + ms, 0),
    lost: playback.frozenMs > 0,
    fatals,
    reloads,
    otherAfterMs: other === undefined ? null : other.at - lostAt,
  };
}

/** A Markdown table: one row for each player, mode, content and buffer; one column for each loss; in each field without the kit / with it. */
export function markdownOf(results: readonly Result[]): string {
  const rows = Map.groupBy(results, ({ player, mode, content, bufferSeconds }) => `${mode} | ${content} | ${player} | ${bufferSeconds} s`);
  const lines = [...rows].map(
    ([name, cells]) => `| ${name} | ${LOSSES.map((loss) => fieldOf(cells.filter((cell) => cell.loss === loss))).join(" | ")} |`,
  );
  return [`| mode | content | player | buffer | ${LOSSES.join(" | ")} |`, `|${" --- |".repeat(LOSSES.length + 4)}`, ...lines, ""].join(
    "\n",
  );
}

function fieldOf(cells: readonly Result[]): string {
  const [without, withKit] = [false, true].map((kit) => cells.find((cell) => cell.kit === kit));
  return `${wordOf(without)} / ${wordOf(withKit)}`;
}

function wordOf(result: Result | undefined): string {
  if (result === undefined) return "–";
  if (result.lost) return result.fatals.length > 0 ? "fatal" : "frozen";
  return `${(result.longestStopMs / 1000).toFixed(1)}${result.fatals.length > 0 ? " (fatal, reloaded)" : ""}`;
}
