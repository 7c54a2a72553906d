/** Servers in turns, several rounds, medians: what disturbs the machine disturbs all of them alike. */
import { availableParallelism } from "node:os";
import { cpuMs, rssMiB, startProcess, type BenchProcess } from "../process.ts";
import { median, progress } from "../frame.ts";
import { load, type LoadKind } from "./load.ts";
import type { SpeedServer } from "./servers.ts";

export interface Speed {
  /** CPU time of the server's processes per request, in microseconds. The steadiest figure on a machine that others use, too. */
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  /** The highest of all rounds. */
  readonly rssMiB: number;
  readonly errors: number;
}

export interface RoundOptions {
  readonly kind: LoadKind;
  readonly rounds: number;
  readonly seconds: number;
}

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;

/** Core of the servers, and core of the load. Null where there is only one. */
export const CORES = availableParallelism() > 1 ? ({ server: "0", load: "1" } as const) : null;

/** By server name. */
export async function inTurns(servers: readonly SpeedServer[], { kind, rounds, seconds }: RoundOptions): Promise<Map<string, Speed>> {
  const seen = new Map<string, Speed[]>(servers.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const server of servers) {
      const speed = await measured(server, kind, round === 0 ? WARM_UP_SECONDS : seconds);
      // The first round warms up: just-in-time compilers, connections, caches.
      if (round > 0) seen.get(server.name)?.push(speed);
      if (round > 0) progress(`${kind}, round ${round}, ${server.name}: ${speed.cpuMicros.toFixed(2)} µs CPU per request`);
    }
  }
  return new Map([...seen].map(([name, speeds]) => [name, summary(speeds)]));
}

async function measured(server: SpeedServer, kind: LoadKind, seconds: number): Promise<Speed> {
  const { pid } = server.process;
  const before = cpuMs(pid);
  const result = await load({ url: server.url, kind, seconds, connections: CONNECTIONS, cpus: CORES?.load ?? null }).catch(
    (cause: unknown) => {
      throw new Error(`no load on ${server.name}`, { cause });
    },
  );
  const spent = cpuMs(pid) - before;
  const rss = rssMiB(pid);
  await server.forget();
  const { requests, p99Ms, errors } = result;
  return { cpuMicros: (spent * 1_000) / requests, perSecond: requests / result.seconds, p99Ms, rssMiB: rss, errors };
}

function summary(speeds: readonly Speed[]): Speed {
  const middle = (figure: (speed: Speed) => number): number => median(speeds.map(figure));
  return {
    cpuMicros: middle((speed) => speed.cpuMicros),
    perSecond: middle((speed) => speed.perSecond),
    p99Ms: middle((speed) => speed.p99Ms),
    rssMiB: Math.max(...speeds.map((speed) => speed.rssMiB)),
    errors: speeds.reduce((sum, speed) => sum + speed.errors, 0),
  };
}

/** An origin on the core of the load, and its address. */
async function startOrigin(): Promise<{ readonly process: BenchProcess; readonly address: string }> {
  const args = [new URL("origin.ts", import.meta.url).pathname];
  const program = await startProcess({ command: process.execPath, args, ready: "line", ...(CORES === null ? {} : { cpus: CORES.load }) });
  return { process: program, address: `127.0.0.1:${program.line}` };
}

/** Addresses of the two origins of a bench, which end with `stack`. */
export async function startOrigins(stack: AsyncDisposableStack): Promise<readonly [string, string]> {
  const [first, second] = [await startOrigin(), await startOrigin()];
  stack.use(first.process);
  stack.use(second.process);
  return [first.address, second.address];
}
