/** How thoroughly copies are verified. Pure. */

/** Bytes of one range that is read for a sample. */
export const RANGE_BYTES = 256 * 1024;

export interface VerificationPolicy {
  /** `none`: lengths and properties only. `md5`: the services' Content-MD5 is believed. `sampled`: some of it is read each time. `full`: all. */
  readonly content: "none" | "md5" | "sampled" | "full";
  /** Of a container, so many blobs each time (`sampled`). */
  readonly blobs: number;
  /** Of a blob, so many ranges of 256 KiB each time (`sampled`), the first and the last among them. */
  readonly ranges: number;
  /** Blobs up to this length, in bytes, are read whole where they are read. */
  readonly wholeBytes: number;
  /** `first`: each manifest and one segment. `renditions`: a segment at start, middle and end of every rendition. Keys: all, always. */
  readonly playback: "none" | "first" | "renditions";
}

/** At most some 16 MiB of a video each time. */
export const DEFAULT_VERIFICATION: VerificationPolicy = {
  content: "sampled",
  blobs: 16,
  ranges: 4,
  wholeBytes: 1024 * 1024,
  playback: "renditions",
};
