/** V8's memory where a large library is gone through, the same with whatever flags node was started. */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * Each of the two halves of the space for new objects. V8 begins with 1 MiB, which promotes what is under way, and to collect that costs twice the
 * processor time; left to itself it goes on to 16.
 */
const HALF_BYTES = 4 * 1024 * 1024;
/** More than it takes to fill such a space. */
const AT_MOST = 400_000;
const AT_A_TIME = 4_000;

/**
 * Of a large library's lists nearly everything is garbage at once. V8 would let the heap grow to four times what is alive before it looks, and the
 * space for new objects to tens of MB. To be called once, before anything large is read; takes some tens of milliseconds.
 */
export function collectEarly(): void {
  setFlagsFromString("--heap-growing-percent=20");
  growNewSpace();
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Once: it grows by filling it with what survives, as its size is no flag any more once the process runs. */
function growNewSpace(): void {
  setFlagsFromString("--semi-space-growth-factor=4");
  const alive: { readonly at: number }[] = [];
  while (newSpace() < HALF_BYTES && alive.length < AT_MOST) for (let at = 0; at < AT_A_TIME; at += 1) alive.push({ at });
}

function newSpace(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? HALF_BYTES;
}
