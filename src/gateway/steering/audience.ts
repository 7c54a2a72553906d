/** The players that ask: how soon each is to ask again, and what its pathway tells health of the region it was sent to. */
import type { Address } from "../../core/address.ts";
import type { Clock, Random } from "../../core/clock.ts";
import type { Outcome } from "../../core/contracts.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { HealthView, OutcomeSink } from "../../core/ports/health.ts";
import { pathOf } from "../target.ts";
import { taken } from "./bucket.ts";
import { keptField, type AskedSession } from "./session.ts";
import { isRecent, ttlSeconds, type Pace, type TtlPolicy } from "./ttl.ts";
import { KnownViewers, viewerPlace, type KnownViewer } from "./viewers.ts";
import { heard, type Voice } from "./voice.ts";

export interface AudienceDeps {
  readonly health: HealthView;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly ttl: TtlPolicy;
  /** Names of the configured regions. */
  readonly regions: readonly string[];
}

export interface Hearing {
  readonly asked: AskedSession;
  /** Of the steering request. */
  readonly target: string;
  /** Of the viewer; null where there is no socket. */
  readonly address: Address | null;
  readonly pathways: readonly string[];
  /** Of the list that this request is answered with. */
  readonly head: string;
  /** Some region of the session is not plainly healthy. */
  readonly incident: boolean;
}

/** A player that is off its head is asked to come sooner for so long, and not for ever: its network may simply not reach that region. */
const MOST_AWAY = 10;
/** A player's requests are one TTL apart, jitter included. One that is later has been elsewhere. */
const LATE = 1.5;

const THERE: Outcome = { ok: true, durationMs: 0 };
const LEFT: Outcome = {
  ok: false,
  durationMs: 0,
  reason: "abandoned",
  detail: "players that were sent here went to another region by themselves",
};

export class Audience {
  readonly #deps: AudienceDeps;
  readonly #viewers = new KnownViewers();

  constructor(deps: AudienceDeps) {
    this.#deps = deps;
  }

  /** Takes in what a player reports. Returns after how many seconds it is to ask again. */
  hear(hearing: Hearing): number {
    const { address, asked, target } = hearing;
    const place = address === null ? null : viewerPlace(address);
    if (place === null) return this.#ttl(this.#pace(hearing));
    const known = this.#viewers.of(place, keptField(asked.kept) || pathOf(target));
    if (this.#asksTooOften(known)) return this.#ttl("slowed");
    // Players without a number of their own cannot be told apart.
    return asked.kept === null ? this.#ttl(this.#pace(hearing)) : this.#listen(hearing, known, place);
  }

  #listen(hearing: Hearing, known: KnownViewer, place: string): number {
    const { clock } = this.#deps;
    const { asked, head, pathways } = hearing;
    const monotonic = clock.monotonic();
    const facts = { head, pathways, changedAt: this.#changedAt(head), ttl: this.#deps.ttl.incidentTtl, monotonic, now: clock.now() };
    const { voice, given } = heard(monotonic <= known.until ? known.given : null, asked.report, facts);
    this.#tell(head, voice, place);
    const isAway = given.away > 0 && given.away <= MOST_AWAY;
    const ttl = this.#ttl(isAway ? "incident" : this.#pace(hearing));
    known.given = given;
    known.until = monotonic + LATE * ttl * 1000;
    return ttl;
  }

  #asksTooOften(known: KnownViewer): boolean {
    const { bucket, allowed } = taken(known.bucket, this.#deps.clock.monotonic());
    known.bucket = bucket;
    if (!allowed) this.#deps.metrics.steering.slowed();
    return !allowed;
  }

  #tell(head: string, voice: Voice, place: string): void {
    const { outcomes, metrics, regions } = this.#deps;
    if (voice === "none" || !regions.includes(head)) return;
    metrics.steering.report(head, voice);
    if (voice !== "doubtful") outcomes.observe(head, "streaming", voice === "good" ? THERE : LEFT, place);
  }

  #ttl(pace: Pace): number {
    return ttlSeconds(this.#deps.ttl, pace, this.#deps.random.next());
  }

  #pace({ incident, pathways }: Hearing): Pace {
    if (incident) return "incident";
    const now = this.#deps.clock.now();
    return pathways.some((region) => isRecent(this.#changedAt(region), now, this.#deps.ttl)) ? "incident" : "calm";
  }

  /** When the region entered its state, epoch milliseconds; of one that is not probed: never. */
  #changedAt(region: string): number {
    return this.#deps.health.snapshot().regions[region]?.streaming?.since ?? Number.NEGATIVE_INFINITY;
  }
}
