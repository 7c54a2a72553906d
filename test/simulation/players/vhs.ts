/**
 * video.js's VHS 3.17: `playlist-controller.js` and `content-steering-controller.js`. It gives up nothing by itself on its lowest variant, and leaves
 * a pathway only when a steering manifest sends it elsewhere; then it aborts what is under way, as no other player does.
 */
import { has, isPiece, lookUp, Playlists, pathwayOf, sourceOf, type Driver, type Piece, type Tools } from "../driver.ts";
import type { Transfer } from "../network.ts";
import { SEGMENT_MS } from "../origin.ts";
import type { TrackKind } from "../playback.ts";
import type { MediaPlaylist, Source } from "../presentation.ts";
import type { Demotion } from "./hlsjs.ts";

export interface VhsRules {
  /** Longest time for a playlist. */
  readonly playlistMs: number;
  /** `playlistExclusionDuration`. */
  readonly exclusionMs: number;
  /** The client kit's helper: silence is a failure, and a failure moves all variants to the next pathway. Null: without it. */
  readonly demotion: Demotion | null;
}

const NEVER = Number.POSITIVE_INFINITY;

export class Vhs implements Driver {
  readonly #rules: VhsRules;
  readonly #tools: Tools;
  readonly #playlists: Playlists;
  /** Variants that failed: until when. */
  #excluded = new Map<number, number>();
  readonly #unavailable = new Map<string, number>();
  #pathway: string;
  #level: number;
  #priority: readonly string[] = [];
  #ttlMs = NEVER;
  /** Aborted and replaced when the pathway changes. */
  #present = new AbortController();

  constructor(rules: VhsRules, tools: Tools) {
    this.#rules = rules;
    this.#tools = tools;
    this.#playlists = new Playlists(tools.clock);
    const { pathways, steering } = tools.presentation;
    const initial = steering?.pathway ?? null;
    this.#pathway = initial !== null && has(tools.presentation, initial) ? initial : (pathways[0]?.id ?? "");
    this.#level = this.#levels.length - 1;
  }

  get pathway(): string {
    return this.#pathway;
  }

  steer(priority: readonly string[], ttlSeconds: number): void {
    this.#ttlMs = ttlSeconds * 1000;
    const now = this.#tools.clock.monotonic();
    this.#priority = priority;
    const { demotion } = this.#rules;
    demotion?.penalties.heard(priority, now);
    if (demotion !== null) {
      this.#go(demotion.penalties.order(this.#listed(), now)[0]);
      return;
    }
    const available = (id: string): boolean => (this.#unavailable.get(id) ?? 0) <= now;
    this.#go(this.#listed().find(available));
  }

  async listed(kind: TrackKind): Promise<MediaPlaylist> {
    return this.#media(kind, null);
  }

  async piece(kind: TrackKind, number: number): Promise<Piece> {
    for (;;) {
      const media = await this.#media(kind, number);
      const found = lookUp(media, number);
      if (isPiece(found)) return found;
      const pathway = this.#pathway;
      const transfer = await this.#get(new URL(found.uri, media.url).href, this.#timeout(media.targetDuration));
      if (transfer === "aborted") continue;
      if (transfer.ok) return { type: "segment", segment: found, region: transfer.region };
      if (transfer.timedOut && this.#rules.demotion === null) this.#level = 0;
      else await this.#failed(pathway, media.targetDuration);
    }
  }

  /** The list that came last, and behind it what it does not name. */
  #listed(): readonly string[] {
    const { presentation } = this.#tools;
    return [...new Set([...this.#priority.filter((id) => has(presentation, id)), ...presentation.pathways.map(({ id }) => id)])];
  }

  /** True where that is another pathway. */
  #go(pathway: string | undefined): boolean {
    if (pathway === undefined || pathway === this.#pathway) return false;
    this.#pathway = pathway;
    this.#excluded = new Map();
    this.#level = this.#levels.length - 1;
    this.#present.abort();
    this.#present = new AbortController();
    return true;
  }

  get #levels(): readonly Source[] {
    return pathwayOf(this.#tools.presentation, this.#pathway).video;
  }

  /** `requestOptions_.timeout`: one and a half target durations, and none where there is nothing lower to go to. */
  #timeout(targetDuration: number): number {
    const now = this.#tools.clock.monotonic();
    const lower = [...this.#levels.keys()].filter((level) => level < this.#level && (this.#excluded.get(level) ?? 0) <= now);
    return lower.length === 0 ? NEVER : targetDuration * 1500;
  }

  async #failed(pathway: string, targetDuration: number): Promise<void> {
    const { demotion } = this.#rules;
    if (demotion !== null && this.#tools.presentation.pathways.length > 1) {
      const now = this.#tools.clock.monotonic();
      demotion.penalties.failed(pathway, now);
      if (this.#go(demotion.penalties.order(this.#listed(), now)[0])) return;
    }
    await this.#exclude(targetDuration);
  }

  /** `excludePlaylist`: the next variant; after the last one it waits for a steering manifest, or begins again where nobody steers. */
  async #exclude(targetDuration: number): Promise<void> {
    const { clock, signal, presentation } = this.#tools;
    const now = clock.monotonic();
    this.#excluded.set(this.#level, now + this.#rules.exclusionMs);
    const other = [...this.#levels.keys()].findLast((level) => (this.#excluded.get(level) ?? 0) <= now);
    if (
      other === undefined &&
      presentation.steering === null &&
      this.#go(
        after(
          presentation.pathways.map(({ id }) => id),
          this.#pathway,
        ),
      )
    )
      return;
    if (other === undefined && presentation.steering !== null) {
      this.#unavailable.set(this.#pathway, now + this.#ttlMs);
      await clock.sleep(NEVER, AbortSignal.any([signal, this.#present.signal])).catch(() => undefined);
      signal.throwIfAborted();
      return;
    }
    if (other === undefined) this.#excluded = new Map([[this.#level, now + this.#rules.exclusionMs]]);
    this.#level = other ?? (this.#level === 0 ? this.#levels.length - 1 : 0);
    await clock.sleep(other === undefined ? targetDuration * 500 : 0, signal);
  }

  async #media(kind: TrackKind, number: number | null): Promise<MediaPlaylist> {
    for (;;) {
      const source = sourceOf(pathwayOf(this.#tools.presentation, this.#pathway), kind, this.#level);
      const known = this.#playlists.usable(source, number);
      if (known !== null) return known;
      await this.#tools.clock.sleep(this.#playlists.pause(source), this.#tools.signal);
      const pathway = this.#pathway;
      const transfer = await this.#get(source.url, this.#rules.playlistMs);
      if (transfer === "aborted") continue;
      if (transfer.ok) this.#playlists.keep(source, transfer.text, transfer.url);
      else await this.#failed(pathway, SEGMENT_MS / 1000);
    }
  }

  async #get(url: string, timeoutMs: number): Promise<Transfer | "aborted"> {
    const { network, signal } = this.#tools;
    const present = this.#present.signal;
    const silenceMs = this.#rules.demotion?.silenceMs ?? NEVER;
    try {
      return await network.get(url, { firstByteMs: silenceMs, totalMs: timeoutMs, silenceMs }, AbortSignal.any([signal, present]));
    } catch (error) {
      if (!present.aborted || signal.aborted) throw error;
      return "aborted";
    }
  }
}

/** The next one in the circle. */
function after(ids: readonly string[], id: string): string | undefined {
  return ids[(ids.indexOf(id) + 1) % ids.length];
}
