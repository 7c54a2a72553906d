/** Load on one server: wrk where it is installed, else a generator of our own in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { peerVersion } from "../process.ts";

/**
 * What is asked for: `redirect` manifests of many videos, each with a query of its own; `manifest` the same without a query, as viewers of the
 * same videos ask, who take gzip; `identity` the same by who does not; `key` 16 bytes by GET; `licence` 2 KB by POST.
 */
export type LoadKind = "redirect" | "manifest" | "identity" | "key" | "licence";

export interface LoadOptions {
  /** Without a trailing slash. */
  readonly url: string;
  readonly kind: LoadKind;
  readonly seconds: number;
  readonly connections: number;
  readonly cpus: string | null;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p99Ms: number;
  /** Requests that failed, or were answered with 400 and above. */
  readonly errors: number;
}

const SCRIPT = fileURLToPath(new URL("load.lua", import.meta.url));
const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));

const loadProgram: "wrk" | "own" = peerVersion("wrk") === null ? "own" : "wrk";

/** What a bench has to say of its load. */
export const LOAD_NOTES: readonly string[] =
  loadProgram === "own" ? ["load by a generator of our own, slower than wrk: throughput is that of the generator"] : [];

/** Throws where nothing was answered. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const result = loadProgram === "wrk" ? await byWrk(options) : await byGenerator(options);
  if (result.requests === 0) throw new Error(`${options.url} answered no request in ${options.seconds} s`);
  return result;
}

// oxlint-disable-next-line complexity -- one optional field of the report after another.
async function byWrk({ url, kind, seconds, connections, cpus }: LoadOptions): Promise<LoadResult> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "--timeout", "10s", "-s", SCRIPT, `${url}/`, "--", kind];
  const text = await run("wrk", args, cpus);
  const [, requests = "0", took = "0"] = /(\d+) requests in ([\d.]+)s/.exec(text) ?? [];
  const [, p99 = "0", unit = "ms"] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const broken = [...text.matchAll(/(?:connect|read|write|timeout) (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  const scale = unit === "us" ? 0.001 : unit === "s" ? 1_000 : 1;
  return { requests: Number(requests), seconds: Number(took), p99Ms: Number(p99) * scale, errors: bad + broken };
}

async function byGenerator({ cpus, ...options }: LoadOptions): Promise<LoadResult> {
  return JSON.parse(await run(process.execPath, [GENERATOR, JSON.stringify(options)], cpus)) as LoadResult;
}

async function run(command: string, args: readonly string[], cpus: string | null): Promise<string> {
  const [program, given] = cpus === null ? [command, args] : ["taskset", ["-c", cpus, command, ...args]];
  const child = spawn(program, given, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${text}`);
  return text;
}
