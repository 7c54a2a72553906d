/** The tables of the matrix, for the terminal and for docs/players.md. Pure. */
import type { Table } from "../bench/frame.ts";
import { longestStall, startBeyondRedirect } from "./figures.ts";
import { BUFFERS, CONTENTS, FAULTS, MODES, PLAYERS, PROTECTIONS, STEERING_FAULTS } from "./matrix.ts";
import type { Run } from "./results.ts";

/** @param all runs, also those that are not asked for: start-up is compared with that in redirect mode */
export function tablesOf(runs: readonly Run[], all: readonly Run[]): Table[] {
  return [...lossTables(runs), ...outageTables(runs, all), ...returnTables(runs)].filter(({ rows }) => rows.length > 0);
}

function lossTables(runs: readonly Run[]): Table[] {
  return MODES.flatMap((mode) =>
    [true, false].flatMap((kit) =>
      CONTENTS.flatMap((content) =>
        BUFFERS.map((buffer): Table => {
          const chosen = runs.filter(
            ({ cell }) =>
              cell.story === "loss" && cell.mode === mode && cell.kit === kit && cell.content === content && cell.buffer === buffer,
          );
          const title = `${mode}, ${settingsName(kit)}, ${content === "vod" ? "on demand" : "live"}, ${buffer} s of buffer`;
          return { title, columns: ["player", ...FAULTS], rows: lossRows(chosen) };
        }),
      ),
    ),
  );
}

function settingsName(kit: boolean): string {
  return kit ? "client kit" : "own settings";
}

function lossRows(runs: readonly Run[]): string[][] {
  return PLAYERS.flatMap((player) =>
    PROTECTIONS.flatMap((protection) => {
      const own = runs.filter(({ cell }) => cell.player === player && cell.protection === protection);
      if (own.length === 0) return [];
      const name = protection === "aes" ? `${player}, AES-128` : player;
      return [[name, ...FAULTS.map((fault) => lossText(own.filter(({ cell }) => cell.fault === fault)))]];
    }),
  );
}

/** `0 / 0.4`: the longest stall and the first segment from region B, the worst of all runs, in seconds. */
function lossText(runs: readonly Run[]): string {
  const stall = longestStall(runs);
  if (stall === null) return "";
  const stopped = runs.filter(({ outcome }) => !outcome.playing).length;
  const fatal = runs.some(({ outcome }) => outcome.fatal !== null) ? " fatal" : "";
  const first = Math.max(...runs.map(({ outcome }) => outcome.firstFromBMs ?? Infinity));
  const text = stopped > 0 ? `stops${stopped < runs.length ? ` (${stopped} of ${runs.length})` : ""}` : seconds(stall);
  return `${text}${Number.isFinite(first) ? ` / ${seconds(first / 1000)}` : " / –"}${fatal}`;
}

function seconds(value: number): string {
  return Number.isFinite(value) ? value.toFixed(value < 0.05 ? 0 : 1) : "never";
}

function outageTables(runs: readonly Run[], all: readonly Run[]): Table[] {
  const outages = runs.filter(({ cell }) => cell.story === "outage");
  const rows = PLAYERS.flatMap((player) =>
    [true, false].flatMap((kit) => {
      const own = outages.filter(({ cell }) => cell.player === player && cell.kit === kit);
      if (own.length === 0) return [];
      const texts = STEERING_FAULTS.map((fault) =>
        outageText(
          own.filter(({ cell }) => cell.steering === fault),
          all,
        ),
      );
      return [[`${player}, ${settingsName(kit)}`, ...texts]];
    }),
  );
  return [{ title: "steering server fails, then region A refuses", columns: ["player", ...STEERING_FAULTS], rows }];
}

/** `+0.1; 0 / 0.4`: start-up beyond the redirect's, then as in the other tables. */
function outageText(runs: readonly Run[], all: readonly Run[]): string {
  if (runs.length === 0) return "";
  const later = runs.map((run) => startBeyondRedirect(run, all));
  const known = later.filter((each) => each !== null);
  const start = known.length === 0 ? "?" : `+${seconds(Math.max(...known))}`;
  return `${start}; ${lossText(runs)}`;
}

function returnTables(runs: readonly Run[]): Table[] {
  const returns = runs.filter(({ cell }) => cell.story === "return");
  const rows = PLAYERS.flatMap((player) =>
    [true, false].flatMap((kit) => {
      const own = returns.filter(({ cell }) => cell.player === player && cell.kit === kit);
      if (own.length === 0) return [];
      const ttl = Math.max(...own.map(({ steeringTtl }) => steeringTtl));
      const backs = own.map(({ backMs }) => (backMs ?? Infinity) / 1000);
      return [[`${player}, ${settingsName(kit)}`, seconds(Math.min(...backs)), seconds(Math.max(...backs)), String(2 * ttl)]];
    }),
  );
  return [
    { title: "region A returns: seconds until its segments are loaded again", columns: ["player", "first", "last", "two TTLs"], rows },
  ];
}
