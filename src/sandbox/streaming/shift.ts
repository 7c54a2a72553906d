/** Moves a fragment in time, so that a recorded one can be broadcast again. */
import { MP4BoxBuffer, createFile } from "mp4box";
import { OriginError } from "./originErrors.ts";

/** A copy whose decode times (`tfdt`, ISO/IEC 14496-12, 8.8.12) are later by `ticks`. Throws `asset_unusable` where a time is not of 64 bits. */
export function shiftFragment(bytes: Uint8Array, ticks: number, name: string): Uint8Array {
  const copy = new Uint8Array(bytes);
  if (ticks === 0) return copy;
  const iso = createFile();
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(copy.slice().buffer, 0));
  const view = new DataView(copy.buffer);
  for (const { start } of iso.moofs.flatMap(({ trafs }) => trafs.map(({ tfdt }) => tfdt))) {
    // Header of 8 bytes, version and flags of 4, then the time.
    if (start === undefined || view.getUint8(start + 8) !== 1) {
      throw new OriginError("asset_unusable", `${name}: a live channel needs decode times of 64 bits (tfdt version 1)`);
    }
    view.setBigUint64(start + 12, view.getBigUint64(start + 12) + BigInt(ticks));
  }
  return copy;
}
