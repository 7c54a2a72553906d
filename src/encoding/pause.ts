/** Pure: how long to wait with what has failed. */

/** Doublings after which any pause is the longest. */
const MOST_DOUBLINGS = 20;

/** Milliseconds after so many failures in a row, from 1 on: `firstMs`, doubled with each further one, at most `longestMs`. */
export function pauseAfter(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, MOST_DOUBLINGS));
}
