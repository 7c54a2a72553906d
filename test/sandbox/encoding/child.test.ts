import { describe, expect, it } from "vitest";
import { runChild, type ChildOptions } from "../../../src/sandbox/encoding/child.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { eventually, within } from "../../harness/wait.ts";

const LONG = "console.log(process.pid); setInterval(() => {}, 1000)";

function options(script: string, wanted: Partial<ChildOptions> = {}): ChildOptions & { readonly lines: string[] } {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const never = new AbortController().signal;
  return { program: process.execPath, args: ["-e", script], timeoutMs: 60_000, signal: never, clock: systemClock, line, lines, ...wanted };
}

const started = async ({ lines }: { readonly lines: readonly string[] }): Promise<number> =>
  (await eventually(20_000, "the program to start", async () => Promise.resolve(lines[0] === undefined ? null : Number(lines[0])))).value;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a program", () => {
  it("is heard line by line, to its end", async () => {
    const run = options("console.log('one'); console.log('two')");
    await runChild(run);
    expect(run.lines).toEqual(["one", "two"]);
  });

  it("fails with its last words", async () => {
    const run = options("for (const n of [1, 2, 3, 4, 5, 6]) console.error('word ' + n); process.exit(3)");
    const message = expect.stringMatching(/ended with 3: word 2 \| word 3 \| word 4 \| word 5 \| word 6$/) as string;
    await expect(runChild(run)).rejects.toMatchObject({ code: "program_failed", message });
  });

  it("that is not there is said to be missing", async () => {
    await expect(runChild(options("", { program: "/nowhere/ffmpeg" }))).rejects.toMatchObject({ code: "program_missing" });
  });

  it("is gone when its signal has aborted", async () => {
    const stop = new AbortController();
    const run = options(LONG, { signal: stop.signal });
    const running = runChild(run);
    const pid = await started(run);
    stop.abort(new Error("canceled"));
    await expect(within(20_000, "the end", running)).rejects.toThrow("canceled");
    expect(isAlive(pid)).toBe(false);
  });

  it("is gone when its time is up", async () => {
    const clock = new ManualClock();
    const run = options(LONG, { clock, timeoutMs: 1000 });
    const running = runChild(run);
    running.catch(() => undefined);
    const pid = await started(run);
    await clock.advance(1000);
    await expect(within(20_000, "the end", running)).rejects.toMatchObject({ code: "program_timeout" });
    expect(isAlive(pid)).toBe(false);
  });
});
