/**
 * `npm run test:players`: players in headless Chromium lose the region they play from, in every way and mode, and are watched.
 *
 *     npm run test:players -- --results runs.json --write              everything that the file does not hold yet, and docs/players.md
 *     npm run test:players -- --only hls.js,steer,blackhole,6s,kit     the cells that have all these words
 *     npm run test:players -- --quick                                  a small part
 *
 * Also `--parallel N` pages at a time, `--repetitions N`, `--lead SECONDS` before the loss, `--ttl SECONDS` of content steering, `--list`, `--json`.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { formatReport, judge, progress, readGoals, type Measurement } from "../bench/frame.ts";
import { versionsOf } from "../bench/process.ts";
import { parsePlayersArguments, type PlayersArguments } from "./arguments.ts";
import { runBatch, type BatchOptions, type CellResult } from "./batch.ts";
import { playersDocument } from "./document.ts";
import { figuresOf } from "./figures.ts";
import { Lab } from "./lab.ts";
import { batchesOf, cellName, cellsOf, quickCells, type Cell } from "./matrix.ts";
import { missing, readResults, writeResults, type Results, type Run } from "./results.ts";
import { tablesOf } from "./tables.ts";

const PACKAGES = {
  "hls.js": "hls.js",
  "shaka-player": "shaka-player",
  "dash.js": "dashjs",
  "video.js": "video.js",
  VHS: "@videojs/http-streaming",
};
const DOCUMENT = new URL("../../docs/players.md", import.meta.url);
const BEYOND_S = 20;
const QUICK_BEYOND_S = 9;

const NOTES = [
  "the longest stall is the worst of all runs; `never`: playback did not go on within the length of the buffer and 20 s (9 s with --quick)",
  "kit: settings, plugins and watchdog of clients/; plain: the players' own settings, but for the length of the buffer",
];

async function measure(options: PlayersArguments): Promise<Measurement> {
  const cells = options.quick && options.only.length === 0 ? quickCells() : cellsOf(options.only);
  const before = await readResults(options.results);
  const left = missing(cells, before, options.repetitions);
  const batches = batchesOf(left, options.parallel);
  const hours = batches.reduce((sum, batch) => sum + expectedSeconds(batch, options), 0) / 3600;
  progress(`${cells.length} cells, ${left.length} runs to do, ${batches.length} batches, about ${hours.toFixed(1)} hours`);
  const after = options.list || batches.length === 0 ? before : await runAll(batches, options, before);
  if (options.write) await writeFile(DOCUMENT, playersDocument(after, readGoals()));
  const names = new Set(cells.map(cellName));
  const runs = after.runs.filter(({ cell }) => names.has(cellName(cell)));
  return { versions: { ...after.versions }, figures: figuresOf(runs, after.runs), tables: tablesOf(runs, after.runs), notes: NOTES };
}

/** Opening, lead, watch, and the region's return. Whoever goes on is watched for a short time only. */
function expectedSeconds(batch: readonly Cell[], { lead }: PlayersArguments): number {
  const watched = batch.map(({ kit, mode, buffer }) => (kit || mode === "anchor" ? 14 : mode === "redirect" ? buffer + BEYOND_S : 20));
  return batch.length + lead + Math.max(...watched) + 2;
}

async function runAll(batches: readonly (readonly Cell[])[], options: PlayersArguments, before: Results): Promise<Results> {
  const executable = findChromium();
  if (executable === null) throw new Error(HOW_TO_GET_CHROMIUM);
  const { lead, steeringTtl, results } = options;
  const settings: BatchOptions = { lead, beyond: options.quick ? QUICK_BEYOND_S : BEYOND_S };
  await using stack = new AsyncDisposableStack();
  const browser = stack.adopt(await launchChromium(executable), async (each) => each.close());
  const scene = stack.use(new Scene(browser, `${steeringTtl}s`));
  const versions = { ...playerVersions(), chromium: browser.version() };
  let all: Results = { versions, runs: before.runs };
  for (const [at, batch] of batches.entries()) {
    const began = performance.now();
    const found = await scene.run(batch, settings);
    const date = new Date().toISOString();
    all = { versions, runs: [...all.runs, ...found.map((result): Run => ({ ...result, date, lead, steeringTtl }))] };
    if (results !== null) await writeResults(results, all);
    progress(`batch ${at + 1} of ${batches.length}, ${((performance.now() - began) / 1000).toFixed(0)} s`);
    for (const { cell, outcome, backMs } of found) progress(`  ${cellName(cell)}: ${JSON.stringify({ ...outcome, backMs })}`);
  }
  return all;
}

/** So many in a row are no accident. */
const FAILURES = 3;

/** Browser and lab. Over hours a batch may fail, a page crash: then there is a new lab, and what was not measured is left for another run. */
class Scene implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #steeringTtl: string;
  #lab: Lab | null = null;
  #failures = 0;

  constructor(browser: Browser, steeringTtl: string) {
    this.#browser = browser;
    this.#steeringTtl = steeringTtl;
  }

  async run(batch: readonly Cell[], settings: BatchOptions): Promise<readonly CellResult[]> {
    try {
      this.#lab ??= await Lab.start(this.#steeringTtl);
      const results = await runBatch(this.#lab, this.#browser, batch, settings);
      this.#failures = 0;
      return results;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === FAILURES) throw error;
      progress(`not measured: ${batch.map(cellName).join(", ")}: ${String(error)}`);
      await this[Symbol.asyncDispose]();
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lab = this.#lab;
    this.#lab = null;
    await lab?.[Symbol.asyncDispose]();
  }
}

function playerVersions(): Record<string, string> {
  const { versions } = versionsOf([]);
  const read = (name: string): string => {
    const { version } = JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8")) as {
      readonly version: string;
    };
    return version;
  };
  return { ...versions, ...Object.fromEntries(Object.entries(PACKAGES).map(([name, folder]) => [name, read(folder)])) };
}

try {
  const options = parsePlayersArguments(process.argv.slice(2));
  const measurement = await measure(options);
  const report = judge("players", measurement, readGoals());
  process.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report, measurement.tables)}\n`);
} catch (error) {
  process.stderr.write(`test:players could not measure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
