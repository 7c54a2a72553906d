/** The words in which an HLS playlist and a DASH MPD are the same: tracks, their segments, initialisation sections and keys. */

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
