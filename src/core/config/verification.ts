/** How thoroughly copies are verified, and how often again. */
import { z } from "zod";
import { durationFrom } from "./units.ts";

const SIZE = "write a size with its unit: 64KiB, 1MiB, 1GiB";
const UNIT_BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export const size = z
  .string(SIZE)
  .regex(/^\d+(KiB|MiB|GiB)$/, SIZE)
  .transform((text) => Number.parseInt(text, 10) * (UNIT_BYTES[text.replace(/^\d+/, "")] ?? Number.NaN));

export const verification = z.strictObject({
  /** `md5`: the services' Content-MD5 is believed, which a server-side copy carries over unread. `sampled`: some is read each time. `full`: all is. */
  content: z.enum(["md5", "sampled", "full"]).prefault("sampled"),
  /** `sampled`: so many blobs of a video each time, others the next time. */
  blobs: z.int().min(1).max(10_000).prefault(16),
  /** `sampled`: so many ranges of 256 KiB of a blob each time, the first and the last among them, others the next time. */
  ranges: z.int().min(3).max(1_000).prefault(4),
  /** Blobs up to this size are read whole. */
  wholeUpTo: size.prefault("1MiB"),
  /** `first`: a segment of each manifest. `renditions`: of every rendition one at start, middle and end. Every content key, either way. */
  playback: z.enum(["first", "renditions"]).prefault("renditions"),
});

export const recheck = z.strictObject({
  enabled: z.boolean().prefault(true),
  /** Within this time `serve` verifies every copy again. */
  every: durationFrom(1_000).prefault("30d"),
  /** Copies at a time. */
  concurrency: z.int().min(1).max(64).prefault(2),
  /** Whether damaged copies are copied again, or only taken out of service and reported. */
  repair: z.boolean().prefault(true),
});
