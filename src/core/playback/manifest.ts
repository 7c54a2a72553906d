/** Reads an HLS playlist or a DASH MPD into the same few words: tracks, their segments, initialisation sections and keys. */
import { dashManifest } from "./dashManifest.ts";
import { hlsManifest, hlsPlaylist } from "./hlsManifest.ts";
import { isWellFormed } from "./xml.ts";

export type Protocol = "hls" | "dash";

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A key as the manifest declares it. `iv` is 32 hex digits; for AES-128 without an IV it is the media sequence number (RFC 8216, 5.2). */
export interface PlaybackKey {
  /** `AES-128`, or the method of a sample encryption, whose containers stay readable. */
  readonly method: string;
  readonly uri: string;
  readonly iv: string | null;
}

/** Something to get: a whole resource, or a declared range of it. */
export interface MediaPart {
  readonly url: string;
  readonly range: ByteRange | null;
  readonly key: PlaybackKey | null;
}

export interface MediaSegment extends MediaPart {
  readonly durationMs: number;
  readonly init: MediaPart | null;
  /** Place in the timeline: see `TimelineSegment`. */
  readonly at: number;
  readonly discontinuity: boolean;
  readonly programDateTime: number | null;
}

export interface Media {
  /** More segments may follow. */
  readonly live: boolean;
  readonly segments: readonly MediaSegment[];
  /** DASH SegmentBase: the segments stand in the index box at this range. */
  readonly index: { readonly part: MediaPart; readonly init: MediaPart | null } | null;
  /** HLS: the declared target duration; null where there is none, and in DASH. */
  readonly targetMs: number | null;
  /** DASH minimumUpdatePeriod. */
  readonly updateMs: number | null;
  /** DASH publishTime, epoch milliseconds. */
  readonly publishedAt: number | null;
  /** False where the segments follow from a template and the clock. */
  readonly listed: boolean;
}

/** A variant or an audio rendition that has a playlist of its own (HLS), or a representation (DASH). */
export interface Track {
  readonly kind: "video" | "audio";
  readonly name: string;
  /** Bits per second. */
  readonly bandwidth: number | null;
  readonly codecs: string | null;
  readonly url: string;
  /** Null where it stands in a media playlist that has to be fetched. */
  readonly media: Media | null;
}

export interface ParsedManifest {
  readonly protocol: Protocol;
  /** Variants first, then audio. */
  readonly tracks: readonly Track[];
  /** Ids of the content keys of a sample encryption (`cenc:default_KID`), lower case, sorted. */
  readonly keyIds: readonly string[];
}

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
