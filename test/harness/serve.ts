/** Runs `paircast serve` as a person would, in a process of its own and a folder of its own. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { startRunning, stopRunning, type CommandProcess, type Running } from "./command.ts";
import { eventually } from "./wait.ts";

const READY_MS = 90_000;

interface Ready {
  readonly gateway: string;
  readonly admin: string;
}

/** A folder that holds a configuration and the state beside it. */
export class ServeFolder implements AsyncDisposable {
  readonly path: string;
  /** What the configuration takes from the environment. */
  readonly env: Readonly<Record<string, string>>;

  private constructor(path: string, env: Readonly<Record<string, string>>) {
    this.path = path;
    this.env = env;
  }

  static async create(env: Readonly<Record<string, string>> = {}): Promise<ServeFolder> {
    return new ServeFolder(await mkdtemp(join(tmpdir(), "paircast-serve-")), env);
  }

  get config(): string {
    return join(this.path, "paircast.yaml");
  }

  /** In one step: who watches the folder never sees half of a file. */
  async write(text: string, name = "paircast.yaml"): Promise<void> {
    const path = join(this.path, name);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export class ServeProcess implements AsyncDisposable {
  readonly gateway: string;
  readonly admin: string;
  readonly child: CommandProcess;
  readonly #log: readonly string[];

  private constructor({ child, ready, log }: Running<Ready>) {
    this.child = child;
    this.gateway = ready.gateway;
    this.admin = ready.admin;
    this.#log = log;
  }

  /** Resolves when it listens; rejects with what it wrote when it ends before. */
  static async start({ path, env }: ServeFolder, ...options: string[]): Promise<ServeProcess> {
    const command = ["serve", "--json", "--config", "paircast.yaml", ...options];
    return new ServeProcess(await startRunning(command, READY_MS, { cwd: path, env }));
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
    const seen = await eventually(30_000, `${count} × ${event} in the log`, async () => {
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

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    return stopRunning(this.child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
