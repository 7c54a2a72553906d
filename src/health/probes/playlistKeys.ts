/** The keys that the playlists of one region's videos were last seen to name. */

export interface PlaylistKey {
  /** See `keyIdentity`. */
  readonly id: string;
  /** Path and query to append to the region's key-delivery URL. */
  readonly target: string;
  /** False where the playlist names another host, so that the region may well not have it. */
  readonly sure: boolean;
}

export class PlaylistKeys {
  readonly #keys = new Map<string, { readonly key: PlaylistKey; readonly at: number }>();
  readonly #freshMs: number;
  readonly #monotonic: () => number;

  constructor(freshMs: number, monotonic: () => number) {
    this.#freshMs = freshMs;
    this.#monotonic = monotonic;
  }

  /** `video` was seen to need the key; null: it needs none of the key delivery. */
  learn(video: string, key: PlaylistKey | null): void {
    if (key === null) this.#keys.delete(video);
    else this.#keys.set(video, { key, at: this.#monotonic() });
  }

  /** One for each key that was needed lately. */
  current(): readonly PlaylistKey[] {
    const since = this.#monotonic() - this.#freshMs;
    const fresh = [...this.#keys.values()].filter(({ at }) => at >= since);
    return [...new Map(fresh.map(({ key }) => [key.id, key])).values()];
  }
}
