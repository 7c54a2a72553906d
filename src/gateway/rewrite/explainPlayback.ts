/** What a player gets for a manifest, and why, in words. Pure. */
import { GATEWAY_PATHWAY, type CatalogueEntry, type Decision, type PlaybackFallback, type RewritingMode } from "../../core/contracts.ts";
import { plannedFallback, type PlaybackPlan } from "./plan.ts";

export interface PlaybackExplanation {
  /** Of the route. */
  readonly mode: "redirect" | RewritingMode;
  /** What the answer would be. */
  readonly answer: "redirect" | RewritingMode;
  /** Why it is a redirect although the route has another mode; null: it is not. */
  readonly fallback: PlaybackFallback | null;
  /** Ids in the manifest's list, best first; empty where there is no list. */
  readonly pathways: readonly string[];
  /**
   * Whom players ask for keys: nobody, the gateway, the region that they play from, another host, or nothing is known of it.
   */
  readonly keys: "none" | "gateway" | "region" | "elsewhere" | "unknown";
  /** One sentence for people. */
  readonly why: string;
}

/** Where the regions' own playlists send players for keys, as far as the catalogue says. */
export type KeysOf = PlaybackExplanation["keys"] | "streaming";

/** `host`: whose key host its playlists name. */
export function keysOf(entry: CatalogueEntry | undefined, host: "none" | "region" | "gateway"): KeysOf {
  if (entry === undefined) return "unknown";
  return entry.keys.length > 0 && entry.keyHost !== undefined ? entry.keyHost : host;
}

/** What was found when it was rewritten last. */
export interface Seen {
  readonly fallback: PlaybackFallback | null;
  readonly detail: string | null;
  readonly boundKeys: number;
}

const WORDS: Readonly<Record<PlaybackFallback, string>> = {
  smooth: "it is neither HLS nor DASH",
  credentials: "the request carries a token or cookie",
  single_region: "only one region has the video",
  unmeasured: "whether the regions' copies are aligned is not known yet; it is measured once the video is asked for",
  unaligned: "the regions' copies are not aligned, so a player in the middle of one cannot go on with another",
  unfetchable: "no region gave the manifest",
  denied: "the region refused the manifest to the gateway",
  moved: "the region redirects the manifest elsewhere",
  too_large: "it is larger than gateway.manifests.maxBytes",
  busy: "too many manifests were being read",
  malformed: "it is malformed",
  foreign_uri: "it leads to a host that is no region",
  unsteerable: "it has copies or steering of its own",
};

/** `plan`: null for a route that redirects. Null where no region was chosen. */
export function explainPlayback(plan: PlaybackPlan | null, decision: Decision, keys: KeysOf, seen?: Seen): PlaybackExplanation | null {
  if (decision.region === null) return null;
  const atRegion = keys === "streaming" ? "region" : keys;
  const redirect = { answer: "redirect", pathways: [], keys: atRegion } as const;
  if (plan === null) return { ...redirect, mode: "redirect", fallback: null, why: "a redirect to the region, as its route says" };
  const fallback = fallbackOf(plan, seen);
  if (fallback !== null) {
    return { ...redirect, mode: plan.mode, fallback: fallback.reason, why: `a redirect instead of ${plan.mode}: ${fallback.words}` };
  }
  return explainGiven(plan, keys, seen);
}

function fallbackOf(plan: PlaybackPlan, seen?: Seen): { readonly reason: PlaybackFallback; readonly words: string } | null {
  const planned = plannedFallback(plan);
  if (planned !== null) return { reason: planned, words: WORDS[planned] };
  if (seen === undefined || seen.fallback === null) return null;
  const { fallback: reason, detail } = seen;
  return { reason, words: detail === null ? WORDS[reason] : `${WORDS[reason]} (${detail})` };
}

function explainGiven({ mode, document, aligned, exit }: PlaybackPlan, keys: KeysOf, seen?: Seen): PlaybackExplanation {
  const answer = document.isPlaylist ? "anchor" : mode;
  const asked = keysIn(answer, document.protocol, keys, seen);
  const pathways = answer === "anchor" ? [] : [...aligned, ...(exit ? [GATEWAY_PATHWAY] : [])];
  const given = answer === "anchor" ? ANCHORED : `the manifest with ${pathways.join(", ")}, best first; the media come from there`;
  return { mode, answer, fallback: null, pathways, keys: asked, why: asked === "region" ? `${given}. ${BOUND}` : given };
}

const ANCHORED = "the manifest under the gateway's own path: every later request comes back and is redirected by itself";
const BOUND = "Its keys are asked of the region that plays, so a key is as mortal as its region";

/** MPDs and anchored playlists are rewritten, keys and all; the playlists of a steered HLS session come from the regions as they are. */
function keysIn(answer: RewritingMode, protocol: "hls" | "dash" | "smooth", keys: KeysOf, seen?: Seen): PlaybackExplanation["keys"] {
  const isRewritten = answer === "anchor" || protocol === "dash";
  if (seen !== undefined && seen.boundKeys > 0) return "region";
  if (keys !== "region" && keys !== "streaming") return keys;
  return isRewritten ? "gateway" : "region";
}
