import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { withProgress } from "../../src/commands/progress.ts";
import { barText } from "../../src/commands/progressBars.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import type { ProgressEvent } from "../../src/replicator/progress.ts";
import { ManualClock } from "../fakes/clock.ts";

const JOB = { source: "west", target: "north", assetName: "intro" } as const;
const EVENTS: readonly ProgressEvent[] = [
  { ...JOB, type: "found" },
  { ...JOB, type: "planned", blobs: 2, bytes: 3_000_000 },
  { ...JOB, type: "copied", bytes: 1_000_000 },
  { ...JOB, type: "copied", bytes: 2_000_000 },
  { ...JOB, type: "done", result: "changed" },
];

/** A terminal that keeps what is written to it. */
class Screen extends PassThrough {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows = 24;
  text = "";

  constructor() {
    super();
    this.on("data", (chunk: Buffer) => {
      this.text += chunk.toString();
    });
  }

  cursorTo(): boolean {
    return true;
  }

  moveCursor(): boolean {
    return true;
  }

  clearLine(): boolean {
    return true;
  }
}

function terminalOf(screen: Screen | null): { readonly terminal: Terminal; readonly noted: string[]; readonly printed: string[] } {
  const [noted, printed]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    version: "0",
    stop: new AbortController().signal,
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
    ...(screen === null ? {} : { screen: screen as unknown as NodeJS.WriteStream }),
  };
  return { terminal, noted, printed };
}

describe("progress on a terminal", () => {
  it("is a bar for each target with assets, bytes, rate and time left", () => {
    const progress = { target: "north", found: 40, done: 10, wrong: 1, plannedBytes: 3_400_000_000, copiedBytes: 1_200_000_000 };
    expect(barText({ ...progress, share: 0.25, rate: 45_000_000, leftMs: 125_000 })).toBe(
      "north            ██████░░░░░░░░░░░░░░░░░░ 10/40 assets  1.2 GB of 3.4 GB  45.0 MB/s  2 min 5 s left  1 problem",
    );
    expect(barText({ ...progress, wrong: 0, done: 40, share: 1, plannedBytes: 0, rate: 0, leftMs: 0 })).toBe(
      "north            ████████████████████████ 40/40 assets",
    );
  });

  it("shows what is wrong above the bars, ends with the last figures, and gives the terminal back as it was", async () => {
    const screen = new Screen();
    const { terminal, noted, printed } = terminalOf(screen);
    const listeners = process.listenerCount("exit");
    await withProgress(terminal, { json: false, clock: new ManualClock(), level: "info" }, async ({ sink, logger }) => {
      for (const event of EVENTS) sink(event);
      logger.info("replication.done", { asset: "intro" });
      logger.warn("replication.note_of_harm", { asset: "intro" });
      await Promise.resolve();
    });
    const shown = stripVTControlCharacters(screen.text);
    expect(shown).toContain("replication.note_of_harm");
    expect(shown).not.toContain("replication.done");
    expect(shown.trimEnd().split("\n").at(-1)).toMatch(/north +█{24} 1\/1 assets {2}3\.0 MB of 3\.0 MB/);
    expect(screen.text.endsWith("\n")).toBe(true);
    // Line wrapping: switched off while the bars are drawn, and on again.
    expect(screen.text.lastIndexOf("\u001B[?7h")).toBeGreaterThan(screen.text.lastIndexOf("\u001B[?7l"));
    expect([noted, printed]).toEqual([[], []]);
    expect(process.listenerCount("exit")).toBe(listeners);
  });

  it("gives it back also where the work fails", async () => {
    const screen = new Screen();
    const failing = withProgress(
      terminalOf(screen).terminal,
      { json: false, clock: new ManualClock(), level: "info" },
      async ({ sink }) => {
        for (const event of EVENTS.slice(0, 2)) sink(event);
        await Promise.reject(new Error("broken"));
      },
    );
    await expect(failing).rejects.toThrow("broken");
    expect(screen.text.lastIndexOf("\u001B[?7h")).toBeGreaterThan(screen.text.lastIndexOf("\u001B[?7l"));
  });
});

describe("progress elsewhere", () => {
  it.each([
    ["without a terminal", null, false],
    ["with --json", new Screen(), true],
  ])("%s: JSON lines on standard error, each event with the same fields", async (_, screen, json) => {
    const { terminal, noted, printed } = terminalOf(screen);
    await withProgress(terminal, { json, clock: new ManualClock(), level: "info" }, async ({ sink }) => {
      for (const event of EVENTS) sink(event);
      sink({ ...JOB, type: "done", assetName: "old", result: "unchanged" });
      await Promise.resolve();
    });
    const lines = noted.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event }) => event)).toEqual(["progress.planned", "progress.copied", "progress.done", "progress.end"]);
    expect(lines[0]).toMatchObject({ level: "info", source: "west", target: "north", asset: "intro", blobs: 2, bytes: 3_000_000 });
    const same = ["found", "done", "wrong", "plannedBytes", "copiedBytes", "bytesPerSecond", "leftMs", "time"];
    for (const line of lines) expect(Object.keys(line)).toEqual(expect.arrayContaining(same));
    expect(lines.at(-1)).toMatchObject({ target: "north", done: 2, wrong: 0, copiedBytes: 3_000_000 });
    expect(printed).toEqual([]);
    expect(screen?.text ?? "").toBe("");
  });
});
