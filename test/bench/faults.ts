/**
 * `npm run bench:faults`: every fault times HLS and DASH, clear and AES-128, live and on demand. Region A has the fault, region B is well, and
 * the same player starts plays through paircast and its peers. Beside it, hours without a fault, in which nothing may be drained.
 *
 * `--only` takes names and classes of faults (`stale`, `key`, …), `noise`, `alternating` and `soak`; `--rounds` is the soak's length in minutes,
 * which without it is as long as everything else takes.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { faultFigures, faultTable } from "./faults/figures.ts";
import { cellsOf, isKnown, videoName, type Cell } from "./faults/matrix.ts";
import { simulate, type Simulation } from "./faults/simulated.ts";
import { startSoak, type Soak } from "./faults/soak.ts";
import { runCells, type CellResult, type StageOptions } from "./faults/stage.ts";
import { progress, runBench, type BenchArguments, type Figure, type Measurement } from "./frame.ts";
import { VIDEOS, type Video } from "./origin/faults.ts";
import { versionsOf } from "./process.ts";
import type { ProbePolicy } from "./routers/site.ts";

const PROBES: ProbePolicy = { intervalMs: 1_000, fastIntervalMs: 250, timeoutMs: 1_000, fall: 2, rise: 3 };
const PEERS = ["haproxy", "nginx", "caddy"];
const PARTS = ["noise", "alternating", "soak"];
const NOISE = { latencyMs: 150, errors: 0.01 };
const LIVE_ENCRYPTED: Video = { protocol: "hls", encrypted: true, live: true };
const HOUR_MS = 3_600_000;
/** More would starve each other on two cores. */
const AT_A_TIME = 10;

const NOTES = [
  "a play: manifest, playlists of a video and the audio rendition, initialisation sections, first or newest segments whole, key; segments must decrypt, be of the right time and come within their duration, manifests and keys within 1.5 s; live playlists must advance within 1.75 target durations (2 s each)",
  "times count from the fault to the start of the last play that failed; `never`: plays failed to the end of the observation",
  "paircast redirects manifests, and so everything below them, to the regions and probes every 1 s (250 ms while a change is pending); haproxy, nginx and caddy carry everything and repeat failed requests at the other region; haproxy and caddy probe every 1 s, nginx cannot",
];

async function measure(options: BenchArguments): Promise<Measurement> {
  const unknown = options.only.filter((name) => !PARTS.includes(name) && !isKnown(name));
  if (unknown.length > 0) throw new Error(`--only knows no ${unknown.join(", ")}`);
  const wants = (part: string): boolean => options.only.length === 0 || options.only.includes(part);
  const { versions, missing } = versionsOf(PEERS);
  const began = performance.now();
  await using soak = wants("soak") && !options.quick ? await startSoak({ videos: [LIVE_ENCRYPTED], probes: PROBES, noise: NOISE }) : null;
  const faults = await measureFaults(
    options,
    Object.keys(versions).filter((program) => PEERS.includes(program)),
  );
  const figures = [
    ...faults.figures,
    ...(wants("noise") ? await noiseFigures(options.quick ? [LIVE_ENCRYPTED] : VIDEOS) : []),
    ...(wants("alternating") ? await alternatingFigures() : []),
    ...(soak === null ? [] : await soakFigures(soak, began + (options.rounds ?? 0) * 60_000)),
  ];
  const lasted = `the soak lasted ${((performance.now() - began) / 60_000).toFixed(1)} minutes`;
  const notes = soak === null ? [] : [lasted, ...soak.reasons().map((reason) => `drained in the soak: ${reason}`)];
  return { ...faults, versions, figures, notes: [...NOTES, ...missing, ...faults.notes, ...notes] };
}

