/** The media element: two buffers and a playhead that moves while both have something. All times of the medium are seconds. */
import type { Clock } from "../../src/core/clock.ts";

export const TRACK_KINDS = ["video", "audio"] as const;
export type TrackKind = (typeof TRACK_KINDS)[number];

/** A time in which playback stood still although the viewer wanted to watch; monotonic milliseconds. */
export interface Stop {
  readonly from: number;
  readonly to: number;
}

export class Playback {
  readonly #clock: Clock;
  readonly #stops: Stop[] = [];
  #gaps: { readonly from: number; readonly to: number }[] = [];
  #ends: Record<TrackKind, number> = { video: 0, audio: 0 };
  #position = 0;
  /** Where there is nothing more to play; Infinity while that is not known. */
  #duration = Number.POSITIVE_INFINITY;
  /** Monotonic time up to which the playhead has been moved. */
  #at: number;
  #stoppedSince: number | null;
  /** Monotonic time of the first picture; null before. */
  #startedAt: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
    this.#stoppedSince = this.#at;
  }

  get startedAt(): number | null {
    return this.#startedAt;
  }

  /** Seconds of the medium. */
  get position(): number {
    this.#move();
    return this.#position;
  }

  /** Milliseconds for which the playhead has not moved; 0 while it moves, before the first picture and after the last. */
  get frozenMs(): number {
    this.#move();
    if (this.#stoppedSince === null || this.#startedAt === null || this.#position >= this.#duration) return 0;
    return this.#clock.monotonic() - this.#stoppedSince;
  }

  get ended(): boolean {
    return this.position >= this.#duration;
  }

  /** Throws away what is buffered, and goes on at `position`: what a reload does. The picture stands meanwhile. */
  restart(position: number): void {
    this.#move();
    if (this.#stoppedSince === null) this.#stoppedSince = this.#at;
    this.#position = position;
    this.#ends = { video: position, audio: position };
    this.#gaps = [];
  }

  /** Seconds of a track that are buffered and not yet played. */
  ahead(kind: TrackKind): number {
    this.#move();
    const end = this.#ends[kind];
    const missing = this.#gaps.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, end) - Math.max(from, this.#position)), 0);
    return Math.max(0, end - this.#position - missing);
  }

  append(kind: TrackKind, until: number): void {
    this.#move();
    this.#ends[kind] = Math.max(this.#ends[kind], until);
    this.#resume();
  }

  /** A hole in one track: the playhead jumps over it, in both. */
  skip(kind: TrackKind, until: number): void {
    this.#move();
    this.#gaps.push({ from: this.#ends[kind], to: until });
    this.#ends[kind] = until;
    this.#resume();
  }

  end(duration: number): void {
    this.#duration = Math.min(this.#duration, duration);
  }

  /** Stops after the first picture, that which lasts still included. Stops that fall between `from` and `to` only. */
  stops(from: number, to: number): readonly Stop[] {
    this.#move();
    const lasting = this.frozenMs > 0 && this.#stoppedSince !== null ? [{ from: this.#stoppedSince, to: this.#clock.monotonic() }] : [];
    return [...this.#stops, ...lasting].filter((stop) => stop.to > from && stop.from < to);
  }

  #move(): void {
    const now = this.#clock.monotonic();
    const since = this.#at;
    this.#at = now;
    if (this.#stoppedSince !== null) return;
    const limit = Math.min(this.#ends.video, this.#ends.audio);
    let left = (now - since) / 1000;
    while (left > 0 && this.#position < limit) {
      const gap = this.#gaps.filter(({ to }) => to > this.#position).toSorted((one, other) => one.from - other.from)[0];
      const stop = Math.min(limit, gap?.from ?? limit);
      const step = Math.min(left, Math.max(0, stop - this.#position));
      left -= step;
      this.#position += step;
      if (gap !== undefined && this.#position >= gap.from) this.#position = Math.min(gap.to, limit);
    }
    if (this.#position >= limit && left >= 0) this.#stoppedSince = now - left * 1000;
  }

  #resume(): void {
    const limit = Math.min(this.#ends.video, this.#ends.audio);
    if (this.#stoppedSince === null || limit <= this.#position) return;
    const now = this.#clock.monotonic();
    if (this.#startedAt === null) this.#startedAt = now;
    else if (now > this.#stoppedSince) this.#stops.push({ from: this.#stoppedSince, to: now });
    this.#stoppedSince = null;
  }
}
