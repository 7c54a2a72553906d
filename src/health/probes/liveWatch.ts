/** Remembers where the playlists of one live video stood, from probe to probe. */
import type { WatchedPlaylist } from "../../core/playback/timeline.ts";
import { progress, type ProgressFault, type ProgressState } from "./progress.ts";

export interface LiveVerdict {
  readonly fault: ProgressFault | null;
  /** Monotonic time from which one of the playlists is stale if it has not gone on by then; null where none can be. */
  readonly staleAt: number | null;
}

export class LiveWatch {
  #states = new Map<string, ProgressState>();

  /** Takes in one read of every playlist. The first fault counts. Playlists that are gone are forgotten. */
  observe(reads: readonly WatchedPlaylist[]): LiveVerdict {
    const states = new Map<string, ProgressState>();
    let fault: ProgressFault | null = null;
    let staleAt: number | null = null;
    for (const read of reads) {
      const step = progress(this.#states.get(read.track) ?? null, read);
      if (step.state !== null) states.set(read.track, step.state);
      fault ??= step.fault;
      if (step.staleAt !== null) staleAt = Math.min(staleAt ?? Infinity, step.staleAt);
    }
    this.#states = states;
    return { fault, staleAt };
  }
}
