/**
 * What a second core with a second process brings. On two cores the load takes its part of both, so that requests per second would tell what the
 * generator costs. Here it is what the server could do with its cores to itself: requests per second of its own CPU time, times the cores, less
 * what is lost where one process has more to do than the other.
 */
import { median, progress } from "../frame.ts";
import { cpuMsByProcess } from "../process.ts";
import { load } from "./load.ts";
import type { SpeedServer } from "./servers.ts";

/** Of each generator: the kernel spreads connections by chance, which is even only over many. */
const CONNECTIONS = 256;

export interface ScalingOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** The same server with one process on the first core, and with two on both. */
export interface Pair {
  readonly one: SpeedServer;
  readonly two: SpeedServer;
}

/** Capacity of two processes, as a multiple of that of one, by server name. */
export async function twoCores(pairs: readonly Pair[], { rounds, seconds }: ScalingOptions): Promise<Map<string, number>> {
  const ratios = new Map<string, number[]>(pairs.map(({ one }) => [one.name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { one, two } of pairs) {
      const time = round === 0 ? 2 : seconds;
      const alone = await capacity(one, 1, time);
      const both = await capacity(two, 2, time);
      if (round > 0) ratios.get(one.name)?.push(both.perSecond / alone.perSecond);
      if (round > 0) progress(`two cores, round ${round}, ${one.name}: ${described(alone)} and ${described(both)}`);
    }
  }
  return new Map([...ratios].map(([name, values]) => [name, median(values)]));
}

interface Capacity {
  readonly perSecond: number;
  readonly cpuMicros: number;
  /** 1 where all processes do the same work. */
  readonly evenness: number;
}

function described({ perSecond, cpuMicros, evenness }: Capacity): string {
  return `${perSecond.toFixed(0)} requests/s of ${cpuMicros.toFixed(2)} µs, evenness ${evenness.toFixed(2)}`;
}

/** One generator for each process, on the core that it has, or the other one. */
async function capacity(server: SpeedServer, processes: 1 | 2, seconds: number): Promise<Capacity> {
  const before = cpuMsByProcess(server.process.pid);
  const cores = processes === 1 ? ["1"] : ["0", "1"];
  const results = await Promise.all(
    cores.map(async (cpus) => load({ url: server.url, kind: "redirect", seconds, connections: CONNECTIONS, cpus })),
  );
  const spent = [...cpuMsByProcess(server.process.pid)]
    .map(([pid, ms]) => ms - (before.get(pid) ?? 0))
    .toSorted((one, other) => other - one);
  await server.forget();
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const busy = spent.slice(0, processes);
  const evenness = busy.reduce((sum, ms) => sum + ms, 0) / (processes * Math.max(...busy));
  const cpuMicros = (spent.reduce((sum, ms) => sum + ms, 0) * 1000) / requests;
  return { perSecond: (processes * evenness * 1_000_000) / cpuMicros, cpuMicros, evenness };
}
