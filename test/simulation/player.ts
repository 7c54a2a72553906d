/** A modelled player: two tracks that are loaded one segment after the other into a buffer, a playhead, steering, and the kit's watchdog. */
import type { Clock, Random } from "../../src/core/clock.ts";
import { Fatal, type Driver, type Tools } from "./driver.ts";
import type { Patience } from "./faults.ts";
import type { Network } from "./network.ts";
import { SEGMENT_MS } from "./origin.ts";
import { Playback, TRACK_KINDS, type TrackKind } from "./playback.ts";
import { readMpd, readMultivariant, type Presentation } from "./presentation.ts";
import type { RegionName } from "./regions.ts";
import { Steering, type SteeringRules } from "./steering.ts";

export interface Watchdog {
  /** One look; the position to load the URL at again, null: nothing to do. */
  look(sample: { now: number; time: number; idle: boolean; empty: boolean; broken: boolean }): number | null;
}

/** One player with its settings. */
export interface Profile {
  readonly name: string;
  readonly protocol: "hls" | "dash";
  readonly manifest: { readonly patience: Patience; readonly attempts: number; readonly retryMs: number };
  readonly steering: SteeringRules;
  readonly driver: (tools: Tools) => Driver;
  /** Null: none. */
  readonly watchdog: ((now: number) => Watchdog) | null;
}

export interface PlayerOptions {
  readonly profile: Profile;
  readonly url: string;
  /** A segment is asked for as soon as less than this is buffered. */
  readonly bufferSeconds: number;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/** A segment that came, and from where. */
export interface Loaded {
  readonly at: number;
  readonly region: RegionName | null;
}

const LOOK_MS = 200;
/** A gap has no duration of its own. */
const SEGMENT_SECONDS = SEGMENT_MS / 1000;

export class Player {
  readonly playback: Playback;
  readonly loaded: Loaded[] = [];
  /** The player's words for why it gave up. */
  readonly fatals: string[] = [];
  reloads = 0;
  readonly #options: PlayerOptions;
  readonly #stop = new AbortController();
  /** Aborts the present load. */
  #load = new AbortController();
  #driver: Driver | null = null;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.playback = new Playback(options.clock);
  }

  /** The pathway that it plays; null before the manifest. */
  get pathway(): string | null {
    return this.#driver?.pathway ?? null;
  }

  /** How often it asked whom. */
  get requests(): Network["counts"] {
    return this.#options.network.counts;
  }

  start(): void {
    void this.#play(null);
    const { profile, clock } = this.#options;
    if (profile.watchdog !== null) void this.#watch(profile.watchdog(clock.monotonic()));
  }

  stop(): void {
    this.#stop.abort();
    this.#load.abort();
  }

  /** Plays from the manifest on, at `position` seconds; null: where it begins. */
  async #play(position: number | null): Promise<void> {
    const load = new AbortController();
    this.#load = load;
    const { signal } = load;
    try {
      await this.#session(position, signal);
    } catch (error) {
      load.abort();
      if (error instanceof Fatal) this.fatals.push(error.message);
      else if (!isAbort(error)) throw error;
    }
  }

  async #session(position: number | null, signal: AbortSignal): Promise<void> {
    const { profile, network, clock, random } = this.#options;
    const presentation = await this.#manifest(signal);
    const driver = profile.driver({ network, clock, random, presentation, signal });
    this.#driver = driver;
    const { steering: tag, url: base } = presentation;
    const steering = tag === null ? null : new Steering({ rules: profile.steering, tag, base, driver, network, clock, signal });
    await steering?.begin();
    const first = await this.#seek(driver, position);
    await Promise.all([...TRACK_KINDS.map(async (kind) => this.#track(kind, first, driver, signal)), steering?.follow()]);
  }

  async #manifest(signal: AbortSignal): Promise<Presentation> {
    const { profile, network, clock, url } = this.#options;
    const { patience, attempts, retryMs } = profile.manifest;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await clock.sleep(retryMs, signal);
      const transfer = await network.get(url, patience, signal);
      if (transfer.ok)
        return profile.protocol === "hls" ? readMultivariant(transfer.text, transfer.url) : readMpd(transfer.text, transfer.url);
    }
    throw new Fatal("manifestLoadError");
  }

  /** Number of the first segment. A live player stays a buffer behind the newest. */
  async #seek(driver: Driver, position: number | null): Promise<number> {
    const { segments, live } = await driver.listed("video");
    const [first] = segments;
    const newest = segments.at(-1);
    if (first === undefined || newest === undefined) throw new Fatal("empty playlist");
    if (!live) this.playback.end((newest.number + 1) * newest.duration);
    const behind = Math.ceil(this.#options.bufferSeconds / first.duration);
    const begin = live ? Math.max(first.number, newest.number - behind + 1) : first.number;
    this.playback.restart(position ?? begin * first.duration);
    return position === null ? begin : Math.floor(position / first.duration);
  }

  async #track(kind: TrackKind, first: number, driver: Driver, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (let number = first; ;) {
      await this.#room(kind, signal);
      const piece = await driver.piece(kind, number);
      if (piece.type === "end") return;
      if (piece.type === "gap") {
        this.playback.skip(kind, piece.next * SEGMENT_SECONDS);
        number = piece.next;
        continue;
      }
      this.loaded.push({ at: clock.monotonic(), region: piece.region });
      number = piece.segment.number + 1;
      this.playback.append(kind, number * piece.segment.duration);
    }
  }

  /** Until there is room in the buffer. A playhead that stands makes none. */
  async #room(kind: TrackKind, signal: AbortSignal): Promise<void> {
    const { clock, bufferSeconds } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const surplus = this.playback.ahead(kind) - bufferSeconds;
      if (surplus <= 0) return;
      await clock.sleep(Math.max(surplus * 1000, LOOK_MS / 10), signal);
    }
  }

  async #watch(watchdog: Watchdog): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(LOOK_MS, this.#stop.signal).catch(() => undefined);
      const time = this.playback.position;
      const empty = this.playback.startedAt === null;
      const broken = this.#load.signal.aborted;
      const reloadAt = watchdog.look({ now: clock.monotonic(), time, idle: this.playback.ended, empty, broken });
      if (reloadAt === null || this.#stop.signal.aborted) continue;
      this.reloads += 1;
      this.#load.abort();
      void this.#play(reloadAt);
    }
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
