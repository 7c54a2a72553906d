/** Runs `paircast sandbox` as a person would, in a process of its own. */
import { request } from "undici";
import { startRunning, stopRunning, type CommandProcess, type Running } from "./command.ts";

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

const READY_MS = 150_000;

export class SandboxProcess implements AsyncDisposable {
  readonly ready: SandboxReady;
  readonly child: CommandProcess;
  /** Everything it wrote to standard error: progress and log. */
  readonly log: readonly string[];

  private constructor({ child, ready, log }: Running<SandboxReady>) {
    this.child = child;
    this.ready = ready;
    this.log = log;
  }

  /** Resolves when it says that everything is ready. Free ports, so that runs do not meet. */
  static async start(...options: string[]): Promise<SandboxProcess> {
    return new SandboxProcess(await startRunning(["sandbox", "--json", "--port-base", "0", ...options], READY_MS));
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
      // A kept connection may just be closed by the other side.
      reset: true,
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return text === "" ? null : (JSON.parse(text) as unknown);
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    return stopRunning(this.child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
