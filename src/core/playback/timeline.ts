/** Where a playlist stands in time, as one read of it showed. Pure. */

/** One listed segment. */
export interface TimelineSegment {
  /** HLS: its media sequence number. DASH: its start on the presentation timeline, in milliseconds. */
  readonly at: number;
  /** Path relative to its playlist, with the declared byte range; without the query, where signatures differ from read to read. */
  readonly name: string;
  readonly durationMs: number;
  /** An EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean;
  /** Epoch milliseconds; null where the playlist does not say. */
  readonly programDateTime: number | null;
}

/** One variant's playlist, or one DASH representation. */
export interface PlaylistTimeline {
  readonly protocol: "hls" | "dash";
  /** Nothing will be added. */
  readonly ended: boolean;
  /** HLS: the declared target duration. DASH: the longest listed segment. */
  readonly targetMs: number;
  /** DASH: minimumUpdatePeriod; null where there is none. */
  readonly updateMs: number | null;
  /** DASH: publishTime, epoch milliseconds; null where there is none. */
  readonly publishedAt: number | null;
  /** False where the segments follow from a template and the clock: then the list says nothing about what was published. */
  readonly listed: boolean;
  readonly segments: readonly TimelineSegment[];
}

/** A timeline with the name of its track and the time of the read. */
export interface WatchedPlaylist {
  /** For people, and the same at every read: `video 800 kbit/s`. */
  readonly track: string;
  readonly timeline: PlaylistTimeline;
  /** Monotonic milliseconds. What was read was true at some time between the two. */
  readonly askedAt: number;
  readonly answeredAt: number;
}
