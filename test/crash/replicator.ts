/** `paircast replicate` as a process of its own, to be killed. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Region } from "../faults/regions.ts";

const root = new URL("../../", import.meta.url);

export interface Ended {
  /** Null: it was killed. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

export interface Replicating {
  readonly kill: () => void;
  readonly ended: Promise<Ended>;
}

/** A folder with configuration and state, gone when it is disposed. */
export interface Home extends AsyncDisposable {
  readonly config: string;
  readonly state: string;
}

export async function makeHome(regions: readonly Region[], replication: Readonly<Record<string, number>>): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "paircast-crash-"));
  const state = join(folder, "paircast.db");
  const config = join(folder, "paircast.yaml");
  const settings = {
    regions: regions.map(({ name, urls, account: { apiKey, ...account } }) => ({
      name,
      streaming: urls.streaming,
      keys: urls.keys,
      account: { driver: "ams", ...account, credential: { kind: "api-key", apiKey } },
    })),
    replication,
    state: { path: state },
    log: { level: "info" },
  };
  await writeFile(config, JSON.stringify(settings), { mode: 0o600 });
  return { config, state, [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }) };
}

export function replicate({ config }: Home, compileCache: string): Replicating {
  const began = performance.now();
  const child: ChildProcess = spawn(process.execPath, ["src/main.ts", "replicate", "--config", config, "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  const [out, err] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  });
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    out: Buffer.concat(out ?? []).toString(),
    err: Buffer.concat(err ?? []).toString(),
    ms: performance.now() - began,
  }));
  return { kill: () => void child.kill("SIGKILL"), ended };
}

/** Hears of every change of the state file's log, which each commit makes one of. */
export function onWrites(state: string, heard: () => void): Disposable {
  const log = `${basename(state)}-wal`;
  const watcher = watch(dirname(state), (_event, name) => {
    if (name === log) heard();
  });
  return {
    [Symbol.dispose]: () => {
      watcher.close();
    },
  };
}
