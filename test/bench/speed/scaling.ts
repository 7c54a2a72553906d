/** What a second core with a second process brings. The load runs on the same cores, so that both sides double. */
import { median, progress } from "../frame.ts";
import { load } from "./load.ts";
import { startPaircast } from "./servers.ts";

const CONNECTIONS = 64;

interface ScalingOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** Throughput of two workers on two cores, as a multiple of one worker on one. */
export async function twoCores(origins: readonly [string, string], { rounds, seconds }: ScalingOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const one = stack.use(await startPaircast({ task: "redirect", origins, cpus: "0" }, 1));
  const two = stack.use(await startPaircast({ task: "redirect", origins, cpus: "0,1" }, 2));
  const perSecond = async (url: string, cores: readonly string[], time: number): Promise<number> => {
    const results = await Promise.all(
      cores.map(async (cpus) => load({ url, kind: "redirect", seconds: time, connections: CONNECTIONS, cpus })),
    );
    return results.reduce((sum, result) => sum + result.requests / result.seconds, 0);
  };
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const time = round === 0 ? 2 : seconds;
    const [alone, both] = [await perSecond(one.url, ["0"], time), await perSecond(two.url, ["0", "1"], time)];
    if (round > 0) ratios.push(both / alone);
    if (round > 0) progress(`two cores, round ${round}: ${alone.toFixed(0)} and ${both.toFixed(0)} requests/s`);
    await one.forget();
    await two.forget();
  }
  return median(ratios);
}
