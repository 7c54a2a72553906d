/** The loop around one check: waits, probes, feeds the state step, and hands on what it saw. */
import type { Clock, Random } from "../core/clock.ts";
import type { Outcome, ServiceHealth } from "../core/contracts.ts";
import type { ProbeRecord } from "../core/ports/health.ts";
import { ProbeHistory } from "./history.ts";
import { look, type Look, type Probe } from "./probes/probe.ts";
import { ViewerQuorum, type QuorumPolicy } from "./quorum.ts";
import { firstDelay, nextDelay, shortInterval, suspectAfter, type SchedulePolicy } from "./schedule.ts";
import { observe, type CheckState, type StatePolicy, type Transition } from "./state.ts";
import { speaksAgainstService, type Seen } from "./thresholds.ts";

export interface CheckPolicy extends StatePolicy, SchedulePolicy {
  readonly passive: QuorumPolicy;
}

/** Two probes that go unanswered prove what a third one would. */
const MOST_UNDERWAY = 2;
/** A process that was held up for this share of a probe's time-out cannot say that the region was late. */
const TOLERATED_DELAY = 0.25;

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
  /** Oldest first; left out: none yet. */
  readonly history?: readonly ProbeRecord[];
  readonly clock: Clock;
  readonly random: Random;
  readonly events: LoopEvents;
  /** Milliseconds for which this process was held up itself, ever more; left out: never. */
  readonly ownDelay?: () => number;
}

/** Probes one service of one region until it is stopped. */
export class CheckLoop {
  readonly #options: LoopOptions;
  readonly #history: ProbeHistory;
  readonly #viewers: ViewerQuorum;
  readonly #stop = new AbortController();
  readonly #underway = new Set<Promise<void>>();
  readonly #first = Promise.withResolvers<void>();
  #state: CheckState;
  /** Ends the present pause. */
  #wake: AbortController | null = null;
  /** When the latest probe began, in monotonic time. */
  #began: number;
  /** Monotonic time at which the latest probe wants to look again; Infinity: when it is due. */
  #staleAt = Infinity;
  #launched = 0;
  /** Number of the latest launched probe that was taken in. */
  #newest = 0;
  #running: Promise<void> | null = null;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#state = options.state;
    this.#history = new ProbeHistory(options.history);
    this.#began = options.clock.monotonic();
    this.#viewers = new ViewerQuorum(options.policy.passive);
  }

  get health(): ServiceHealth {
    return this.#state.health;
  }

  get state(): CheckState {
    return this.#state;
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

  /** Takes in what traffic saw. A failure brings the next probe forward; what viewers say counts once enough of them say it. */
  traffic(outcome: Outcome, viewer: string): void {
    const against = speaksAgainstService(outcome);
    if (this.#stop.signal.aborted || (!outcome.ok && !against)) return;
    const quorum = this.#viewers.heard(viewer, outcome.ok, this.#options.clock.monotonic());
    this.#take({ outcome, source: "traffic", quorum });
    if (against && this.health.status !== "unhealthy") this.#wake?.abort();
  }

  /** Something speaks for a change: probes at once, beside the schedule, unless that is being done. */
  hurry(): void {
    if (!this.#stop.signal.aborted && this.#underway.size < MOST_UNDERWAY) void this.#launch();
  }

  /** Takes in what was seen without a probe and weighs as much as one. Probes that are under way know less. */
  witness(outcome: Outcome, detail: string): void {
    if (this.#stop.signal.aborted) return;
    this.#launched += 1;
    this.#newest = this.#launched;
    this.#history.add(record(this.#options.clock.now(), { outcome, detail }));
    this.#take({ outcome, source: "probe", quorum: false });
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
    const { policy, random } = this.#options;
    await this.#pause(firstDelay(policy, random.next()));
    while (!this.#stop.signal.aborted) {
      const current = this.#launch();
      const answered = await this.#answeredInTime(current);
      if (this.health.status === "unhealthy") await current;
      if (this.#underway.size >= MOST_UNDERWAY) await Promise.race(this.#underway);
      await this.#pause(Math.min(nextDelay(!answered || this.health.pending > 0, policy, random.next()), this.#staleIn()));
    }
  }

  /** Milliseconds from the beginning of the latest probe to the moment at which a live stream that has not gone on is stale. */
  #staleIn(): number {
    return Math.max(shortInterval(this.#options.policy), this.#staleAt - this.#began);
  }

  /** False for a suspect probe, beside which the next one starts. */
  async #answeredInTime(current: Promise<void>): Promise<boolean> {
    const { clock, policy } = this.#options;
    const answered = new AbortController();
    const late = sleep(clock, suspectAfter(policy, this.health.latencyMs ?? null), answered.signal);
    await Promise.race([current.finally(() => answered.abort()), late]);
    return answered.signal.aborted;
  }

  /** Waits until `delay` after the latest probe began. When something calls, only as long as two probes have to be apart. */
  async #pause(delay: number): Promise<void> {
    const { clock, policy } = this.#options;
    if (this.#stop.signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    await sleep(clock, this.#left(delay), wake.signal);
    this.#wake = null;
    if (wake.signal.aborted) await sleep(clock, this.#left(Math.min(delay, shortInterval(policy))), this.#stop.signal);
  }

  #left(delay: number): number {
    return Math.max(1, this.#began + delay - this.#options.clock.monotonic());
  }

  async #launch(): Promise<void> {
    this.#launched += 1;
    this.#began = this.#options.clock.monotonic();
    const probing = this.#probe(this.#launched);
    this.#underway.add(probing);
    await probing;
    this.#underway.delete(probing);
  }

  /** Never rejects. */
  async #probe(number: number): Promise<void> {
    const { clock, probe, policy, events, ownDelay = () => 0 } = this.#options;
    const at = clock.now();
    const delayed = ownDelay();
    try {
      const seen = await look(probe, { clock, timeoutMs: policy.timeout, signal: this.#stop.signal });
      if (this.#stop.signal.aborted) return;
      const probed = record(at, seen);
      this.#history.add(probed);
      events.probed(probed);
      // An older probe that ends after a newer one knows less.
      if (number < this.#newest) return;
      this.#newest = number;
      this.#staleAt = seen.lookAgainMs === undefined ? Infinity : clock.monotonic() + seen.lookAgainMs;
      const isOurs = ownDelay() - delayed > TOLERATED_DELAY * policy.timeout;
      if (isOurs && !seen.outcome.ok && seen.outcome.reason === "timeout") return;
      this.#take({ outcome: seen.outcome, source: "probe", quorum: false });
    } catch (error) {
      if (!this.#stop.signal.aborted) events.broken(error);
    } finally {
      this.#first.resolve();
    }
  }

  #take(seen: Seen): void {
    const { policy, clock, events } = this.#options;
    const { state, transition } = observe(this.#state, seen, policy, { now: clock.now(), monotonic: clock.monotonic() });
    if (state === this.#state) return;
    this.#state = state;
    // What viewers said was about an outage that is believed now, or over.
    if (transition !== null) this.#viewers.clear();
    events.observed(state.health, transition);
    if (state.health.pending > 0) this.#wake?.abort();
  }
}

function record(at: number, { outcome, detail }: Look): ProbeRecord {
  return { at, ok: outcome.ok, reason: outcome.ok ? null : outcome.reason, durationMs: outcome.durationMs, detail };
}

/** Resolves when the time is up or the signal aborts. */
async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
}
