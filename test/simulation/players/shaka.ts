/**
 * Shaka Player 5.2, HLS and DASH: `networking_engine.js`, `content_steering_manager.js`, `streaming_engine.js`. Every request has a list of places,
 * and attempt n goes to the n-th; with steering a place that failed is banned by its host name. Steering changes the order of later requests only.
 */
import { Fatal, has, isPiece, lookUp, Playlists, pathwayOf, sourceOf, type Driver, type Piece, type Tools } from "../driver.ts";
import type { Patience } from "../faults.ts";
import type { Transfer } from "../network.ts";
import type { TrackKind } from "../playback.ts";
import type { MediaPlaylist, Pathway, Source } from "../presentation.ts";

/** `streaming.retryParameters`; those for manifests are the same. */
export interface ShakaRules {
  readonly maxAttempts: number;
  readonly baseDelay: number;
  readonly backoffFactor: number;
  readonly fuzzFactor: number;
  readonly connectionTimeout: number;
  readonly stallTimeout: number;
  readonly timeout: number;
}

const BAN_MS = 60_000;
/** `minBytesForProgressEvents`: a smaller beginning does not count as one. */
const NOTICED_BYTES = 16_000;
/** `streaming.maxDisabledTime`. */
const DISABLED_MS = 30_000;
/** `defaultStreamingFailureCallback_`: live streams are tried again, and at once where a timeout was waited for. */
const LIVE_RETRY_MS = 1_000;
const LIVE_TIMEOUT_RETRY_MS = 100;

interface Variant {
  readonly copy: number;
  readonly level: number;
}

export class Shaka implements Driver {
  readonly #rules: ShakaRules;
  readonly #tools: Tools;
  readonly #patience: Patience;
  readonly #playlists: Playlists;
  /** Host -> until when. */
  readonly #bans = new Map<string, number>();
  /** Variant, by copy and level -> until when. */
  readonly #disabled = new Map<string, number>();
  /** Null until a steering manifest was read: then only the default pathway is used. */
  #priority: readonly string[] | null = null;
  #lastUsed: string;
  #level: number;
  /** HLS without steering: copies of a variant are variants of their own. In DASH they are places of one. */
  #copy = 0;
  #failures = 0;

