/** A smoke of the players' matrix (`npm run test:players`): viewers who are already watching keep watching when their region is lost. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { within } from "../harness/wait.ts";
import { runBatch, type CellResult } from "../players/batch.ts";
import { Lab } from "../players/lab.ts";
import { cellName, type Cell } from "../players/matrix.ts";

const executable = findChromium();
if (executable === null) console.warn(`browser tests are skipped: ${HOW_TO_GET_CHROMIUM}`);

const CLEAR_VOD = { story: "loss", content: "vod", protection: "clear", steering: null, buffer: 6, kit: true } as const;

/** Two viewers at a time, who lose their region together. */
const PAIRS: readonly (readonly Cell[])[] = [
  [
    { ...CLEAR_VOD, player: "hls.js", mode: "steer", fault: "refused" },
    { ...CLEAR_VOD, player: "shaka-hls", mode: "steer", fault: "refused" },
  ],
  [
    { ...CLEAR_VOD, player: "shaka-dash", mode: "steer", fault: "refused" },
    { ...CLEAR_VOD, player: "dash.js", mode: "steer", fault: "refused" },
  ],
  [
    { ...CLEAR_VOD, player: "video.js", mode: "steer", fault: "refused" },
    { ...CLEAR_VOD, player: "hls.js", mode: "anchor", fault: "refused" },
  ],
  [{ ...CLEAR_VOD, player: "hls.js", mode: "steer", fault: "blackhole" }],
  [{ ...CLEAR_VOD, player: "shaka-hls", mode: "anchor", fault: "503" }],
];

const OPTIONS = { lead: 3, beyond: 9 };
const BATCH_MS = 150_000;
/** For machines that do other things, too, and stand still meanwhile; the figures proper are the command's. */
const STALL_MS = 6_000;

describe.skipIf(executable === null)("viewers who lose their region", () => {
  const stack = new AsyncDisposableStack();
  let lab: Lab;
  let browser: Browser;

  beforeAll(async () => {
    lab = stack.use(await Lab.start("5s"));
    browser = stack.adopt(await launchChromium(String(executable)), async (each) => each.close());
  });
  afterAll(async () => stack.disposeAsync());

  it.each(PAIRS.map((cells) => ({ name: cells.map(cellName).join(" and "), cells })))("$name", async ({ cells }) => {
    const results = await within(BATCH_MS, "the viewers' outcomes", runBatch(lab, browser, cells, OPTIONS));
    for (const result of results) expectGoesOn(result);
    expect(results).toHaveLength(cells.length);
  });

  function expectGoesOn({ cell, outcome }: CellResult): void {
    const told = `${cellName(cell)}: ${JSON.stringify(outcome)}`;
    expect(outcome.startMs, told).not.toBeNull();
    expect(outcome.playing, told).toBe(true);
    expect(outcome.firstFromBMs, told).not.toBeNull();
    expect(outcome.longestStallMs, told).toBeLessThanOrEqual(STALL_MS);
    expect(outcome.fatal, told).toBeNull();
  }
});
