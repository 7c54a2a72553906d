/** Reads an HLS playlist or a DASH MPD into the same few words. */
import { dashManifest } from "./dashManifest.ts";
import { hlsManifest, hlsPlaylist } from "./hlsManifest.ts";
import type { Media, ParsedManifest } from "./media.ts";
import { isWellFormed } from "./xml.ts";

/**
 * Parses what a manifest URL answered. Null where the text is neither an HLS playlist nor an MPD. `now`, in epoch milliseconds, says how far
 * a live template without a list of segments has come; left out: the process's own clock.
 */
export function parseManifest(text: string, url: string, now?: number): ParsedManifest | null {
  if (isPlaylist(text)) return usable(() => hlsManifest(text, url));
  return isMpd(text) ? usable(() => dashManifest(text, url, now)) : null;
}

/** Parses a media playlist. Null where the text is none. */
export function parseMediaPlaylist(text: string, url: string): Media | null {
  return isPlaylist(text) ? usable(() => hlsPlaylist(text, url)) : null;
}

/** The parsers, and URLs that cannot be resolved, throw plain errors of many kinds; to the caller all of them are "not a manifest". */
function usable<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

/** The parser takes any text for a playlist; players insist on the first line (RFC 8216, 4.3.1.1). */
function isPlaylist(text: string): boolean {
  return /^#EXTM3U[ \t]*(\r?\n|$)/.test(text);
}

function isMpd(text: string): boolean {
  return /^\uFEFF?\s*<(\?xml|!--|MPD[\s>])/.test(text) && /<MPD[\s>]/.test(text) && isWellFormed(text.replace(/^\uFEFF/, ""));
}
