/** In processes of their own: what is set here is set for good. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const HEAP = new URL("../../src/commands/heap.ts", import.meta.url).href;
const MIB = 1024 * 1024;

const script = (before: string): string => `
  import { getHeapSpaceStatistics } from "node:v8";
  import { collectEarly } from ${JSON.stringify(HEAP)};
  ${before}
  let last = [];
  let most = 0;
  for (let round = 0; round < 300; round += 1) {
    last = Array.from({ length: 5_000 }, (_, at) => ({ round, at, more: [at] }));
    most = Math.max(most, getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);
  }
  console.log(JSON.stringify({ most, last: last.length }));
`;

async function largest(before: string, flags: readonly string[] = []): Promise<number> {
  const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "--eval", script(before)]);
  return (JSON.parse(stdout) as { most: number }).most;
}

it("new objects have eight MiB at most, with whatever flags node was started, where V8 would take more", async () => {
  expect(await largest("")).toBeGreaterThan(8 * MIB);
  for (const flags of [[], ["--min-semi-space-size=4"]]) {
    const most = await largest("collectEarly();", flags);
    expect(most).toBeGreaterThan(4 * MIB);
    expect(most).toBeLessThanOrEqual(8 * MIB);
  }
});
