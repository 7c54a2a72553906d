/** Who is asked first. Who may serve is decided elsewhere (`decide.ts`): an order names every region once, whatever its state. Pure. */
import { inNetwork } from "../../core/address.ts";
import { fraction, hashText, mix } from "./hash.ts";
import type { Place, PreparedPolicy } from "./policy.ts";
import { bounded, rendezvous, weighted, type Loads } from "./spread.ts";
import { seedOf, sessionBits, type Viewer } from "./viewer.ts";

/** What an order may depend on beside the policy and the viewer. */
export interface OrderFacts {
  /** Lower-case locator id, or key id; null where the request names none. */
  readonly video: string | null;
  /** Region name -> milliseconds that its probes take; a region without measurement is left out. */
  readonly latencies: Readonly<Record<string, number>>;
  readonly loads: Loads;
}

export interface Order {
  /** Every region once. */
  readonly regions: readonly string[];
  /** The region that this viewer is to try out; null for everybody else. */
  readonly canary: string | null;
}

const CANARY_DRAW = hashText("canary");
const RAMP_DRAW = hashText("ramp");

/** The regions in the order in which they are to serve this viewer. */
export function orderFor(prepared: PreparedPolicy, viewer: Viewer, facts: OrderFacts): Order {
  const regions = methodOrder(prepared, viewer, facts);
  const { canary } = prepared;
  if (canary === null) return { regions, canary: null };
  const others = regions.filter((region) => region !== canary.region);
  const chosen = fraction(mix(seedOf(viewer), CANARY_DRAW)) < canary.share;
  return chosen ? { regions: [canary.region, ...others], canary: canary.region } : { regions: [...others, canary.region], canary: null };
}

/** True where a region that returns slowly may have this viewer: so many of all viewers, and always the same ones of those with a session. */
export function admitted(seed: number, salt: number, share: number): boolean {
  return share >= 1 || fraction(mix(seed ^ RAMP_DRAW, salt)) < share;
}

/** The first geographic rule that holds for a viewer; -1 for none. */
export function placeIndex(places: readonly Place[], { country, address }: Viewer): number {
  return places.findIndex(
    ({ countries, networks }) =>
      (country !== null && countries.has(country)) || (address !== null && networks.some((network) => inNetwork(address, network))),
  );
}

function methodOrder(prepared: PreparedPolicy, viewer: Viewer, facts: OrderFacts): readonly string[] {
  const { policy, regions, salts } = prepared;
  switch (policy.method) {
    case "priority":
      return regions;
    case "weighted":
      return weighted(regions, salts, seedOf(viewer), policy.weights);
    case "geographic":
      return prepared.places[placeIndex(prepared.places, viewer)]?.order ?? prepared.fallback;
    case "latency":
      return fastest(prepared, policy.tolerance, viewer, facts.latencies);
    case "hash":
      return bounded(rendezvous(regions, salts, hashKey(viewer, facts)), facts.loads, policy.load);
  }
}

/** Sticky viewers stay by their session, everybody else by the video, so that its segments are in one region's caches. */
function hashKey(viewer: Viewer, { video }: OrderFacts): number {
  return sessionBits(viewer) ?? (video === null ? seedOf(viewer) : hashText(video));
}

/** Those that are about as fast as the fastest, in their order or by the session; then the slower ones by time; then the unmeasured. */
function fastest(
  { regions, salts }: PreparedPolicy,
  tolerance: number,
  viewer: Viewer,
  latencies: Readonly<Record<string, number>>,
): readonly string[] {
  const time = (region: string): number => latencies[region] ?? Number.POSITIVE_INFINITY;
  const best = Math.min(...regions.map(time));
  if (best === Number.POSITIVE_INFINITY) return regions;
  const near = regions.filter((region) => time(region) <= best + tolerance);
  const far = regions.filter((region) => time(region) > best + tolerance).toSorted((one, other) => bySpeed(time(one), time(other)));
  const session = sessionBits(viewer);
  return [...(session === null ? near : rendezvous(near, salts, session)), ...far];
}

/** Infinity less infinity is no number, so equals are told apart first. */
function bySpeed(one: number, other: number): number {
  return one === other ? 0 : one - other;
}
