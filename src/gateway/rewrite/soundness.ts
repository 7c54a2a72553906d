/** Which regions' copies of a video are one to a player in the middle of it, and whether a manifest may say so. Pure. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { Holdings } from "../eligibility.ts";

/** Whether two regions' copies are aligned; null where that is not known. */
export type Together = (one: string, other: string) => boolean | null;

export interface Copies {
  readonly holdings: Holdings;
  /** The catalogue's entry; undefined where it does not know the video. */
  readonly entry: CatalogueEntry | undefined;
  /** What was measured here; it counts where the catalogue says nothing. */
  readonly measured: Together;
}

export interface Soundness {
  /** Regions whose copies are aligned with the chosen one's, itself included, in the order given. */
  readonly aligned: readonly string[];
  /** Regions that have the video otherwise. */
  readonly differing: readonly string[];
  /** Regions that have the video, and nobody has compared it. */
  readonly unmeasured: readonly string[];
}

/** Compares every region's copy with that of `chosen`. */
export function soundnessOf(chosen: string, regions: readonly string[], copies: Copies): Soundness {
  const aligned: string[] = [];
  const differing: string[] = [];
  const unmeasured: string[] = [];
  for (const region of regions) {
    const together = region === chosen ? true : compared(chosen, region, copies);
    if (region !== chosen && !hasIt(region, copies, together)) continue;
    if (together === true) aligned.push(region);
    else if (together === false) differing.push(region);
    else unmeasured.push(region);
  }
  return { aligned, differing, unmeasured };
}

/** Null where the mode is sound; else why it is not. */
export function unsound(
  mode: "steer" | "anchor",
  { aligned, differing, unmeasured }: Soundness,
): "unmeasured" | "unaligned" | "single_region" | null {
  // An anchored request may be sent to any region that has the video; a steered player only where its list leads.
  if (mode === "steer" && aligned.length > 1) return null;
  if (unmeasured.length > 0) return "unmeasured";
  if (differing.length > 0) return "unaligned";
  return mode === "anchor" ? null : "single_region";
}

/** A region that could not be asked, but whose copy was compared before, is taken to have it still. */
function hasIt(region: string, { holdings }: Copies, together: boolean | null): boolean {
  const holding = holdings[region] ?? "unknown";
  return holding === "verified" || holding === "found" || (holding === "unknown" && together !== null);
}

function compared(one: string, other: string, { entry, measured }: Copies): boolean | null {
  const known = entry === undefined ? null : catalogued(one, other, entry);
  return known ?? measured(one, other);
}

/** The catalogue compares every copy with the source's. Two that differ from it may still be alike. */
function catalogued(one: string, other: string, { source, regions }: CatalogueEntry): boolean | null {
  const [first, second] = [one, other].map((region) => (region === source ? true : (regions[region]?.aligned ?? null)));
  if (first == null || second == null) return null;
  if (first && second) return true;
  return first || second ? false : null;
}