async function measureFaults({ quick, only }: BenchArguments, peers: readonly string[]): Promise<Required<Omit<Measurement, "versions">>> {
  const faults = only.filter(isKnown);
  if (only.length > 0 && faults.length === 0) return { tables: [], figures: [], notes: [] };
  const cells = cellsOf({ quick, only: faults.length === 0 ? null : faults });
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const results = await runAll(cells, { probes: PROBES, peers, ...(quick ? SHORT : LONG) }, quick);
  lag.disable();
  const pace = `event loop of the players: 99 % of its turns within ${Math.round(lag.percentile(99) / 1e6)} ms`;
  return { tables: [faultTable(results, peers)], figures: faultFigures(results, peers), notes: [pace, ...mistakes(results)] };
}

async function soakFigures(soak: Soak, until: number): Promise<Figure[]> {
  const leftMs = until - performance.now();
  if (leftMs > 0) await delay(leftMs);
  return [{ name: "false drains, soak", value: await soak.drains(), unit: "drains" }];
}

const SHORT = { playsPerSecond: 3, healthyMs: 2_500, observedMs: 9_000, quietMs: 3_000 };
const LONG = { playsPerSecond: 4, healthyMs: 3_000, observedMs: 15_000, quietMs: 5_000 };

async function runAll(cells: readonly Cell[], options: StageOptions, atOnce: boolean): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const step = atOnce ? Math.max(1, cells.length) : AT_A_TIME;
  for (let at = 0; at < cells.length; at += step) {
    const batch = cells.slice(at, at + step);
    progress(`faults ${at + 1} to ${at + batch.length} of ${cells.length}: ${[...new Set(batch.map(({ fault }) => fault))].join(", ")}`);
    results.push(...(await runCells(batch, options)));
  }
  return results;
}

/** What paircast does not see, and what it sees although it is not there: the first things to look at. */
function mistakes(results: readonly CellResult[]): string[] {
  return results.flatMap(({ cell, outcomes, falseDrains }) => [
    ...falseDrains.map(
      (reason) => `with ${cell.fault} (${videoName(cell.video)}) paircast took the healthy region for unhealthy: ${reason}`,
    ),
    ...[...outcomes].flatMap(([router, { recovered, failures }]) => {
      if (recovered || !router.startsWith("paircast")) return [];
      const [most] = [...failures].toSorted((one, other) => other[1] - one[1]);
      return [`${router} did not recover from ${cell.fault} (${videoName(cell.video)}): ${most?.[1] ?? 0} × ${most?.[0] ?? ""}`];
    }),
  ]);
}

const QUIET_HOUR: Simulation = {
  video: LIVE_ENCRYPTED,
  probes: PROBES,
  seed: 1,
  durationMs: HOUR_MS,
  latency: (random) => 5 + NOISE.latencyMs * random.next() ** 2,
  failure: () => null,
};

/** Single errors: each request may fail by itself, and a probe is several of them. An hour for each video. */
async function noiseFigures(videos: readonly Video[]): Promise<Figure[]> {
  progress("an hour of healthy noise, simulated");
  let drains = 0;
  for (const [index, video] of videos.entries()) {
    const failure: Simulation["failure"] = (_region, _elapsed, random) =>
      random.next() >= NOISE.errors ? null : random.next() < 0.5 ? "reset" : "status";
    drains += (await simulate({ ...QUIET_HOUR, video, seed: index + 1, failure })).drains;
  }
  return [{ name: "false drains, an hour of noise, simulated", value: drains, unit: "drains" }];
}

async function alternatingFigures(): Promise<Figure[]> {
  progress("a region that is up and down every 10 s, simulated");
  const { transitions } = await simulate({
    ...QUIET_HOUR,
    durationMs: 600_000,
    failure: (region, elapsedMs) => (region === "a" && Math.floor(elapsedMs / 10_000) % 2 === 0 ? "refused" : null),
  });
  return [{ name: "transitions, region up and down every 10 s, 10 minutes simulated", value: transitions, unit: "transitions" }];
}

await runBench("faults", measure);
