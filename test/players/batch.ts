/** Plays the cells of a batch side by side, takes region A from all of them at the same moment, and watches what becomes of them. */
import { setTimeout as delay } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { Lab } from "./lab.ts";
import type { Cell } from "./matrix.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import type { Sample } from "./page/types.d.ts";
import { epochNow, Viewer } from "./viewer.ts";

export interface BatchOptions {
  /** Seconds from the first picture to the loss of the region. */
  readonly lead: number;
  /** Seconds that are watched after the loss, beyond the length of the buffer. */
  readonly beyond: number;
}

export interface CellResult {
  readonly cell: Cell;
  readonly outcome: Outcome;
  /** Story `return`: from the region's return to the first media segment from it; null: it did not come back, or nobody waited for it. */
  readonly backMs: number | null;
}

const START_MS = 25_000;
const FULL_MS = 15_000;
const POLL_MS = 250;

export async function runBatch(lab: Lab, browser: Browser, cells: readonly Cell[], options: BatchOptions): Promise<CellResult[]> {
  await using stack = new AsyncDisposableStack();
  const viewers: Viewer[] = [];
  for (const cell of cells) viewers.push(stack.use(await Viewer.open(browser, lab, cell)));
  const [story] = cells.map((cell) => cell.story);
  const fault = cells[0]?.fault;
  if (fault === undefined) return [];
  // One after the other: the time that it takes to start is measured.
  for (const viewer of viewers) await started(viewer);
  await delay((options.lead * 1000) / 2);
  for (const viewer of viewers) if (viewer.cell.steering === "dies") viewer.endSteering();
  await delay((options.lead * 1000) / 2);
  await Promise.all(viewers.map(full));
  const ahead = await Promise.all(viewers.map(async (viewer) => (await viewer.now()).sample?.ahead ?? 0));
  const lostAt = epochNow();
  await lab.loseRegionA(fault);
  stack.defer(async () => lab.returnRegionA());
  await Promise.all(viewers.map(async (viewer, at) => watched(viewer, { lostAt, ahead: ahead[at] ?? 0, beyond: options.beyond })));
  const returnedAt = story === "return" ? await returned(lab, viewers) : null;
  return await Promise.all(viewers.map(async (viewer) => resultOf(viewer, lostAt, returnedAt)));
}

async function resultOf(viewer: Viewer, lostAt: number, returnedAt: number | null): Promise<CellResult> {
  const fromB = viewer.served.filter(({ region }) => region === "b").map(({ at }) => at);
  const back = returnedAt === null ? undefined : viewer.served.find(({ region, at }) => region === "a" && at >= returnedAt);
  return {
    cell: viewer.cell,
    outcome: outcomeOf(await viewer.recording(), { at: lostAt, fromB }),
    backMs: back === undefined || returnedAt === null ? null : back.at - returnedAt,
  };
}

/** Resolves when the first picture is there, or when that has taken too long. */
async function started(viewer: Viewer): Promise<void> {
  await viewer.play();
  await until(START_MS, async () => {
    const { startedAt, fatal } = await viewer.now();
    return startedAt !== null || fatal;
  });
}

/** Resolves when the player has as much ahead as it was told to keep, or seems to have all it wants. */
async function full(viewer: Viewer): Promise<void> {
  const { buffer, content } = viewer.cell;
  // A segment of 2 s may just have been played; a live channel has no more than its window.
  const wanted = content === "live" ? 0 : buffer - 2.5;
  await until(FULL_MS, async () => ((await viewer.now()).sample?.ahead ?? 0) >= wanted);
}

interface Watch {
  readonly lostAt: number;
  /** Seconds of media from before the loss. */
  readonly ahead: number;
  readonly beyond: number;
}

const STEADY_MS = 4_000;
const GIVEN_UP_MS = 8_000;
/** From here on a buffer is not played to its end: that it is full again with media of region B is enough. */
const LONG_BUFFER_S = 20;
const SEGMENT_S = 2.5;

/**
 * Resolves when nothing more can happen: playback goes on from region B and what was buffered before the loss has long been played (or the
 * buffer is full again), the video has ended, the player has given up, or the time is over.
 */
async function watched(viewer: Viewer, { lostAt, ahead, beyond }: Watch): Promise<void> {
  const steadiness = new Steadiness(lostAt);
  const full = (sample: Sample): boolean => viewer.cell.buffer >= LONG_BUFFER_S && sample.ahead >= ahead - SEGMENT_S;
  const over = (sample: Sample): boolean => sample.at - lostAt > ahead * 1000 + STEADY_MS || full(sample);
  await until((viewer.cell.buffer + beyond) * 1000, async () => {
    const { sample, fatal } = await viewer.now();
    if (sample === null || sample.ended) return true;
    const { stillMs, steadyMs } = steadiness.look(sample);
    if (fatal && !viewer.cell.kit && stillMs > GIVEN_UP_MS) return true;
    const onward = viewer.served.some(({ region, at }) => region === "b" && at > lostAt);
    return onward && steadyMs > STEADY_MS && sample.ahead > 1 && over(sample);
  });
}

/** For how long the position has been standing still, or moving without a halt. */
class Steadiness {
  #since: number;
  #last: Sample | null = null;

  constructor(from: number) {
    this.#since = from;
  }

  look(sample: Sample): { readonly stillMs: number; readonly steadyMs: number } {
    const step = this.#last === null ? 0.1 : sample.position - this.#last.position;
    if (step > 0 && step < 2) this.#last = sample;
    const stillMs = sample.at - (this.#last ?? sample).at;
    if (stillMs > 2 * POLL_MS) this.#since = sample.at;
    return { stillMs, steadyMs: sample.at - this.#since };
  }
}

/** Without the kit, Shaka bans a host for 60 s; then it may still have to hear of it, and to want a segment. */
const RETURN_MS = 75_000;

/** Resolves with the time at which the gateway preferred region A again, when every viewer loads from it again or has had time enough. */
async function returned(lab: Lab, viewers: readonly Viewer[]): Promise<number> {
  await lab.returnRegionA();
  const at = epochNow();
  await until(RETURN_MS, async () =>
    Promise.resolve(viewers.every(({ served }) => served.some((each) => each.region === "a" && each.at >= at))),
  );
  return at;
}

async function until(ms: number, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end && !(await done())) await delay(POLL_MS);
}
