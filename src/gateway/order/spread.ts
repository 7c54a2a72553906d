/** Orders that spread viewers or videos over regions by numbers. Pure. */
import { fraction, mix } from "./hash.ts";

type Salts = Readonly<Record<string, number>>;

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): each region draws a number for the key, the highest comes first. A region that leaves
 * moves only what it had, a region that comes takes only what becomes its own, and gateways that know the same regions agree.
 */
export function rendezvous(regions: readonly string[], salts: Salts, key: number): readonly string[] {
  return byScore(regions, (region) => fraction(mix(key, salts[region] ?? 0)));
}

/**
 * Weighted rendezvous: the first region is each one's with the probability of its weight, the second likewise among the rest, and so on
 * (Efraimidis and Spirakis, 2006), so that the viewers of a region that fails are spread by weight, too. Regions of weight 0 come last.
 */
export function weighted(
  regions: readonly string[],
  salts: Salts,
  key: number,
  weights: Readonly<Record<string, number>>,
): readonly string[] {
  return byScore(regions, (region) => {
    const weight = weights[region] ?? 0;
    return weight > 0 ? Math.log(fraction(mix(key, salts[region] ?? 0))) / weight : Number.NEGATIVE_INFINITY;
  });
}

/** How many requests each region may have, of those over which the load is spread. */
export interface Loads {
  /** Region name -> requests that it was chosen for lately; a region that is left out had none. */
  readonly counts: Readonly<Record<string, number>>;
  /** The regions over which the load is spread: those that can be chosen now. */
  readonly able: readonly string[];
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016): a region that has had its share, `factor` times the mean,
 * stands behind those that have not; within both the order stays.
 */
export function bounded(order: readonly string[], { counts, able }: Loads, factor: number): readonly string[] {
  let total = 1;
  for (const region of able) total += counts[region] ?? 0;
  const capacity = Math.ceil((factor * total) / Math.max(able.length, 1));
  const full = (region: string): boolean => (counts[region] ?? 0) >= capacity;
  return order.some(full) ? [...order.filter((region) => !full(region)), ...order.filter(full)] : order;
}

/** Highest score first; equal ones as they stood. */
function byScore(regions: readonly string[], score: (region: string) => number): readonly string[] {
  return regions
    .map((region) => ({ region, points: score(region) }))
    .toSorted((one, other) => (one.points === other.points ? 0 : other.points - one.points))
    .map(({ region }) => region);
}
