/** Which faults befall which videos in a run. */
import { applies, faultClass, FAULTS, VIDEOS, type Fault, type Video } from "../origin/faults.ts";

export interface Cell {
  readonly fault: Fault;
  readonly video: Video;
}

/** One of each kind that differs for a router, for a run of seconds. */
const REPRESENTATIVE: readonly Fault[] = [
  "killed",
  "blackhole",
  "manifest-html",
  "manifest-slow",
  "stale",
  "backwards",
  "segments-garbage",
  "audio-missing",
  "key-forbidden",
  "key-wrong",
  "key-503",
  "certificate-expired",
];

/**
 * All faults times all videos that they can befall; with `quick` the representative faults, each with one video, so that the videos take
 * turns. `only` names faults or classes of faults; null: none named.
 */
export function cellsOf({ quick, only }: { readonly quick: boolean; readonly only: readonly string[] | null }): Cell[] {
  const wanted = (fault: Fault): boolean => only === null || only.includes(fault) || only.includes(faultClass(fault));
  const faults = (quick && only === null ? REPRESENTATIVE : FAULTS).filter(wanted);
  return faults.flatMap((fault, index) => {
    const videos = VIDEOS.filter((video) => applies(fault, video));
    const chosen = quick ? videos.slice(index % videos.length).slice(0, 1) : videos;
    return chosen.map((video) => ({ fault, video }));
  });
}

/** Names for `--only`. */
export function isKnown(name: string): boolean {
  return FAULTS.some((fault) => fault === name || faultClass(fault) === name);
}

export function videoName({ protocol, encrypted, live }: Video): string {
  return `${protocol} ${encrypted ? "aes-128" : "clear"} ${live ? "live" : "vod"}`;
}
