/** Runs `paircast serve` as a person would, in a process of its own and a folder of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { request } from "undici";
import { eventually, within } from "./wait.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

/** A folder that holds a configuration and the state beside it. */
export class ServeFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<ServeFolder> {
    return new ServeFolder(await mkdtemp(join(tmpdir(), "paircast-serve-")));
  }

  get config(): string {
    return join(this.path, "paircast.yaml");
  }

  async write(text: string, name = "paircast.yaml"): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export class ServeProcess implements AsyncDisposable {
  readonly gateway: string;
  readonly admin: string;
  readonly child: ChildProcess;
  readonly #log: string[];

  private constructor(child: ChildProcess, ready: { gateway: string; admin: string }, log: string[]) {
    this.child = child;
    this.gateway = ready.gateway;
    this.admin = ready.admin;
    this.#log = log;
  }

  /** Resolves when it listens; rejects with what it wrote when it ends before. */
  static async start(folder: ServeFolder, ...options: string[]): Promise<ServeProcess> {
    const child = spawn(process.execPath, [main, "serve", "--json", "--config", "paircast.yaml", ...options], {
      cwd: folder.path,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, "close").then(([code]) => {
      throw new Error(`serve ended with ${String(code)}:\n${log.join("\n")}`);
    });
    ended.catch(() => undefined);
    const line = Promise.race([once(lines, "line"), ended]);
    const [ready] = await within(30_000, "serve to listen", line).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw error;
    });
    return new ServeProcess(child, JSON.parse(String(ready)) as { gateway: string; admin: string }, log);
  }

  /** Lines of its log with this event. */
  events(event: string): Record<string, unknown>[] {
    return this.#log
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line["event"] === event);
  }

  get text(): string {
    return this.#log.join("\n");
  }

  /** Waits until `count` lines with this event have been written. */
  async logged(event: string, count = 1): Promise<Record<string, unknown>[]> {
    const seen = await eventually(10_000, `${count} × ${event} in the log`, async () => {
      const lines = this.events(event);
      return Promise.resolve(lines.length >= count ? lines : null);
    });
    return seen.value;
  }

  /** The value of one series, as it is exposed; null where it is not. */
  async metric(series: string, headers: Readonly<Record<string, string>> = {}): Promise<number | null> {
    const answer = await request(`${this.admin}/metrics`, { headers: { connection: "close", ...headers } });
    const line = (await answer.body.text()).split("\n").find((each) => each.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length + 1));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await within(15_000, "serve to stop", exited);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } catch (error) {
      this.child.kill("SIGKILL");
      throw error;
    }
  }
}
