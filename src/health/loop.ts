/** The loop around one check: waits, probes, feeds the state step, and hands on what it saw. */
import type { Clock, Random } from "../core/clock.ts";
import type { Outcome, ServiceHealth } from "../core/contracts.ts";
import { ProbeHistory, type ProbeRecord } from "./history.ts";
import { look, type Look, type Probe } from "./probes/probe.ts";
import { firstDelay, nextDelay, shortInterval, suspectAfter, type SchedulePolicy } from "./schedule.ts";
import { observe, speaksAgainstService, type CheckState, type Source, type StatePolicy, type Transition } from "./state.ts";

export type CheckPolicy = StatePolicy & SchedulePolicy;

export interface LoopEvents {
  /** After everything that was seen of the service; `transition` where it changed the status. */
  readonly observed: (health: ServiceHealth, transition: Transition | null) => void;
  readonly probed: (record: ProbeRecord) => void;
  /** A probe failed in a way that says nothing about the region. */
  readonly broken: (error: unknown) => void;
}

export interface LoopOptions {
  readonly probe: Probe;
  readonly policy: CheckPolicy;
  readonly state: CheckState;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: LoopEvents;
}

/** Probes one service of one region until it is stopped. */
export class CheckLoop {
  readonly #options: LoopOptions;
  readonly #history = new ProbeHistory();
  readonly #stop = new AbortController();
  readonly #underway = new Set<Promise<void>>();
  readonly #first = Promise.withResolvers<void>();
  #state: CheckState;
  /** Ends the present pause. */
  #wake: AbortController | null = null;
  #launched = 0;
  /** Number of the latest launched probe that was taken in. */
  #newest = 0;
  #running: Promise<void> | null = null;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  get health(): ServiceHealth {
    return this.#state.health;
  }

  /** Oldest first. */
  get history(): readonly ProbeRecord[] {
    return this.#history.records();
  }

  /** Resolves when the first probe has answered or timed out, or the loop has stopped. */
  get ready(): Promise<void> {
    return this.#first.promise;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Probes once, beside the schedule, and returns what is known then. */
  async probeNow(): Promise<ServiceHealth> {
    if (!this.#stop.signal.aborted) await this.#launch();
    return this.health;
  }

  /** Takes in what traffic saw. A failure brings the next probe forward. */
  traffic(outcome: Outcome): void {
    if (this.#stop.signal.aborted) return;
    this.#take(outcome, "traffic");
    if (speaksAgainstService(outcome)) this.#wake?.abort();
  }

  /** Gives up what is under way and resolves when the loop has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.abort();
    await this.#running;
    await Promise.all(this.#underway);
    this.#first.resolve();
  }

  async #run(): Promise<void> {
    const { clock, policy, random } = this.#options;
    await this.#pause(clock.monotonic(), firstDelay(policy, random.next()));
    while (!this.#stop.signal.aborted) {
      const began = clock.monotonic();
      const current = this.#launch();
      const answered = await this.#answeredInTime(current);
      if (this.health.status === "unhealthy") await current;
      await this.#pause(began, nextDelay(!answered || this.health.pending > 0, policy, random.next()));
    }
  }

  /** False for a suspect probe, beside which the next one starts: a second one at most, because a time-out is two times this wait. */
  async #answeredInTime(current: Promise<void>): Promise<boolean> {
    const { clock, policy } = this.#options;
    const answered = new AbortController();
    const late = sleep(clock, suspectAfter(policy), answered.signal);
    await Promise.race([current.finally(() => answered.abort()), late]);
    return answered.signal.aborted;
  }

  /** Waits until `delay` after `began`. When traffic calls, only as long as two probes have to be apart. */
  async #pause(began: number, delay: number): Promise<void> {
    const { clock, policy } = this.#options;
    const until = (ms: number): number => Math.max(1, began + ms - clock.monotonic());
    if (this.#stop.signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    await sleep(clock, until(delay), wake.signal);
    this.#wake = null;
    if (wake.signal.aborted) await sleep(clock, until(Math.min(delay, shortInterval(policy))), this.#stop.signal);
  }

  async #launch(): Promise<void> {
    this.#launched += 1;
    const probing = this.#probe(this.#launched);
    this.#underway.add(probing);
    await probing;
    this.#underway.delete(probing);
  }

  /** Never rejects. */
  async #probe(number: number): Promise<void> {
    const { clock, probe, policy, events } = this.#options;
    const at = clock.now();
    try {
      const seen = await look(probe, { clock, timeoutMs: policy.timeout, signal: this.#stop.signal });
      if (this.#stop.signal.aborted) return;
      this.#record(at, seen);
      // An older probe that ends after a newer one knows less.
      if (number < this.#newest) return;
      this.#newest = number;
      this.#take(seen.outcome, "probe");
    } catch (error) {
      if (!this.#stop.signal.aborted) events.broken(error);
    } finally {
      this.#first.resolve();
    }
  }

  #record(at: number, { outcome, detail }: Look): void {
    const record = { at, ok: outcome.ok, reason: outcome.ok ? null : outcome.reason, durationMs: outcome.durationMs, detail };
    this.#history.add(record);
    this.#options.events.probed(record);
  }

  #take(outcome: Outcome, source: Source): void {
    const { policy, clock, events } = this.#options;
    const { state, transition } = observe(this.#state, outcome, policy, clock.now(), source);
    if (state === this.#state) return;
    this.#state = state;
    events.observed(state.health, transition);
  }
}

/** Resolves when the time is up or the signal aborts. */
async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
}
