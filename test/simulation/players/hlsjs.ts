/**
 * hls.js 1.7: `error-controller.ts`, `base-stream-controller.ts` and `content-steering-controller.ts`. A hanging request is not given up because
 * of a steering answer; a failed one is asked again of the pathway that holds then. The next region's turn comes when all variants of this one failed.
 */
import { has, isPiece, lookUp, Playlists, pathwayOf, sourceOf, Fatal, type Driver, type Piece, type Tools } from "../driver.ts";
import type { Patience } from "../faults.ts";
import type { Transfer } from "../network.ts";
import type { TrackKind } from "../playback.ts";
import type { MediaPlaylist, Segment, Source } from "../presentation.ts";

export interface Retries {
  readonly count: number;
  readonly delayMs: number;
  readonly longestMs: number;
  readonly backoff: "exponential" | "linear";
}

export interface LoadPolicy {
  readonly firstByteMs: number;
  readonly totalMs: number;
  readonly timeouts: Retries;
  readonly errors: Retries;
}

/** The client kit's plugin: it leaves a pathway at the first sign, and gives up what hangs there. */
export interface Demotion {
  readonly silenceMs: number;
  readonly penalties: Penalties;
}

/** As `clients/penalties.js` has it. */
export interface Penalties {
  failed(pathway: string, now: number): void;
  order(pathways: readonly string[], now: number): readonly string[];
  heard(priority: readonly string[], now: number): void;
}

export interface HlsJsRules {
  readonly fragment: LoadPolicy;
  readonly playlist: LoadPolicy;
  /** Statuses that are asked again beside 5xx; 0: no answer at all. */
  readonly askedAgain: ReadonlySet<number>;
  /** Null: without the plugin. */
  readonly demotion: Demotion | null;
}

type Failure = Extract<Transfer, { ok: false }>;

interface Loading {
  readonly pathway: string;
  readonly since: number;
  readonly abort: AbortController;
}

/** `PATHWAY_PENALTY_DURATION_MS`. */
const PENALTY_MS = 300_000;
/** The controllers look again this often. */
const TICK_MS = 100;
const NEVER = Number.POSITIVE_INFINITY;

export class HlsJs implements Driver {
  readonly #rules: HlsJsRules;
  readonly #tools: Tools;
  readonly #playlists: Playlists;
  readonly #penalties = new Map<string, number>();
  readonly #loading = new Set<Loading>();
  /** The steering server's last list; before the first, the manifest's order. */
  #priority: readonly string[];
  #pathway: string;
  #level: number;
  /** Variants of this pathway that failed and have not brought anything since. */
  #failedLevels = new Set<number>();
  #fragmentErrors = 0;
  #playlistErrors = 0;

  constructor(rules: HlsJsRules, tools: Tools) {
    this.#rules = rules;
    this.#tools = tools;
    this.#playlists = new Playlists(tools.clock);
    const { pathways, steering } = tools.presentation;
    this.#priority = pathways.map(({ id }) => id);
    const initial = steering?.pathway ?? null;
    this.#pathway = initial !== null && has(tools.presentation, initial) ? initial : (this.#priority[0] ?? "");
    this.#level = pathwayOf(tools.presentation, this.#pathway).video.length - 1;
  }

  get pathway(): string {
    return this.#pathway;
  }

