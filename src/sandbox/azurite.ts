/** Azurite as a child process: real storage services, in memory, gone with the sandbox. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

export interface AzuriteOptions {
  /** Account keys are base64. */
  readonly accounts: readonly { readonly name: string; readonly key: string }[];
  /** Of the blob service, on 127.0.0.1; 0 for any free one. */
  readonly port: number;
  /** Tables and queues, too, at any free port. Default: blobs only. */
  readonly allServices?: boolean;
  /** Temporary folder of the parent, which Azurite removes where the parent was killed outright and cannot. */
  readonly folder?: string;
  readonly clock: Clock;
  readonly log: Log;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

const HOST = "127.0.0.1";
/** One that cannot start ends at once and says why; on a busy machine the start itself has been seen to take more than 20 s. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 2000;
/** One line for each service: the program of them all has other words than that of blobs alone. */
const LISTENING = /Azurite (Blob|Queue|Table) service (?:successfully listens on|is successfully listening at) (http:\/\/\S+)/;
type Service = "Blob" | "Queue" | "Table";
type Urls = ReadonlyMap<Service, string>;

/**
 * Ends Azurite when the channel to its parent closes, which it also does for a parent that was killed outright. Nothing is lost: all is in memory.
 * The parent's temporary folder goes with it.
 * On SIGTERM the channel is let go first, since it would keep Azurite alive after it has closed its server.
 */
const TETHER = [
  "import{rmSync}from'node:fs'",
  "const folder=process.env.PAIRCAST_SANDBOX_FOLDER",
  "const end=()=>{if(folder)rmSync(folder,{recursive:true,force:true});process.kill(process.pid,'SIGKILL')}",
  "process.once('disconnect',end).once('SIGTERM',()=>process.off('disconnect',end).disconnect())",
  "if(!process.connected)end()",
].join(";");

/** What a Node process needs to run at all. Nothing else is passed on: AZURITE_* would change its storage, HTTP_PROXY would divert its reads of copy sources. */
const ENVIRONMENT = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "NODE_COMPILE_CACHE"];

/** A running Azurite. Stop it, or it keeps the process alive. */
export class Azurite implements AsyncDisposable {
  /** `http://127.0.0.1:port`, without a trailing slash; accounts are the first path segment. */
  readonly url: string;
  /** The same of tables and queues; empty where they were not asked for. */
  readonly tables: string;
  readonly queues: string;
  readonly pid: number;
  readonly #child: Child;
  readonly #clock: Clock;
  #stopped: Promise<void> | null = null;

  private constructor(child: Child, urls: Urls, options: AzuriteOptions) {
    this.#child = child;
    this.#clock = options.clock;
    this.url = urls.get("Blob") ?? "";
    this.tables = urls.get("Table") ?? "";
    this.queues = urls.get("Queue") ?? "";
    this.pid = child.pid ?? 0;
    child.once("exit", (code, signal) => {
      if (this.#stopped === null) options.log.error("sandbox.azurite_exited", { code, signal });
    });
  }

  /** Resolves when it takes requests. Throws `azurite_missing` where it is not installed, `azurite_failed` where it does not come up. */
  static async start(options: AzuriteOptions): Promise<Azurite> {
    const child = launch(options);
    try {
      const urls = await listening(child, options);
      child.stdout.resume();
      child.stderr.resume();
      return new Azurite(child, urls, options);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /** Ends it and resolves when it is gone: SIGTERM, and SIGKILL when that has no effect in time. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#end();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    using limit = this.#clock.deadline(STOP_TIMEOUT_MS);
    limit.signal.addEventListener("abort", () => this.#child.kill("SIGKILL"));
    this.#child.kill("SIGTERM");
    await gone;
  }
}

function launch(options: AzuriteOptions): Child {
  const accounts = options.accounts.map(({ name, key }) => `${name}:${key}`).join(";");
  const env: NodeJS.ProcessEnv = { AZURITE_ACCOUNTS: accounts };
  for (const name of ENVIRONMENT) if (process.env[name] !== undefined) env[name] = process.env[name];
  if (options.folder !== undefined) env["PAIRCAST_SANDBOX_FOLDER"] = options.folder;
  const flags = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--disableProductStyleUrl", "--silent", "--loose"];
  const others = options.allServices === true ? ["--queueHost", HOST, "--queuePort", "0", "--tableHost", HOST, "--tablePort", "0"] : [];
  const program = [`--import=data:text/javascript,${TETHER}`, entry(options.allServices === true ? "azurite.js" : "blob/main.js")];
  const args = [...program, "--blobHost", HOST, "--blobPort", String(options.port), ...others, ...flags];
  // A group of its own: Ctrl-C reaches the sandbox, which then stops its parts in order.
  return spawn(process.execPath, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] }) as Child;
}

function entry(program: string): string {
  try {
    return createRequire(import.meta.url).resolve(`azurite/dist/src/${program}`);
  } catch (cause) {
    throw new PaircastError(
      "azurite_missing",
      "the sandbox needs Azurite, which is a development dependency: run `npm ci` without --omit=dev",
      { cause },
    );
  }
}

async function listening(child: Child, { clock, allServices }: AzuriteOptions): Promise<Urls> {
  const output: string[] = [];
  const urls = new Map<Service, string>();
  using limit = clock.deadline(START_TIMEOUT_MS);
  const { promise, resolve, reject } = Promise.withResolvers<Urls>();
  const fail = (what: string, cause?: unknown): void => {
    reject(new PaircastError("azurite_failed", `Azurite ${what}. It said: ${output.slice(-5).join(" | ") || "nothing"}`, { cause }));
  };
  const hear = (line: string): void => {
    output.push(line);
    const [, service, url] = LISTENING.exec(line) ?? [];
    if (service !== undefined && url !== undefined) urls.set(service as Service, url);
    if (urls.size === (allServices === true ? 3 : 1)) resolve(urls);
  };
  const readers = [child.stdout, child.stderr].map((input) => createInterface({ input }).on("line", hear));
  child.once("error", (error) => {
    fail("could not be started", error);
  });
  // `close` and not `exit`: by then everything that it said has been read.
  child.once("close", (code) => {
    fail(`ended with ${String(code)} before it took requests`);
  });
  limit.signal.addEventListener("abort", () => {
    fail(`took no requests within ${START_TIMEOUT_MS} ms`);
  });
  try {
    return await promise;
  } finally {
    for (const reader of readers) reader.close();
  }
}
