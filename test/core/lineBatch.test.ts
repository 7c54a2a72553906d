import { expect, test } from "vitest";
import { LineBatch } from "../../src/core/lineBatch.ts";
import { ManualClock } from "../gateway/world.ts";

function batch() {
  const clock = new ManualClock();
  const chunks: string[] = [];
  return { clock, chunks, batch: new LineBatch((chunk) => chunks.push(Buffer.from(chunk).toString("latin1")), 65_536, clock) };
}

test("lines wait for others a tenth of a second, and go out together in their order", async () => {
  const { clock, chunks, batch: lines } = batch();
  lines.add("one\n");
  lines.add("two\n");
  clock.advance(99);
  await Promise.resolve();
  expect(chunks).toEqual([]);
  clock.advance(1);
  await Promise.resolve();
  await Promise.resolve();
  expect(chunks).toEqual(["one\ntwo\n"]);
});

test("a full chunk goes out at once, and no line is cut", () => {
  const { chunks, batch: lines } = batch();
  const line = `${"x".repeat(999)}\n`;
  for (let count = 0; count < 66; count += 1) lines.add(line);
  expect(chunks).toEqual([line.repeat(65)]);
  lines.flush();
  expect(chunks).toEqual([line.repeat(65), line]);
  lines.flush();
  expect(chunks).toHaveLength(2);
});

test("a line above the size of a chunk is a chunk of its own", () => {
  const { chunks, batch: lines } = batch();
  const long = `${"y".repeat(70_000)}\n`;
  lines.add("first\n");
  lines.add(long);
  lines.flush();
  expect(chunks).toEqual(["first\n", long]);
});
