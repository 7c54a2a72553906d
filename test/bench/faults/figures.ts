/** From the outcomes of all cells to the table and the figures. */
import type { Figure, Table } from "../frame.ts";
import { faultClass, HARD_FAULTS, HARD_KEY_FAULTS, type FaultClass } from "../origin/faults.ts";
import type { Cell } from "./matrix.ts";
import { described, together, type Outcome } from "./outcome.ts";
import { PAIRCASTS, type CellResult } from "./stage.ts";

const [REDIRECT, PROXIED] = PAIRCASTS;

/** Fault times router. */
export function faultTable(results: readonly CellResult[], peers: readonly string[]): Table {
  const routers = [...PAIRCASTS, ...peers];
  const faults = [...new Set(results.map(({ cell }) => cell.fault))];
  return {
    title: "plays that failed after the fault, and when the last of them started",
    columns: ["fault of region A", "paircast", "with proxied keys", ...peers],
    rows: faults.map((fault) => [
      fault,
      ...routers.map((router) => described(outcomesOf(results, router, (cell) => cell.fault === fault))),
    ]),
  };
}

type Wanted = (cell: Cell) => boolean;

function outcomesOf(results: readonly CellResult[], router: string, wanted: Wanted): Outcome[] {
  return results.flatMap(({ cell, outcomes }) => (wanted(cell) ? (outcomes.get(router) ?? []) : []));
}

const MEDIA: ReadonlySet<FaultClass> = new Set(["manifest", "live", "segment", "certificate", "clock"]);

/** An MPD may stay as it is for longer than a playlist: for its update period and a segment. */
const GROUPS: readonly (readonly [string, Wanted])[] = [
  ["hard faults", ({ fault }) => HARD_FAULTS.has(fault)],
  ["media faults", ({ fault }) => fault !== "stale" && MEDIA.has(faultClass(fault))],
  ["stale live playlist", ({ fault, video }) => fault === "stale" && video.protocol === "hls"],
  ["stale live MPD", ({ fault, video }) => fault === "stale" && video.protocol === "dash"],
  ["key faults", ({ fault }) => faultClass(fault) === "key"],
];

/** Figures of groups that were not run are left out. */
export function faultFigures(results: readonly CellResult[], peers: readonly string[]): Figure[] {
  const everything = (): boolean => true;
  const compared = (value: (outcomes: readonly Outcome[]) => number, wanted: Wanted) => ({
    value: value(outcomesOf(results, REDIRECT, wanted)),
    peers: Object.fromEntries(peers.map((peer) => [peer, value(outcomesOf(results, peer, wanted))])),
  });
  const share = (outcomes: readonly Outcome[]): number => (100 * together(outcomes).recovered) / Math.max(1, outcomes.length);
  const figures: Figure[] = [
    { name: "faults recovered from", unit: "%", ...compared(share, everything) },
    { name: "failed plays", unit: "plays", ...compared((outcomes) => together(outcomes).failed, everything) },
    {
      name: "failed plays before the fault",
      unit: "plays",
      ...compared((outcomes) => outcomes.reduce((sum, { falsely }) => sum + falsely, 0), everything),
    },
  ];
  for (const [name, wanted] of GROUPS) {
    if (!results.some(({ cell }) => wanted(cell))) continue;
    figures.push({
      name: `redirect, ${name}: last failed play`,
      unit: "s",
      ...compared((outcomes) => together(outcomes).lastFailed, wanted),
    });
  }
  const falseDrains = results.reduce((sum, each) => sum + each.falseDrains.length, 0);
  return [
    ...figures,
    ...proxiedFigures(results, peers),
    { name: "false drains of the healthy region", value: falseDrains, unit: "drains" },
  ];
}

function proxiedFigures(results: readonly CellResult[], peers: readonly string[]): Figure[] {
  const wanted: Wanted = ({ fault }) => HARD_KEY_FAULTS.has(fault);
  const outcomes = outcomesOf(results, PROXIED, wanted);
  if (outcomes.length === 0) return [];
  const failed = (router: string): number => together(outcomesOf(results, router, wanted)).failed;
  return [
    {
      name: "proxied keys, hard key faults: failed plays",
      value: failed(PROXIED),
      unit: "plays",
      peers: Object.fromEntries(peers.map((peer) => [peer, failed(peer)])),
    },
  ];
}
