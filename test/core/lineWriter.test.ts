import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LineWriter } from "../../src/core/lineWriter.ts";
import { eventually } from "../harness/wait.ts";
import { ManualClock } from "../gateway/world.ts";

let directory = "";
let file = "";
let fd = -1;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "paircast-lines-"));
  file = join(directory, "log");
  fd = openSync(file, "a");
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

const content = (): string => readFileSync(file, "utf8");

async function written(text: string): Promise<void> {
  await eventually(20_000, "the lines to be written", () => Promise.resolve(content() === text ? true : null));
}

function writer(chunks = 4, chunkBytes = 100) {
  const clock = new ManualClock();
  return { clock, lines: new LineWriter({ fd, chunkBytes, chunks, clock }) };
}

test("lines wait for others a tenth of a second, and go out together in their order", async () => {
  const { clock, lines } = writer();
  lines.addAscii("one\n");
  lines.add("zwei ä\n");
  clock.advance(99);
  expect(content()).toBe("");
  clock.advance(1);
  await written("one\nzwei ä\n");
});

test("full chunks go out at once, and no line is cut", async () => {
  const { lines } = writer();
  const line = `${"x".repeat(39)}\n`;
  for (let count = 0; count < 5; count += 1) lines.addAscii(line);
  await written(line.repeat(4));
  lines.flush();
  await written(line.repeat(5));
});

test("a line longer than a chunk goes out whole, in its place", async () => {
  const { lines } = writer();
  const long = `${"ä".repeat(150)}\n`;
  lines.addAscii("first\n");
  lines.add(long);
  lines.addAscii("last\n");
  lines.flush();
  await written(`first\n${long}last\n`);
});

test("what finds no room is lost and counted, and there is room again when something was written", async () => {
  const { lines } = writer(2);
  const line = `${"y".repeat(59)}\n`;
  // The file is not written to before this turn is over.
  for (let count = 0; count < 5; count += 1) lines.addAscii(line);
  expect(lines.dropped).toBe(3);
  lines.flush();
  await written(line.repeat(2));
  lines.addAscii("again\n");
  lines.flush();
  await written(`${line.repeat(2)}again\n`);
  expect(lines.dropped).toBe(3);
});

test("what cannot be written is counted as lost", async () => {
  const broken = openSync(file, "r");
  const lines = new LineWriter({ fd: broken, chunkBytes: 100, chunks: 2, clock: new ManualClock() });
  lines.addAscii("one\n");
  lines.addAscii("two\n");
  lines.flush();
  await eventually(20_000, "the lines to be given up", () => Promise.resolve(lines.dropped === 2 ? true : null));
  closeSync(broken);
});

test("nothing is left behind when a process ends", () => {
  const script = `
    import { createLog } from ${JSON.stringify(new URL("../../src/core/log.ts", import.meta.url).href)};
    const log = createLog("info");
    for (let count = 0; count < 1000; count += 1) log.line('{"count":' + count + '}\\n');
    log.warn("last.words", { reason: "ä" });
    log.line("{}\\n");
    process.exit(3);`;
  let text = "";
  try {
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    text = String((error as { stderr?: unknown }).stderr);
  }
  const lines = text.trimEnd().split("\n");
  expect(lines).toHaveLength(1_002);
  expect(lines.slice(0, 3)).toEqual(['{"count":0}', '{"count":1}', '{"count":2}']);
  expect(lines.at(-2)).toContain('"reason":"ä","event":"last.words"');
  expect(lines.at(-1)).toBe("{}");
});
