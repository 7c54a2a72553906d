/** The figures of the matrix. Pure. */
import type { Figure } from "../bench/frame.ts";
import { BUFFERS, type Cell, type Mode, type RegionFault } from "./matrix.ts";
import type { PlayerName } from "./page/types.d.ts";
import type { Run } from "./results.ts";

/** Seconds; Infinity where playback did not go on. */
export function stallSeconds({ outcome }: Run): number {
  return outcome.playing ? outcome.longestStallMs / 1000 : Infinity;
}

/** The worst of all runs; null without any. */
export function longestStall(runs: readonly Run[]): number | null {
  return runs.length === 0 ? null : Math.max(...runs.map(stallSeconds));
}

const QUICKLY_TOLD: readonly RegionFault[] = ["refused", "reset", "503"];

/** @param all runs, also those that are not asked for: what redirect mode gives is compared with */
export function figuresOf(runs: readonly Run[], all: readonly Run[]): Figure[] {
  const losses = runs.filter(({ cell }) => cell.story === "loss");
  return [
    ...(["steer", "anchor"] as const).flatMap((mode) => [...stallFigures(losses, mode, all), ...endFigures(losses, mode, all)]),
    ...worseThanBefore(losses),
    ...outageFigures(runs, all),
    ...returnFigures(runs),
  ];
}

function stallFigures(losses: readonly Run[], mode: Mode, all: readonly Run[]): Figure[] {
  return [true, false].flatMap((kit) => {
    const settings = kit ? "kit" : "plain";
    const figures = BUFFERS.map((buffer) => stallFigure(`${mode}, ${settings}, ${buffer} s`, losses, { mode, kit, buffer }, all));
    const told = (runs: readonly Run[]): readonly Run[] => runs.filter(({ cell }) => QUICKLY_TOLD.includes(cell.fault));
    return [
      ...figures,
      stallFigure(`${mode}, ${settings}, 6 s, refused, reset or 503`, told(losses), { mode, kit, buffer: 6 }, told(all)),
    ].flat();
  });
}

/** Beside it, the same loss in redirect mode. */
function stallFigure(name: string, losses: readonly Run[], want: Pick<Cell, "mode" | "kit" | "buffer">, all: readonly Run[]): Figure[] {
  const value = longestStall(losses.filter(({ cell }) => cell.mode === want.mode && cell.kit === want.kit && cell.buffer === want.buffer));
  if (value === null) return [];
  const redirect = longestStall(redirects(all).filter(({ cell }) => cell.buffer === want.buffer));
  return [{ name: `${name}: longest stall`, value, unit: "s", ...(redirect === null ? {} : { peers: { redirect } }) }];
}

function redirects(all: readonly Run[]): readonly Run[] {
  return all.filter(({ cell }) => cell.story === "loss" && cell.mode === "redirect" && !cell.kit);
}

/** The two ways in which playback ends: the player says that it cannot go on, or waits for ever for what does not come. */
const ENDS: readonly { readonly name: string; readonly is: (run: Run) => boolean }[] = [
  { name: "runs with a fatal error", is: ({ outcome }) => outcome.fatal !== null },
  { name: "runs that stop for good", is: ({ outcome }) => !outcome.playing },
];

function endFigures(losses: readonly Run[], mode: Mode, all: readonly Run[]): Figure[] {
  const redirect = redirects(all);
  return [true, false].flatMap((kit) => {
    const chosen = losses.filter(({ cell }) => cell.mode === mode && cell.kit === kit);
    if (chosen.length === 0) return [];
    return ENDS.map(({ name, is }) => ({
      name: `${mode}, ${kit ? "kit" : "plain"}: ${name}`,
      value: share(chosen, is),
      unit: "%",
      ...(redirect.length === 0 ? {} : { peers: { redirect: share(redirect, is) } }),
    }));
  });
}

/** In percent. */
function share(runs: readonly Run[], is: (run: Run) => boolean): number {
  return (100 * runs.filter(is).length) / runs.length;
}

/**
 * Seconds of stall that were measured with content steering before there was a gateway: on demand, with the players' own settings, a buffer of 6 s,
 * a gateway that noticed after 2 s and a TTL of 5 s (one run each, ± 0.5 s). What is not named was 0 s; with 30 s everything was, but for dash.js.
 */
const BEFORE: Readonly<Partial<Record<PlayerName, Readonly<Partial<Record<RegionFault, number>>>>>> = {
  "hls.js": { blackhole: 4.1, "half-body": Infinity },
  "shaka-hls": { blackhole: 5.9, "half-body": 5.6 },
  "shaka-dash": { blackhole: 5.8, "half-body": 5.8 },
  "dash.js": { blackhole: 77, "half-body": Infinity },
};
const SPREAD_S = 0.5;

function worseThanBefore(losses: readonly Run[]): Figure[] {
  const plain = losses.filter(({ cell }) => cell.mode === "steer" && !cell.kit && cell.content === "vod");
  if (plain.length === 0) return [];
  const worse = plain.filter((run) => {
    const { player, fault, buffer } = run.cell;
    const before = buffer === 6 || player === "dash.js" ? (BEFORE[player]?.[fault] ?? 0) : 0;
    return stallSeconds(run) > before + SPREAD_S && !(before > run.cell.buffer && !run.outcome.playing);
  });
  return [{ name: "steer, plain, on demand: runs worse than measured before", value: (100 * worse.length) / plain.length, unit: "%" }];
}

function outageFigures(runs: readonly Run[], all: readonly Run[]): Figure[] {
  const outages = runs.filter(({ cell }) => cell.story === "outage");
  const later = outages.flatMap((run) => startBeyondRedirect(run, all) ?? []);
  if (later.length === 0) return [];
  const kit = outages.filter(({ cell }) => cell.kit);
  const survived = kit.filter(({ outcome }) => outcome.playing);
  return [
    { name: "steering outage: start-up beyond redirect's", value: Math.max(...later), unit: "s" },
    ...(kit.length === 0
      ? []
      : [{ name: "steering outage, kit: region loss survived", value: (100 * survived.length) / kit.length, unit: "% of runs" }]),
  ];
}

/** Seconds by which the run started later than the same player does in redirect mode; null where that was not measured. */
export function startBeyondRedirect({ cell, outcome }: Run, all: readonly Run[]): number | null {
  const starts = all
    .filter((run) => run.cell.player === cell.player && run.cell.mode === "redirect" && run.cell.content === "vod")
    .flatMap((run) => run.outcome.startMs ?? []);
  const usual = starts.toSorted((one, other) => one - other)[Math.floor(starts.length / 2)];
  if (usual === undefined) return null;
  return outcome.startMs === null ? Infinity : Math.max(0, outcome.startMs - usual) / 1000;
}

function returnFigures(runs: readonly Run[]): Figure[] {
  const returns = runs.filter(({ cell }) => cell.story === "return");
  return [true, false].flatMap((kit) => {
    const name = `region returns, ${kit ? "kit" : "plain"}: last viewer back`;
    return lastBack(
      name,
      returns.filter(({ cell }) => cell.kit === kit),
    );
  });
}

function lastBack(name: string, runs: readonly Run[]): Figure[] {
  if (runs.length === 0) return [];
  return [{ name, value: Math.max(...runs.map(({ backMs, steeringTtl }) => (backMs ?? Infinity) / 1000 / steeringTtl)), unit: "TTLs" }];
}
