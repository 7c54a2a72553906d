/** Who copies: paircast, the plainest loop over the SDK, rclone. Each in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../../src/core/clock.ts";
import type { Cost } from "./copier.ts";

const run = promisify(execFile);
const COPIER = new URL("copier.ts", import.meta.url).pathname;
const LIMIT = { timeout: 3_600_000, maxBuffer: 16 * 1024 * 1024 };
/** As many as paircast has under way. */
const TRANSFERS = "16";

export interface Copier {
  readonly name: string;
  /** `url` is the account's, with a SAS. CPU time and memory are those of the copying process. */
  copy(url: string, from: string, to: string): Promise<Cost>;
}

export const paircast: Copier = { name: "paircast", copy: async (...of) => inNode("paircast", ...of) };
export const plainLoop: Copier = { name: "plain loop", copy: async (...of) => inNode("loop", ...of) };

async function inNode(who: string, url: string, from: string, to: string): Promise<Cost> {
  await using directory = await scratch();
  const { stdout } = await run(process.execPath, [COPIER, who, url, from, to, join(directory.path, "journal.db")], LIMIT);
  return JSON.parse(stdout) as Cost;
}

/** With an account SAS rclone takes the address as it is; it copies inside the service, as both containers are of one account. */
export const rclone: Copier = {
  name: "rclone",
  copy: async (url, from, to) => {
    await using directory = await scratch();
    const config = join(directory.path, "rclone.conf");
    await writeFile(config, `[bench]\ntype = azureblob\nsas_url = ${url}\n`);
    const options = ["--config", config, "--transfers", TRANSFERS, "--checkers", TRANSFERS, "--retries", "1", "--quiet"];
    const began = systemClock.monotonic();
    const report = join(directory.path, "usage");
    await run(
      "/bin/sh",
      ["-c", `rclone "$@"; code=$?; times > ${report}; exit $code`, "rclone", ...options, "copy", `bench:${from}`, `bench:${to}`],
      LIMIT,
    );
    const seconds = (systemClock.monotonic() - began) / 1000;
    return { seconds, cpuMs: await childTimes(report), peakMiB: Number.NaN };
  },
};

/** The second line of the shell's `times`: user and system time of what it ran. */
async function childTimes(report: string): Promise<number> {
  const { stdout } = await run("sed", ["-n", "2p", report]);
  return [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "paircast-bench-copy-"));
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) };
}
