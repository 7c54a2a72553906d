/** How files come to be replaced: written in place, by rename, and by the link that Kubernetes exchanges. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { FileWatch } from "../../src/core/config/watch.ts";
import { eventually } from "../harness/wait.ts";

let folder: string;
let changes: number;
let problems: string[];
let watch: FileWatch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paircast-watch-"));
  changes = 0;
  problems = [];
  watch = new FileWatch({
    clock: systemClock,
    settleMs: 30,
    onChange: () => (changes += 1),
    onProblem: (place) => problems.push(place),
  });
});

afterEach(async () => {
  watch[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

async function changed(count: number): Promise<void> {
  await eventually(5_000, `change ${count} to be seen`, async () => Promise.resolve(changes >= count ? true : null));
}

it("sees a file that is written, and one that is put in its place; not what lies beside it", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  watch.follow([file]);
  await writeFile(join(folder, "state.db"), "x");
  await writeFile(file, "2");
  await changed(1);
  await writeFile(join(folder, "new"), "3");
  await rename(join(folder, "new"), file);
  await changed(2);
  // Whatever the file beside it could have set off has been set off by now.
  expect(changes).toBe(2);
});

it("takes many events that come together for one", async () => {
  const file = join(folder, "a.yaml");
  await writeFile(file, "1");
  watch.follow([file]);
  for (let write = 0; write < 20; write += 1) await writeFile(file, String(write));
  await changed(1);
  await writeFile(file, "last");
  await changed(2);
  expect(changes).toBe(2);
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
  await changed(1);
});

it("follows other files when told to, and says what cannot be watched", async () => {
  const [first, second] = [join(folder, "one/a.yaml"), join(folder, "two/b.yaml")];
  await mkdir(join(folder, "one"));
  await mkdir(join(folder, "two"));
  watch.follow([first, join(folder, "nowhere/c.yaml")]);
  expect(problems).toEqual([join(folder, "nowhere")]);
  watch.follow([second]);
  await writeFile(first, "1");
  await writeFile(second, "1");
  await changed(1);
  expect(changes).toBe(1);
});
