/** `npm run test:crash` in small: real processes, killed at a seeded choice of places, continued by others. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { crash, reference, startStage, type Stage } from "../crash/crash.ts";
import type { CrashPoint, CrashRun } from "../crash/plan.ts";

let stage: Stage;
let expected: Awaited<ReturnType<typeof reference>>;
const compileCache = mkdtempSync(join(tmpdir(), "paircast-compiled-"));

beforeAll(async () => {
  stage = await startStage({ assets: 1, large: 9 * 1024 * 1024, compileCache });
  expected = await reference(stage, 1);
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  rmSync(compileCache, { recursive: true, force: true });
});

const POINTS: readonly CrashPoint[] = [
  { kind: "after", operation: "storage north PUT blob block", nth: 1 },
  { kind: "after", operation: "management north PUT streamingLocators/*", nth: 1 },
];

it.each(POINTS)("killed $kind $operation, another process goes on as if nothing had happened", async (first) => {
  const run: CrashRun = { name: "1", first, second: null, concurrency: 1, waits: false };
  const { killed, differing, copiedTwice, unverifiedVisible, secrets, checks } = await crash(stage, run, expected.end);
  expect(killed).toBe(true);
  expect({ differing, copiedTwice, unverifiedVisible, secrets }).toEqual({
    differing: [],
    copiedTwice: [],
    unverifiedVisible: [],
    secrets: [],
  });
  expect(checks).toBeGreaterThan(0);
});

it("notices an end that is other", async () => {
  const container = stage.regions.target.blobs.getContainerClient("asset-video-01");
  await container.getBlockBlobClient("video.mp4").upload("other", 5);
  const target = await stage.truth.account(stage.regions.target);
  expect(target.blobs).not.toEqual((expected.end as { target: { blobs: unknown } }).target.blobs);
});
