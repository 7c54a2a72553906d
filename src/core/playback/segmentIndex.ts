/** Reads a segment index box (ISO/IEC 14496-12, 8.16.3): where the segments of a DASH SegmentBase representation are. */
import type { ByteRange } from "./media.ts";

export interface IndexedRange extends ByteRange {
  readonly durationMs: number;
}

/**
 * The byte ranges of the segments, in order. `at` is where the box begins in its resource.
 * Null where the bytes are no complete index box, or one of indexes only.
 */
export function indexedRanges(bytes: Uint8Array, at: number): IndexedRange[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 32 || view.getUint32(4) !== 0x73696478) return null;
  const wide = view.getUint8(8) === 1;
  const timescale = view.getUint32(16);
  const references = wide ? 40 : 32;
  if (timescale === 0 || view.byteLength < references) return null;
  const firstOffset = wide ? Number(view.getBigUint64(28)) : view.getUint32(24);
  const count = view.getUint16(references - 2);
  if (view.byteLength < references + count * 12) return null;
  return ranges(view, { from: references, count, timescale, offset: at + view.getUint32(0) + firstOffset });
}

interface References {
  readonly from: number;
  readonly count: number;
  readonly timescale: number;
  readonly offset: number;
}

function ranges(view: DataView, references: References): IndexedRange[] | null {
  const found: IndexedRange[] = [];
  let offset = references.offset;
  for (let index = 0; index < references.count; index += 1) {
    const at = references.from + index * 12;
    const word = view.getUint32(at);
    if (word >>> 31 === 1) return null;
    found.push({ offset, length: word, durationMs: Math.round((view.getUint32(at + 4) / references.timescale) * 1000) });
    offset += word;
  }
  return found;
}
