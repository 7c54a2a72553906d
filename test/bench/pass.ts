/**
 * `npm run bench:pass`: what it costs to look through a large library in which nothing has changed, and one in which little has: `paircast replicate
 * --changed`, as a process of its own, against two emulated media accounts over HTTP. Requests by the accounts' own count, memory by the kernel's.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { progress, runBench, type Figure } from "./frame.ts";
import { fillCatalogue } from "./pass/catalogue.ts";
import { API_KEY, PAGE_SIZE, RESOURCE_GROUP, startLibrary, SUBSCRIPTION, type LibraryRegion } from "./pass/library.ts";
import { versionsOf } from "./process.ts";
import { workDirectory } from "./routers/site.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const VIDEOS = 100_000;
const QUICK_VIDEOS = 20_000;
/** Published in the second run. */
const NEW = 20;

interface Run {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly summary: { readonly assets: number; readonly changed: number; readonly failed: number; readonly results: readonly unknown[] };
}

await runBench("pass", async ({ quick }) => {
  await using stack = new AsyncDisposableStack();
  const videos = quick ? QUICK_VIDEOS : VIDEOS;
  const directory = stack.use(await workDirectory());
  progress(`${videos} videos in two accounts and in the catalogue`);
  const west = stack.use(await startLibrary("west", videos));
  const north = stack.use(await startLibrary("north", videos));
  const state = join(directory.path, "paircast.db");
  fillCatalogue(state, ["west", "north"], videos, Date.now());
  const config = join(directory.path, "paircast.yaml");
  await writeFile(config, JSON.stringify(configuration([west, north], state)));
  progress("a pass, nothing has changed");
  const unchanged = await pass(config);
  check(unchanged, videos);
  const pages = Math.ceil(videos / PAGE_SIZE);
  const lists = [west, north].map(({ counts }) => counts.lists / pages);
  const others = west.counts.others + north.counts.others;
  progress(`a pass, ${NEW} new videos`);
  for (const region of [west, north]) region.reset();
  for (let number = 0; number < NEW; number += 1) west.publish(videos + number);
  const changed = await pass(config);
  const more = west.counts.others + north.counts.others;
  const moreLists = [west, north].map(({ counts }) => counts.lists / Math.ceil((videos + NEW) / PAGE_SIZE));
  const figures: Figure[] = [
    { name: "unchanged: list pages per page of assets", value: Math.max(...lists), unit: "pages" },
    { name: "unchanged: other calls per asset", value: others / videos, unit: "calls" },
    { name: "unchanged: peak RSS", value: unchanged.peakMiB, unit: "MiB" },
    { name: "unchanged: time", value: unchanged.seconds, unit: "s" },
    { name: `${NEW} new: list pages per page of assets`, value: Math.max(...moreLists), unit: "pages" },
    { name: `${NEW} new: other calls per new asset`, value: more / NEW, unit: "calls" },
    { name: `${NEW} new: peak RSS`, value: changed.peakMiB, unit: "MiB" },
  ];
  const notes = [
    `${videos} assets with a locator each in both regions, pages of ${PAGE_SIZE}; each figure of pages is the greater of the two regions'`,
    "the new locators' assets have no files, so that looking at them is all that is done; 286 MiB are 300 MB",
  ];
  return { versions: versionsOf([]).versions, figures, notes };
});

function configuration(regions: readonly LibraryRegion[], path: string): object {
  return {
    regions: regions.map(({ name, endpoint }, at) => ({
      name,
      // Nobody listens there, and nobody is asked.
      streaming: `http://127.0.0.1:${at + 1}`,
      account: {
        driver: "ams",
        endpoint,
        subscriptionId: SUBSCRIPTION,
        resourceGroup: RESOURCE_GROUP,
        accountName: `${name}media`,
        credential: { kind: "api-key", apiKey: API_KEY },
      },
    })),
    state: { path },
    log: { level: "error" },
  };
}

/** Runs the command to its end. Its peak is read while it runs: the kernel keeps the highest. */
async function pass(config: string): Promise<Run> {
  const start = performance.now();
  let peakMiB = 0;
  const args = ["--min-semi-space-size=4", MAIN, "replicate", "--changed", "--json", "--config", config];
  const ended = Promise.withResolvers<string>();
  const child = execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
    // Exit status 1: jobs failed, which the summary counts.
    if (stdout === "") ended.reject(error ?? new Error(stderr));
    else ended.resolve(stdout);
  });
  const over = new AbortController();
  const finished = (): void => {
    over.abort();
  };
  ended.promise.then(finished, finished);
  while (!over.signal.aborted) {
    peakMiB = Math.max(peakMiB, peakOf(child.pid ?? 0));
    await delay(50, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return { summary: JSON.parse(await ended.promise) as Run["summary"], seconds: (performance.now() - start) / 1000, peakMiB };
}

/** 0 once the process has ended. */
function peakOf(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** A pass that saw another library than it should has measured nothing. */
function check({ summary }: Run, videos: number): void {
  const { assets, changed, failed, results } = summary;
  if (assets !== videos || changed !== 0 || failed !== 0 || results.length > 0)
    throw new Error(`the pass found ${assets} assets of ${videos}, ${changed} changed and ${failed} failed`);
}
