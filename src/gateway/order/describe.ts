/** An order in words, for people who ask why. Pure. */
import type { Order, OrderFacts } from "./order.ts";
import { placeIndex } from "./order.ts";
import type { PreparedPolicy } from "./policy.ts";
import type { Viewer } from "./viewer.ts";

/** One sentence: by what the regions stand in this order. */
export function describeOrder(prepared: PreparedPolicy, viewer: Viewer, facts: OrderFacts, order: Order): string {
  const method = describeMethod(prepared, viewer, facts);
  const { canary } = prepared;
  if (canary === null) return method;
  const inside = order.canary === null ? "this viewer is not one of them" : "this viewer is one of them";
  return `${method}; ${canary.region} is tried out with ${canary.share * 100} % of the viewers, ${inside}`;
}

function describeMethod(prepared: PreparedPolicy, viewer: Viewer, facts: OrderFacts): string {
  const { policy } = prepared;
  const by = viewer.session === null ? "by chance" : "by the viewer's session";
  switch (policy.method) {
    case "priority":
      return "in the order of the configuration";
    case "weighted":
      return `by weight (${prepared.regions.map((region) => `${region} ${policy.weights[region] ?? 0}`).join(", ")}), drawn ${by}`;
    case "geographic":
      return describePlace(prepared, viewer);
    case "latency":
      return `by the time that probes take (${times(prepared.regions, facts)}); ${policy.tolerance} ms more than the fastest count as equal`;
    case "hash":
      return describeHash(policy.load, viewer, facts);
  }
}

function describePlace({ places }: PreparedPolicy, viewer: Viewer): string {
  const known = `country ${viewer.country ?? "not known"}, address ${viewer.address === null ? "not known" : "known"}`;
  const at = placeIndex(places, viewer);
  return at < 0 ? `no geographic rule matches (${known}), so in the order of the fallback` : `by geographic rule ${at + 1} (${known})`;
}

function times(regions: readonly string[], { latencies }: OrderFacts): string {
  return regions
    .map((region) => `${region} ${latencies[region] === undefined ? "not measured" : `${Math.round(latencies[region])} ms`}`)
    .join(", ");
}

function describeHash(load: number, viewer: Viewer, { video, loads }: OrderFacts): string {
  const what = viewer.session !== null ? "the viewer's session" : video === null ? "chance" : "the video";
  const counts = loads.able.map((region) => `${region} ${loads.counts[region] ?? 0}`).join(", ");
  return `by a hash of ${what}, at most ${load} times the mean load (requests in the last minute: ${counts === "" ? "none" : counts})`;
}
