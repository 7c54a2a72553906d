/** DASH MPDs for steer and anchor mode. Text in, text out; nothing is thrown for what an origin may have written. */
import type { Rewritten } from "../pathway.ts";
import { orRefusal } from "../refusal.ts";
import { type AnchorDashOptions, anchorTree } from "./anchor.ts";
import { parseMpd } from "./document.ts";
import type { XmlElement } from "./element.ts";
import { type SteerDashOptions, steerTree } from "./steer.ts";

/** The MPD with every region in it, best first. Refuses what would not hold in all of them. */
export function steerDash(text: string, options: SteerDashOptions): Rewritten {
  return rewritten(text, (mpd) => steerTree(mpd, options));
}

/** The MPD for the gateway's own path. */
export function anchorDash(text: string, options: AnchorDashOptions): Rewritten {
  return rewritten(text, (mpd) => anchorTree(mpd, options));
}

function rewritten(text: string, rewrite: (mpd: XmlElement) => number): Rewritten {
  const parsed = parseMpd(text);
  if (!parsed.ok) return parsed;
  return orRefusal(() => {
    const boundKeys = rewrite(parsed.mpd);
    return { ok: true, text: parsed.serialise(), boundKeys };
  });
}
