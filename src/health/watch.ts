/**
 * The watch beside the probes: one idle connection held open to a service. A process that dies closes it at once, long before the next probe
 * is due. A lost connection alone proves nothing, because servers close what is idle too long, so connecting again decides: refused is a
 * definite answer, anything else is for a probe to find out.
 */
import type { Clock, Random } from "../core/clock.ts";
import { failureReason } from "../core/http.ts";
import type { WatchVerdict } from "../core/metrics.ts";

/** A connection on which nothing is asked. */
export interface HeldConnection extends Disposable {
  /** Resolves when it is closed, by either side, or broke. */
  readonly lost: Promise<void>;
}

export interface WatchEvents {
  /** A connection was lost: look at once. */
  readonly lost: () => void;
  /** After `lost`: what connecting again showed, and how long that took. */
  readonly judged: (verdict: WatchVerdict, durationMs: number) => void;
}

export interface WatchOptions {
  /** Connects, within its own time-out. */
  readonly connect: (signal: AbortSignal) => Promise<HeldConnection>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: WatchEvents;
}

/** Connections of many services do not start together. */
const SPREAD_MS = 500;
/** A server that closes idle connections after this or more may do so as often as it likes. */
const LASTING_MS = 30_000;
/** Pauses after connections that did not last, and between attempts: doubled from the first to the last. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 300_000;
/** A process that is killed may accept one more connection, and resets it in this time. */
const SETTLING_MS = 50;

/** Watches one service until it is stopped. */
export class ServiceWatch {
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #held: HeldConnection | null = null;
  /** Ends the present pause. */
  #wake: AbortController | null = null;
  /** Connections in a row that did not last or did not come about. */
  #vain = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The service answers again: connects now. */
  recovered(): void {
    this.#vain = 0;
    this.#wake?.abort();
  }

  /** Closes the connection and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.abort();
    this.#held?.[Symbol.dispose]();
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#pause(SPREAD_MS * this.#options.random.next());
    await this.#connect();
    while (!this.#stop.signal.aborted) {
      if (this.#held === null) {
        await this.#pause(this.#backOff());
        await this.#connect();
      } else {
        await this.#watch(this.#held);
      }
    }
    this.#letGo();
  }

  /** Until the connection is lost, and what then follows. */
  async #watch(held: HeldConnection): Promise<void> {
    const { clock, events } = this.#options;
    const began = clock.monotonic();
    await held.lost;
    const lasted = clock.monotonic() - began >= LASTING_MS;
    this.#letGo();
    if (this.#stop.signal.aborted) return;
    events.lost();
    const asked = clock.monotonic();
    const verdict = await this.#judge();
    if (this.#stop.signal.aborted) return;
    events.judged(verdict, clock.monotonic() - asked);
    if (lasted) this.#vain = 0;
    // A server that closes at once would be asked without end.
    else this.#letGo();
  }

  /** Connects again; once more where that connection is lost as soon as it stands. */
  async #judge(): Promise<WatchVerdict> {
    const first = await this.#connect();
    if (this.#held === null || !(await this.#lostSoon(this.#held))) return first;
    this.#letGo();
    return this.#connect();
  }

  async #lostSoon(held: HeldConnection): Promise<boolean> {
    const lost = new AbortController();
    const gone = held.lost.then(() => lost.abort());
    await Promise.race([gone, this.#options.clock.sleep(SETTLING_MS, lost.signal).catch(() => undefined)]);
    return lost.signal.aborted;
  }

  async #connect(): Promise<WatchVerdict> {
    if (this.#stop.signal.aborted) return "failed";
    try {
      this.#held = await this.#options.connect(this.#stop.signal);
      return "kept";
    } catch (error) {
      return failureReason(error) === "refused" ? "refused" : "failed";
    }
  }

  #letGo(): void {
    this.#held?.[Symbol.dispose]();
    this.#held = null;
  }

  #backOff(): number {
    const pause = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#vain);
    this.#vain += 1;
    return pause * (1 - this.#options.random.next() / 2);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    await this.#options.clock.sleep(ms, wake.signal).catch(() => undefined);
    this.#wake = null;
  }
}
