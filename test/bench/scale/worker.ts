/** `paircast replicate --follow` as a process of its own, which shares library and state with others. What it does is read from its log. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cpuMs } from "../process.ts";
import type { Scene } from "./scene.ts";

const MAIN = new URL("../../../src/main.ts", import.meta.url).pathname;
const STOP_MS = 10_000;
/** Assets at a time, of a worker for each target: so few that on two cores it waits for services and not for the processor. */
export const CONCURRENCY = 1;

/** A job that ended, or a word about why it did not. */
export interface Word {
  readonly event: string;
  readonly asset?: string;
  readonly source?: string;
  readonly target?: string;
  readonly error?: string;
}

export interface WorkerOptions {
  readonly name: string;
  /** Of tables and queue; those who have the same share the work. */
  readonly prefix: string;
  readonly folder: string;
  readonly heard: (word: Word) => void;
}

export class BenchWorker implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(scene: Scene, { name, prefix, folder, heard }: WorkerOptions): Promise<BenchWorker> {
    const config = join(folder, `${prefix}-${name}.yaml`);
    await writeFile(config, JSON.stringify(await configuration(scene, name, prefix)), { mode: 0o600 });
    const args = ["--min-semi-space-size=4", MAIN, "replicate", "--follow", "--json", "--config", config];
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") };
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    let last = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      last = line;
      heard(wordOf(line));
    });
    child.once("close", (code, signal) => {
      if (code !== 0) heard({ event: "bench.worker_ended", error: `${name} ended with ${code ?? signal}: ${last}` });
    });
    return new BenchWorker(child);
  }

  get cpuMs(): number {
    return cpuMs(this.#child.pid ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(late);
  }
}

/** What is no JSON comes from Node itself. */
function wordOf(line: string): Word {
  try {
    return JSON.parse(line) as Word;
  } catch {
    return { event: "bench.said", error: line };
  }
}

async function configuration(scene: Scene, name: string, prefix: string): Promise<object> {
  const { tables, queues } = await scene.door(name);
  const { credential, regions } = scene;
  return {
    regions: [regions.source, regions.target].map(({ name: region, urls, account: { apiKey, ...account } }) => ({
      name: region,
      streaming: urls.streaming,
      keys: urls.keys,
      account: { driver: "ams", ...account, credential: { kind: "api-key", apiKey } },
    })),
    replication: { sources: [regions.source.name], interval: "1s", concurrency: CONCURRENCY },
    state: { tables: { url: tables, prefix, credential }, queues: { url: queues, prefix, credential } },
    log: { level: "info" },
  };
}