  steer(priority: readonly string[]): void {
    const { demotion } = this.#rules;
    demotion?.penalties.heard(priority, this.#tools.clock.monotonic());
    this.#priority = priority;
    this.#apply();
  }

  async listed(kind: TrackKind): Promise<MediaPlaylist> {
    return this.#media(kind, null);
  }

  async piece(kind: TrackKind, number: number): Promise<Piece> {
    // The plugin's penalties end by themselves.
    if (this.#rules.demotion !== null) this.#apply();
    for (;;) {
      const media = await this.#media(kind, number);
      const pathway = this.#pathway;
      const found = lookUp(media, number);
      if (isPiece(found)) return found;
      const transfer = await this.#fragment(new URL(found.uri, media.url).href, pathway);
      if (transfer === "given up") continue;
      if (transfer.ok) return this.#buffered(kind, found, transfer);
      const next = this.#fragmentFailed(kind, transfer, pathway, media.live && number < (media.segments.at(-1)?.number ?? 0));
      if (next === "gap") return { type: "gap", next: number + 1 };
      await this.#tools.clock.sleep(next, this.#tools.signal);
    }
  }

  #buffered(kind: TrackKind, segment: Segment, { region }: Extract<Transfer, { ok: true }>): Piece {
    this.#fragmentErrors = 0;
    if (kind === "video") this.#failedLevels.delete(this.#level);
    return { type: "segment", segment, region };
  }

  /** With the plugin, silence is the plugin's business: what hangs is given up, here and on the other track. */
  async #fragment(url: string, pathway: string): Promise<Transfer | "given up"> {
    const { demotion, fragment } = this.#rules;
    const loading = { pathway, since: this.#tools.clock.monotonic(), abort: new AbortController() };
    const signal = AbortSignal.any([this.#tools.signal, loading.abort.signal]);
    this.#loading.add(loading);
    try {
      const transfer = await this.#tools.network.get(url, patienceOf(fragment, demotion?.silenceMs ?? NEVER), signal);
      if (demotion === null || transfer.ok || !transfer.timedOut) return transfer;
      this.#silent(loading, demotion);
    } catch (error) {
      if (!loading.abort.signal.aborted || this.#tools.signal.aborted) throw error;
    } finally {
      this.#loading.delete(loading);
    }
    await this.#tools.clock.sleep(TICK_MS, this.#tools.signal);
    return "given up";
  }

  #silent({ pathway }: Loading, demotion: Demotion): void {
    this.#demote(pathway);
    const now = this.#tools.clock.monotonic();
    for (const other of this.#loading) if (other.pathway === pathway && now - other.since >= demotion.silenceMs / 2) other.abort.abort();
  }

  /** Milliseconds until it is tried again, wherever that is then. */
  #fragmentFailed(kind: TrackKind, failure: Failure, pathway: string, skippable: boolean): number | "gap" {
    this.#demote(pathway);
    const retries = failure.timedOut ? this.#rules.fragment.timeouts : this.#rules.fragment.errors;
    const count = this.#fragmentErrors;
    this.#fragmentErrors += 1;
    if (count < retries.count && this.#isAskedAgain(failure)) return delayOf(retries, count);
    if (this.#switchLevel(kind) || this.#leave()) return 0;
    if (skippable) {
      this.#fragmentErrors = 0;
      return "gap";
    }
    if (count < retries.count) return delayOf(retries, count);
    throw new Fatal(failure.timedOut ? "fragLoadTimeOut" : "fragLoadError");
  }

  #isAskedAgain({ status, timedOut }: Failure): boolean {
    return timedOut || status >= 500 || this.#rules.askedAgain.has(status);
  }

  async #media(kind: TrackKind, number: number | null): Promise<MediaPlaylist> {
    for (;;) {
      const source = sourceOf(pathwayOf(this.#tools.presentation, this.#pathway), kind, this.#level);
      const pathway = this.#pathway;
      const known = this.#playlists.usable(source, number);
      if (known !== null) return known;
      await this.#tools.clock.sleep(this.#playlists.pause(source), this.#tools.signal);
      if (pathway !== this.#pathway) continue;
      await this.#load(kind, source, pathway);
    }
  }

  async #load(kind: TrackKind, source: Source, pathway: string): Promise<void> {
    const { clock, network, signal } = this.#tools;
    const transfer = await network.get(source.url, patienceOf(this.#rules.playlist, NEVER), signal);
    if (transfer.ok) {
      this.#playlistErrors = 0;
      this.#playlists.keep(source, transfer.text, transfer.url);
    } else await clock.sleep(this.#playlistFailed(kind, transfer, pathway), signal);
  }

  #playlistFailed(kind: TrackKind, failure: Failure, pathway: string): number {
    this.#demote(pathway);
    const retries = failure.timedOut ? this.#rules.playlist.timeouts : this.#rules.playlist.errors;
    const count = this.#playlistErrors;
    this.#playlistErrors += 1;
    const mayRetry = count < retries.count && this.#isAskedAgain(failure);
    if (kind === "video" && mayRetry) return delayOf(retries, count);
    if (this.#switchLevel(kind) || this.#leave()) return 0;
    // An audio playlist that has no other pathway to go to is retried.
    if (count < retries.count && kind === "audio") return delayOf(retries, count);
    throw new Fatal(kind === "video" ? "levelLoadError" : "audioTrackLoadError");
  }

  /** Another variant of the same pathway; for audio, whose group they share, there is none. */
  #switchLevel(kind: TrackKind): boolean {
    if (kind === "audio") return false;
    this.#failedLevels.add(this.#level);
    const levels = pathwayOf(this.#tools.presentation, this.#pathway).video.keys();
    const other = [...levels].findLast((level) => !this.#failedLevels.has(level));
    if (other === undefined) return false;
    this.#level = other;
    this.#playlistErrors = 0;
    return true;
  }

  /** hls.js blames the pathway that it is on, not the one that the request was sent to. */
  #leave(): boolean {
    const before = this.#pathway;
    if (!this.#penalties.has(before)) this.#penalties.set(before, this.#tools.clock.monotonic());
    this.#apply();
    return this.#pathway !== before;
  }

  #demote(pathway: string): void {
    const { demotion } = this.#rules;
    if (demotion === null || this.#tools.presentation.pathways.length < 2) return;
    const now = this.#tools.clock.monotonic();
    demotion.penalties.failed(pathway, now);
    this.#penalties.clear();
    this.#apply();
  }

  #apply(): void {
    const now = this.#tools.clock.monotonic();
    for (const [id, since] of this.#penalties) if (now - since > PENALTY_MS) this.#penalties.delete(id);
    const priority = this.#rules.demotion?.penalties.order(this.#priority, now) ?? this.#priority;
    const first = priority.find((id) => !this.#penalties.has(id) && has(this.#tools.presentation, id));
    if (first === undefined || first === this.#pathway) return;
    this.#pathway = first;
    this.#failedLevels = new Set();
    this.#playlistErrors = 0;
  }
}

function patienceOf({ firstByteMs, totalMs }: LoadPolicy, silenceMs: number): Patience {
  return { firstByteMs: Math.min(firstByteMs, silenceMs), totalMs, silenceMs };
}

function delayOf({ delayMs, longestMs, backoff }: Retries, count: number): number {
  return Math.min(longestMs, backoff === "linear" ? delayMs : 2 ** count * delayMs);
}
