/**
 * dash.js 5.2: a request is tried again at the same place, steered or not; after the last attempt the place's service location is left alone for a
 * time. It steers by what the next segment is asked of.
 */
import { Fatal, has, isPiece, lookUp, pathwayOf, sourceOf, type Driver, type Piece, type Tools } from "../driver.ts";
import type { TrackKind } from "../playback.ts";
import type { MediaPlaylist } from "../presentation.ts";

export interface DashJsRules {
  /** `fragmentRequestTimeout`: for a whole segment. */
  readonly timeoutMs: number;
  /** `retryAttempts.MediaSegment`: after the first. */
  readonly retries: number;
  readonly retryMs: number;
  /** `blacklistExpiryTime`, where no steering server says a TTL; Infinity: for ever. */
  readonly blacklistMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;

export class DashJs implements Driver {
  readonly #rules: DashJsRules;
  readonly #tools: Tools;
  readonly #blacklist = new Map<string, number>();
  #priority: readonly string[];
  #ttlMs: number | null = null;
  #used: string;

  constructor(rules: DashJsRules, tools: Tools) {
    this.#rules = rules;
    this.#tools = tools;
    const { pathways, steering } = tools.presentation;
    const initial = steering?.pathway ?? null;
    const ids = pathways.map(({ id }) => id);
    this.#priority = initial === null ? ids : [initial, ...ids.filter((id) => id !== initial)];
    this.#used = this.#priority[0] ?? "";
  }

  get pathway(): string {
    return this.#used;
  }

  steer(priority: readonly string[], ttlSeconds: number): void {
    this.#priority = priority;
    this.#ttlMs = ttlSeconds * 1000;
  }

  listed(kind: TrackKind): Promise<MediaPlaylist> {
    const { media } = sourceOf(pathwayOf(this.#tools.presentation, this.#choose()), kind, this.#level);
    if (media === null) throw new Error("dash.js plays MPDs only");
    return Promise.resolve(media);
  }

  async piece(kind: TrackKind, number: number): Promise<Piece> {
    for (;;) {
      const place = this.#choose();
      this.#used = place;
      const { media } = sourceOf(pathwayOf(this.#tools.presentation, place), kind, this.#level);
      if (media === null) throw new Error("dash.js plays MPDs only");
      const found = lookUp(media, number);
      if (isPiece(found)) return found;
      const loaded = await this.#request(found.uri);
      if (loaded !== null && loaded.ok) return { type: "segment", segment: found, region: loaded.region };
      this.#blacklist.set(place, this.#tools.clock.monotonic() + (this.#ttlMs ?? this.#rules.blacklistMs));
    }
  }

  get #level(): number {
    return (this.#tools.presentation.pathways[0]?.video.length ?? 0) - 1;
  }

  /** Null after the last attempt. */
  async #request(url: string) {
    const { network, clock, signal } = this.#tools;
    const { retries, retryMs, timeoutMs } = this.#rules;
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      if (attempt > 0) await clock.sleep(retryMs, signal);
      const transfer = await network.get(url, { firstByteMs: NEVER, totalMs: timeoutMs, silenceMs: NEVER }, signal);
      if (transfer.ok) return transfer;
    }
    return null;
  }

  #choose(): string {
    const { presentation, clock } = this.#tools;
    const now = clock.monotonic();
    const usable = (id: string): boolean => has(presentation, id) && (this.#blacklist.get(id) ?? 0) <= now;
    const all = [...this.#priority, ...presentation.pathways.map(({ id }) => id)];
    const chosen = all.find(usable);
    if (chosen === undefined) throw new Fatal("27 segment is not available");
    return chosen;
  }
}
