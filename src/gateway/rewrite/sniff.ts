/** What caching and comparing need to know of a manifest's text. What players make of it is the kernels' matter (`hls`, `dash`). Pure. */

export interface Sniffed {
  readonly kind: "multivariant" | "media" | "mpd";
  /** More will follow in it. */
  readonly live: boolean;
  /** Milliseconds after which a live one has something new; null where it does not say. */
  readonly stepMs: number | null;
  /** How far a live media playlist has come: grows with every segment and partial segment. Null for all else. */
  readonly end: number | null;
}

const LIVE_MPD = /<MPD\b[^>]*\btype\s*=\s*["']dynamic["']/;
/** More partial segments than any segment has. */
const PARTS_IN_SEGMENT = 10_000;

/** Null where the text is not of this protocol: a login page, an error. */
export function sniff(text: string, protocol: "hls" | "dash"): Sniffed | null {
  return protocol === "dash" ? sniffMpd(text) : sniffPlaylist(text);
}

function sniffMpd(text: string): Sniffed | null {
  if (!/^\uFEFF?\s*<(?:\?xml|!--|MPD[\s>])/.test(text) || !/<MPD[\s>]/.test(text)) return null;
  return { kind: "mpd", live: LIVE_MPD.test(text), stepMs: null, end: null };
}

function sniffPlaylist(text: string): Sniffed | null {
  if (!/^\uFEFF?#EXTM3U[ \t]*(?:\r?\n|$)/.test(text)) return null;
  // A multivariant playlist holds no segment, and a media playlist always says its target duration (RFC 8216, 4.3.3.1).
  if (!/^#EXT-X-TARGETDURATION:/m.test(text)) return { kind: "multivariant", live: false, stepMs: null, end: null };
  if (/^#EXT-X-ENDLIST/m.test(text)) return { kind: "media", live: false, stepMs: null, end: null };
  const part = /^#EXT-X-PART-INF:.*\bPART-TARGET=([\d.]+)/m.exec(text)?.[1];
  const target = /^#EXT-X-TARGETDURATION:\s*(\d+)/m.exec(text)?.[1];
  return { kind: "media", live: true, stepMs: Number(part ?? target ?? 1) * 1000, end: endOf(text) };
}

function endOf(text: string): number {
  const first = Number(/^#EXT-X-MEDIA-SEQUENCE:\s*(\d+)/m.exec(text)?.[1] ?? 0);
  const skipped = Number(/^#EXT-X-SKIP:.*\bSKIPPED-SEGMENTS=(\d+)/m.exec(text)?.[1] ?? 0);
  const segments = text.split(/^#EXTINF:/m);
  const parts = (segments.at(-1) ?? "").split(/^#EXT-X-PART:/m).length - 1;
  return (first + skipped + segments.length - 1) * PARTS_IN_SEGMENT + parts;
}
