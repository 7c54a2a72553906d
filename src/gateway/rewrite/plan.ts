/** What is to become of a request for a manifest, from what memory knows. Pure. */
import type { Decision, PlaybackFallback, RewritingMode, Verdict } from "../../core/contracts.ts";
import { priorityOf } from "../steering/priority.ts";
import { MAX_PATHWAYS } from "../steering/session.ts";
import type { Document } from "./document.ts";
import { soundnessOf, unsound, type Copies } from "./soundness.ts";

export interface PlaybackPlan {
  /** As the route has it. */
  readonly mode: RewritingMode;
  readonly document: Document;
  /** Regions whose copies are one to a player, best for this viewer first; so many as fit into a list. */
  readonly aligned: readonly string[];
  /** Whether the gateway's own path stands last in the list: it leads to any region that has the video. */
  readonly exit: boolean;
  /** Regions whose copies nobody has compared with that of the chosen one. */
  readonly unmeasured: readonly string[];
  /** Why the manifest may not be given with all those regions in it, or under the gateway's own path; null: it may. */
  readonly unsound: Readonly<Record<RewritingMode, PlaybackFallback | null>>;
}

/** What an operator or the catalogue says of a region keeps it out of manifests; ill ones are listed, for they may be well again. */
const NOT_LISTED: ReadonlySet<Verdict> = new Set<Verdict>(["disabled", "missing", "absent", "no_service"]);

/** `decision` has chosen a region. */
export function planPlayback(
  { mode, document, anchorLast }: { readonly mode: RewritingMode; readonly document: Document; readonly anchorLast: boolean },
  decision: Decision,
  copies: Copies,
): PlaybackPlan {
  const regions = decision.considered.filter(({ verdict }) => !NOT_LISTED.has(verdict)).map(({ region }) => region);
  const sound = soundnessOf(decision.region ?? "", regions, copies);
  const reasons = document.protocol === "smooth" ? SMOOTH : { steer: unsound("steer", sound), anchor: unsound("anchor", sound) };
  const aligned = priorityOf(sound.aligned, decision).slice(0, MAX_PATHWAYS - 1);
  return { mode, document, aligned, exit: anchorLast && reasons.anchor === null, unmeasured: sound.unmeasured, unsound: reasons };
}

/** Why the request is redirected whatever the manifest says; null where it is read. A playlist that is asked for here is anchored in either mode. */
export function plannedFallback({ mode, document, unsound: reasons }: PlaybackPlan): PlaybackFallback | null {
  return reasons[document.isPlaylist ? "anchor" : mode];
}

const SMOOTH = { steer: "smooth", anchor: "smooth" } as const;
