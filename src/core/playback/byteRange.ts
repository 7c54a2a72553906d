/** Byte ranges that a manifest declares. */
import type { ByteRange } from "./media.ts";

/** The range, checked; null where none is declared. Throws a RangeError. */
export function byteRange(range: ByteRange | undefined): ByteRange | null {
  if (range === undefined) return null;
  const { offset, length } = range;
  if (!Number.isSafeInteger(offset + length) || offset < 0 || length < 1) throw new RangeError("a byte range that is none");
  return { offset, length };
}
