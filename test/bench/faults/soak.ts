/** Regions that are well and noisy, for as long as it is worth: nothing may be drained, no play may fail by the router's doing. */
import { setTimeout as delay } from "node:timers/promises";
import type { Video } from "../origin/faults.ts";
import { startOrigins } from "../origin/origin.ts";
import type { Noise } from "../origin/region.ts";
import { drainsOf, ready, startPaircast } from "../routers/paircast.ts";
import type { ProbePolicy } from "../routers/site.ts";
import { HOSTS } from "./stage.ts";

export interface SoakOptions {
  readonly videos: readonly Video[];
  readonly probes: ProbePolicy;
  readonly noise: Noise;
}

export interface Soak extends AsyncDisposable {
  /** Drains since the noise began, over all videos. */
  drains(): Promise<number>;
  /** Why, as far as it is remembered. */
  reasons(): string[];
}

/** One gateway and two regions for each video. */
export async function startSoak({ videos, probes, noise }: SoakOptions): Promise<Soak> {
  await using stack = new AsyncDisposableStack();
  const origins = stack.use(
    await startOrigins(videos.flatMap((_, index) => (["a", "b"] as const).map((name) => ({ name: `${name}${index}`, host: HOSTS[name] })))),
  );
  const routers = await Promise.all(
    videos.map(async (video, index) => {
      const a = { ...origins.region(`a${index}`), name: "a" };
      const b = { ...origins.region(`b${index}`), name: "b" };
      const router = stack.use(await startPaircast({ video, a, b, caFile: null }, { probes, keys: "redirect" }));
      await ready(router);
      return router;
    }),
  );
  await delay(3 * probes.intervalMs);
  const count = async (): Promise<number> => {
    const counts = await Promise.all(routers.flatMap((router) => ["a", "b"].map(async (region) => drainsOf(router, region))));
    return counts.reduce((sum, each) => sum + each, 0);
  };
  const before = await count();
  await Promise.all(origins.regions.map(async ({ name }) => origins.disturb(name, noise)));
  const owned = stack.move();
  const reasons = (): string[] => routers.flatMap((router) => ["a", "b"].flatMap((region) => router.reasons(region)));
  return { drains: async () => (await count()) - before, reasons, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}
