/** How files come to be replaced: written in place, by rename, and by the link that Kubernetes exchanges. */
import { watch as watchFolder } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileWatch } from "../../src/core/config/watch.ts";
import { ManualClock } from "../fakes/clock.ts";
import { within } from "../harness/wait.ts";

const SETTLE_MS = 30;

let folder: string;
let changes: number;
let problems: string[];
let clock: ManualClock;
let watch: FileWatch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paircast-watch-"));
  changes = 0;
  problems = [];
  clock = new ManualClock();
  watch = new FileWatch({
    clock,
    settleMs: SETTLE_MS,
    onChange: () => (changes += 1),
    onProblem: (place) => problems.push(place),
  });
});

afterEach(async () => {
  watch[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Resolves when all that has happened in these folders has been told to who watches them: events come in order. */
async function told(...places: readonly string[]): Promise<void> {
  for (const place of places) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = watchFolder(place, (_event, name) => {
      if (name === "the end") resolve();
    });
    await writeFile(join(place, "the end"), "");
    await within(20_000, `the events of ${place}`, promise);
    watcher.close();
    await rm(join(place, "the end"));
  }
}

/** Things settle; no time passes otherwise. */
async function settled(...places: readonly string[]): Promise<number> {
  await told(...places);
  await clock.advance(SETTLE_MS);
  return changes;
}

it("sees a file that is written, and one that is put in its place; not what lies beside it", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  watch.follow([file]);
  await writeFile(join(folder, "state.db"), "x");
  expect(await settled(folder)).toBe(0);
  await writeFile(file, "2");
  expect(await settled(folder)).toBe(1);
  await writeFile(join(folder, "new"), "3");
  expect(await settled(folder)).toBe(1);
  await rename(join(folder, "new"), file);
  expect(await settled(folder)).toBe(2);
});

it("takes many events that come together for one", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  watch.follow([file]);
  for (let write = 0; write < 20; write += 1) {
    await writeFile(file, String(write));
    await told(folder);
    await clock.advance(SETTLE_MS - 1);
  }
  expect(changes).toBe(0);
  expect(await settled(folder)).toBe(1);
  await writeFile(file, "last");
  expect(await settled(folder)).toBe(2);
});

it("sees the exchange of a link behind the file's own", async () => {
  await mkdir(join(folder, "..one"));
  await mkdir(join(folder, "..two"));
  await writeFile(join(folder, "..one/a.yaml"), "1");
  await writeFile(join(folder, "..two/a.yaml"), "2");
  await symlink("..one", join(folder, "..data"));
  await symlink("..data/a.yaml", join(folder, "a.yaml"));
  watch.follow([join(folder, "a.yaml")]);
  await symlink("..two", join(folder, "..new"));
  await rename(join(folder, "..new"), join(folder, "..data"));
  expect(await settled(folder)).toBe(1);
});

it("follows other files when told to, and says what cannot be watched", async () => {
  const [first, second] = [join(folder, "one/a.yaml"), join(folder, "two/b.yaml")];
  await mkdir(join(folder, "one"));
  await mkdir(join(folder, "two"));
  watch.follow([first, join(folder, "nowhere/c.yaml")]);
  expect(problems).toEqual([join(folder, "nowhere")]);
  watch.follow([second]);
  await writeFile(first, "1");
  expect(await settled(join(folder, "one"))).toBe(0);
  await writeFile(second, "1");
  expect(await settled(join(folder, "two"))).toBe(1);
});
