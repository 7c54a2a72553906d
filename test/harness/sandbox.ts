/** Runs `paircast sandbox` as a person would, in a process of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { request } from "undici";
import { within } from "./wait.ts";

export interface SandboxReady {
  readonly gateway: string;
  readonly admin: string;
  readonly control: string;
  readonly regions: readonly {
    readonly name: string;
    readonly streaming: string;
    readonly keys: string;
    readonly management: string;
    readonly storage: string;
  }[];
  readonly videos: readonly SandboxVideo[];
  /** Configuration file of the running gateway. */
  readonly config: string;
}

export interface SandboxVideo {
  readonly name: string;
  readonly locatorId: string;
  readonly hls: string;
  readonly dash: string;
  readonly keyId: string | null;
  readonly token: string | null;
  readonly source: string;
}

const root = new URL("../../", import.meta.url);

export class SandboxProcess implements AsyncDisposable {
  readonly ready: SandboxReady;
  readonly child: ChildProcess;
  /** Everything it wrote to standard error: progress and log. */
  readonly log: string[];

  private constructor(child: ChildProcess, ready: SandboxReady, log: string[]) {
    this.child = child;
    this.ready = ready;
    this.log = log;
  }

  /** Resolves when it says that everything is ready. Free ports, so that runs do not meet. */
  static async start(...options: string[]): Promise<SandboxProcess> {
    const child = spawn(process.execPath, ["src/main.ts", "sandbox", "--json", "--port-base", "0", ...options], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the sandbox ended with ${String(code)}:\n${log.join("\n")}`);
    });
    const [line] = await within(60_000, "the sandbox to be ready", Promise.race([once(lines, "line"), ended])).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw new Error(`${String(error)}\n${log.join("\n")}`);
    });
    ended.catch(() => undefined);
    return new SandboxProcess(child, JSON.parse(String(line)) as SandboxReady, log);
  }

  region(name: string): SandboxReady["regions"][number] {
    const region = this.ready.regions.find((candidate) => candidate.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region;
  }

  video(name: string): SandboxVideo {
    const video = this.ready.videos.find((candidate) => candidate.name === name);
    if (video === undefined) throw new Error(`no video ${name}`);
    return video;
  }

  async breakRegion(name: string, fault: Readonly<Record<string, unknown>>): Promise<void> {
    await this.control("POST", `/regions/${name}/faults`, { service: "all", ...fault });
  }

  async mendRegion(name: string): Promise<void> {
    await this.control("DELETE", `/regions/${name}/faults`);
  }

  async control(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const answer = await request(`${this.ready.control}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return text === "" ? null : (JSON.parse(text) as unknown);
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exited = once(this.child, "exit");
    this.child.kill("SIGTERM");
    const [code] = await within(15_000, "the sandbox to stop", exited);
    return typeof code === "number" ? code : null;
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