  constructor(rules: ShakaRules, tools: Tools) {
    this.#rules = rules;
    this.#tools = tools;
    this.#patience = {
      firstByteMs: rules.connectionTimeout,
      totalMs: rules.timeout,
      silenceMs: rules.stallTimeout,
      noticedBytes: NOTICED_BYTES,
    };
    this.#playlists = new Playlists(tools.clock);
    const [first] = tools.presentation.pathways;
    this.#lastUsed = tools.presentation.steering?.pathway ?? first?.id ?? "";
    this.#level = (first?.video.length ?? 0) - 1;
  }

  get pathway(): string {
    return this.#lastUsed;
  }

  steer(priority: readonly string[]): void {
    this.#priority = priority;
  }

  async listed(kind: TrackKind): Promise<MediaPlaylist> {
    return this.#media(kind, null);
  }

  async piece(kind: TrackKind, number: number): Promise<Piece> {
    for (;;) {
      const media = await this.#media(kind, number);
      const asked = { copy: this.#copy, level: this.#level };
      const found = lookUp(media, number);
      if (isPiece(found)) return found;
      // A relative name is resolved against the playlists of all places: the same name has to be there in every region.
      const places = this.#sources(kind).map(
        ({ url, media: own }) => own?.segments.find((each) => each.number === number)?.uri ?? new URL(found.uri, url).href,
      );
      const transfer = await this.#request(places);
      if (transfer.ok) {
        this.#failures = 0;
        return { type: "segment", segment: found, region: transfer.region };
      }
      await this.#failed(kind, asked, transfer, media.live);
    }
  }

  /** What is left to do after the last attempt: another variant, or the end of VOD. */
  async #failed(kind: TrackKind, asked: Variant, { timedOut }: Extract<Transfer, { ok: false }>, live: boolean): Promise<void> {
    const { clock, signal } = this.#tools;
    const { maxAttempts } = this.#rules;
    await clock.sleep(this.#backOff(this.#failures % Math.max(2, maxAttempts)), signal);
    this.#failures += 1;
    if (!timedOut && this.#disable(kind, asked)) return;
    if (!live) throw new Fatal(timedOut ? "1003 TIMEOUT" : "1002 HTTP_ERROR");
    await clock.sleep(timedOut ? LIVE_TIMEOUT_RETRY_MS : LIVE_RETRY_MS, signal);
  }

  /** Another variant, where there is one that is not disabled; audio is disabled with its copy only. */
  #disable(kind: TrackKind, asked: Variant): boolean {
    if (asked.copy !== this.#copy || (kind === "video" && asked.level !== this.#level)) return true;
    const now = this.#tools.clock.monotonic();
    const { presentation } = this.#tools;
    const copies = presentation.steering === null ? [...presentation.pathways.keys()] : [0];
    const all = copies.flatMap((copy) =>
      [...(presentation.pathways[copy]?.video.keys() ?? [])].toReversed().map((level) => ({ copy, level })),
    );
    const others = all.filter(({ copy, level }) => copy !== this.#copy || (kind === "video" && level !== this.#level));
    const other = others.find(({ copy, level }) => (this.#disabled.get(`${copy} ${level}`) ?? 0) <= now);
    if (other === undefined) return false;
    this.#disabled.set(`${this.#copy} ${this.#level}`, now + DISABLED_MS);
    this.#copy = other.copy;
    this.#level = other.level;
    return true;
  }

  async #media(kind: TrackKind, number: number | null): Promise<MediaPlaylist> {
    const { clock, signal } = this.#tools;
    for (;;) {
      const sources = this.#sources(kind);
      // One playlist stands for all places: its names are used at each.
      const source = sourceOf(this.#copied(), kind, this.#level);
      const asked = { copy: this.#copy, level: this.#level };
      const known = this.#playlists.usable(source, number);
      if (known !== null) return known;
      await clock.sleep(this.#playlists.pause(source), signal);
      const transfer = await this.#request(sources.map(({ url }) => url));
      if (transfer.ok) {
        const media = this.#playlists.keep(source, transfer.text, transfer.url);
        if (number === null) return media;
      } else if (number === null) throw new Fatal(`${transfer.timedOut ? "1003" : "1002"} at the first playlist`);
      else await this.#failedPlaylist(kind, asked, source);
    }
  }

  /** A live playlist that cannot be refreshed is asked for again; another variant's that cannot be had is given up with its variant. */
  async #failedPlaylist(kind: TrackKind, asked: Variant, source: Source): Promise<void> {
    const { clock, signal } = this.#tools;
    const refresh = this.#playlists.usable(source, null)?.live === true;
    if (!refresh && !this.#disable(kind, asked)) throw new Fatal("1002 HTTP_ERROR");
    await clock.sleep(LIVE_RETRY_MS, signal);
  }

  #copied(): Pathway {
    const { pathways } = this.#tools.presentation;
    const copy = pathways[this.#copy];
    if (copy === undefined) throw new Error("the manifest has no such copy");
    return copy;
  }

  #allSources(kind: TrackKind): readonly Source[] {
    return this.#tools.presentation.pathways.map((pathway) => sourceOf(pathway, kind, this.#level));
  }

  /** `getLocations`: by priority and without those that are banned; else the default pathway; else all. */
  #sources(kind: TrackKind): readonly Source[] {
    const { presentation, clock } = this.#tools;
    const now = clock.monotonic();
    if (presentation.steering === null) {
      const own = sourceOf(this.#copied(), kind, this.#level);
      return own.media === null ? [own] : this.#allSources(kind);
    }
    const ids = (this.#priority ?? []).filter((id) => has(presentation, id));
    const allowed = ids.filter((id) => (this.#bans.get(hostOf(sourceOf(pathwayOf(presentation, id), kind, this.#level))) ?? 0) <= now);
    this.#lastUsed = allowed[0] ?? this.#lastUsed;
    const fallback = presentation.steering.pathway;
    if (allowed.length > 0) return allowed.map((id) => sourceOf(pathwayOf(presentation, id), kind, this.#level));
    if (fallback !== null && has(presentation, fallback)) return [sourceOf(pathwayOf(presentation, fallback), kind, this.#level)];
    return this.#allSources(kind);
  }

  async #request(places: readonly string[]): Promise<Transfer> {
    const { clock, network, presentation, signal } = this.#tools;
    for (let attempt = 0; ; attempt += 1) {
      const index = attempt % places.length;
      const before = places[index - 1];
      if (attempt > 0) {
        if (before !== undefined && presentation.steering !== null) this.#bans.set(new URL(before).host, clock.monotonic() + BAN_MS);
        await clock.sleep(this.#backOff(attempt), signal);
      }
      const transfer = await network.get(places[index] ?? "", this.#patience, signal);
      if (transfer.ok || attempt + 1 >= this.#rules.maxAttempts) return transfer;
    }
  }

  /** `Backoff`: nothing before the first attempt, then longer each time, give or take the fuzz. */
  #backOff(attempt: number): number {
    const { baseDelay, backoffFactor, fuzzFactor } = this.#rules;
    if (attempt === 0) return 0;
    const fuzz = 1 + fuzzFactor * (2 * this.#tools.random.next() - 1);
    return baseDelay * backoffFactor ** (attempt - 1) * fuzz;
  }
}

function hostOf({ url }: Source): string {
  return new URL(url).host;
}
