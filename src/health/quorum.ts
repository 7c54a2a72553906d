/**
 * Pure: whether enough different viewers fail. Each viewer has one voice, its latest outcome within the window: one of them cannot speak
 * against a service, however often it asks, and a few that fail among many that succeed cannot either. Times are those of a monotonic clock.
 */
export interface QuorumPolicy {
  /** Different viewers that have to fail. */
  readonly quorum: number;
  /** Milliseconds for which a voice counts. */
  readonly window: number;
}

/** Voices that are remembered: enough for a majority to be a majority, and a bound on memory. */
const MOST_VOICES = 512;

interface Voice {
  readonly ok: boolean;
  readonly at: number;
}

/** The viewers of one service. Constant work per outcome, over time. */
export class ViewerQuorum {
  readonly #policy: QuorumPolicy;
  /** Oldest voice first. */
  readonly #voices = new Map<string, Voice>();
  #failing = 0;

  constructor(policy: QuorumPolicy) {
    this.#policy = policy;
  }

  /** Takes in what a viewer saw. True while the viewers that fail are enough, and more than those that succeed. */
  heard(viewer: string, ok: boolean, at: number): boolean {
    this.#forget(viewer);
    this.#voices.set(viewer, { ok, at });
    if (!ok) this.#failing += 1;
    this.#expire(at);
    return this.#failing >= this.#policy.quorum && this.#failing > this.#voices.size - this.#failing;
  }

  /** What was heard was about an outage that is over, or has been believed. */
  clear(): void {
    this.#voices.clear();
    this.#failing = 0;
  }

  #expire(at: number): void {
    for (const [viewer, voice] of this.#voices) {
      if (at - voice.at < this.#policy.window && this.#voices.size <= MOST_VOICES) return;
      this.#forget(viewer);
    }
  }

  #forget(viewer: string): void {
    const voice = this.#voices.get(viewer);
    if (voice === undefined) return;
    this.#voices.delete(viewer);
    if (!voice.ok) this.#failing -= 1;
  }
}
