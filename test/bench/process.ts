/** Processes of a bench: started, waited for, measured and stopped by pid. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const READY_MS = 90_000;
const STOP_MS = 5_000;

/** Node programs of a bench start twice as fast with their code compiled; nothing else about them changes. */
const COMPILED = join(tmpdir(), "paircast-bench-compiled");

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string | URL;
  readonly env?: Readonly<Record<string, string>>;
  /** CPU list as `taskset -c` takes it. */
  readonly cpus?: string;
  /** When it is ready: its first line on standard output, or a loopback port that accepts. */
  readonly ready: "line" | { readonly port: number; readonly host?: string };
}

export interface BenchProcess extends AsyncDisposable {
  readonly pid: number;
  /** The first line of standard output, where that was waited for. */
  readonly line: string;
  /** The last lines of standard error. */
  errors(): string;
  send(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL. May be called again. */
  stop(): Promise<void>;
}

/** Starts a process and waits until it is ready. Throws with what it wrote to standard error where it ends before or is late. */
export async function startProcess(options: ProcessOptions): Promise<BenchProcess> {
  const { command, args, cwd, env, cpus, ready } = options;
  const [program, given] = cpus === undefined ? [command, args] : ["taskset", ["-c", cpus, command, ...args]];
  const child = spawn(program, given, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    errors.push(line);
    if (errors.length > 40) errors.shift();
  });
  const lines = createInterface({ input: child.stdout });
  const firstLine = once(lines, "line").then(([line]) => String(line));
  const late = new AbortController();
  // `close` and not `exit`: by then everything that it said has been read.
  const ended = Promise.race([once(child, "close"), once(child, "error")]).then(([why]): never => {
    throw new Error(`${command} ended (${String(why)}) before it was ready:\n${errors.join("\n")}`);
  });
  ended.catch(() => undefined);
  const limit = delay(READY_MS, undefined, { signal: late.signal, ref: false }).then((): never => {
    throw new Error(`${command} was not ready within ${READY_MS} ms:\n${errors.join("\n")}`);
  });
  limit.catch(() => undefined);
  try {
    const line = await Promise.race([ready === "line" ? firstLine : accepting(ready, late.signal), ended, limit]);
    return { pid: child.pid ?? 0, line, errors: () => errors.join("\n"), ...control(child) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    late.abort();
  }
}

async function accepting(
  { port, host = "127.0.0.1" }: { readonly port: number; readonly host?: string },
  stop: AbortSignal,
): Promise<string> {
  while (!stop.aborted) {
    const socket = connect(port, host);
    const accepted = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => {
        resolve(true);
      });
      socket.once("error", () => {
        resolve(false);
      });
    });
    socket.destroy();
    if (accepted) return "";
    await delay(25);
  }
  return "";
}

function control(child: ChildProcess): Pick<BenchProcess, "send" | "stop" | typeof Symbol.asyncDispose> {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    // A stopped process takes no other signal before it goes on.
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const late = new AbortController();
    await Promise.race([exited, delay(STOP_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
  };
  return {
    send: (signal) => {
      child.kill(signal);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Below Linux's range of ports for outgoing connections, so that none of those takes it meanwhile. */
const PORTS = { from: 15_000, to: 31_999 };

/** A free port of a loopback address, for a program that cannot choose one itself. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(PORTS.from, PORTS.to + 1);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`no free port on ${host}`);
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

const TICKS_PER_SECOND = 100;

/** CPU time of a process and all below it, user and system, in milliseconds: steps of 10 ms, so measure over seconds. 0 for what has ended. */
export function cpuMs(pid: number): number {
  return [...cpuMsByProcess(pid).values()].reduce((sum, each) => sum + each, 0);
}

/** The same, for each process by itself. */
export function cpuMsByProcess(pid: number): ReadonlyMap<number, number> {
  return new Map(
    family(pid).map((each) => {
      const fields = statFields(each);
      return [each, ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1000) / TICKS_PER_SECOND];
    }),
  );
}

/** Resident memory of a process and all below it, in MiB. Pages that they share count for each. */
export function rssMiB(pid: number): number {
  const kilobytes = family(pid).reduce((sum, each) => {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readOr(`/proc/${each}/status`, ""))?.[1];
    return sum + Number(line ?? 0);
  }, 0);
  return kilobytes / 1024;
}

/** The process and its descendants. */
function family(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) if (/^\d+$/.test(name)) parents.set(Number(name), Number(statFields(Number(name))[1] ?? 0));
  const members = [pid];
  for (const member of members) for (const [child, parent] of parents) if (parent === member) members.push(child);
  return members;
}

/** Fields of /proc/{pid}/stat after the command's name, which may hold anything: state, parent, … */
function statFields(pid: number): string[] {
  const text = readOr(`/proc/${pid}/stat`, "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

const VERSION_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  haproxy: ["-v"],
  nginx: ["-v"],
  caddy: ["version"],
  varnishd: ["-V"],
  wrk: ["-v"],
};

/** Version of an installed program (`haproxy`, `nginx`, `caddy`, `varnishd`, …); null where it is not installed. */
export function peerVersion(program: string): string | null {
  try {
    // wrk ends with 1 for -v, nginx writes to standard error.
    const text = execFileSync(
      "sh",
      ["-c", 'command -v "$0" >/dev/null && { "$0" "$@" 2>&1 || true; }', program, ...(VERSION_OPTIONS[program] ?? ["--version"])],
      {
        encoding: "utf8",
      },
    );
    return /\d+\.\d+(?:\.\d+)?/.exec(text)?.[0] ?? null;
  } catch {
    return null;
  }
}

/** Versions for a report: Node, this project, and the peers that are installed; a note for each that is not. */
export function versionsOf(peers: readonly string[]): { readonly versions: Record<string, string>; readonly missing: string[] } {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  const versions: Record<string, string> = { paircast: version, node: process.version.slice(1) };
  const missing: string[] = [];
  for (const peer of peers) {
    const found = peerVersion(peer);
    if (found === null) missing.push(`${peer} is not installed here: no figure of it`);
    else versions[peer] = found;
  }
  return { versions, missing };
}

/** Runs `task` on all items, so many at a time; results in the order of the items. */
export async function inLanes<T, R>(items: readonly T[], lanes: number, task: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await task(item, index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
