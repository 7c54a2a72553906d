/** What holds for everybody, computed once for each change of health or overrides: a request then only picks. */
import type { Decision, HealthSnapshot, Holding, Override, Service, ServiceHealth } from "../core/contracts.ts";
import { SERVICES } from "../core/contracts.ts";
import type { HealthView } from "../core/ports/health.ts";
import type { OverrideView } from "../core/ports/overrides.ts";
import type { Candidate } from "./candidates.ts";
import { assess, isUnder, type Assessment, type Holdings, type KeyNeed } from "./eligibility.ts";

/** Every region's assessment for requests that are alike: same service, same holdings, same need of keys. */
export interface Standing {
  readonly of: Readonly<Record<string, Assessment>>;
  /** Decisions by order, for orders that are the same for many viewers. */
  readonly decided: Map<readonly string[], Decision>;
}

export interface StandingsDeps {
  readonly candidates: Readonly<Record<Service, readonly Candidate[]>>;
  readonly health: HealthView;
  readonly overrides: OverrideView;
}

const HOLDING_CODE: Readonly<Record<Holding, number>> = { verified: 0, missing: 1, found: 2, absent: 3, unknown: 4 };
const NEED_CODE: Readonly<Record<KeyNeed, number>> = { none: 0, host: 1, region: 2, any: 3 };
/** Up to here a combination of holdings fits into a number exactly. */
const MAX_CODED_REGIONS = 20;
/** Combinations of holdings that are met at the same time: a handful. */
const MAX_KNOWN = 1_000;

const NEVER: HealthSnapshot = { takenAt: 0, regions: {} };

export class Standings {
  readonly #deps: StandingsDeps;
  #snapshot: HealthSnapshot = NEVER;
  #overrides: readonly Override[] = [];
  #known = new Map<number, Standing>();
  /** True while a region returns slowly: then it matters which viewer asks. */
  #ramping = false;
  #able: Partial<Record<Service, readonly string[]>> = {};
  #latencies: Partial<Record<Service, Readonly<Record<string, number>>>> = {};

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  of(service: Service, holdings: Holdings, keys: KeyNeed): Standing {
    this.#refresh();
    const code = this.#codeOf(service, holdings, keys);
    const known = code === null ? undefined : this.#known.get(code);
    if (known !== undefined) return known;
    const facts = { service, holdings, keys, health: this.#snapshot, overrides: this.#overrides };
    const of = Object.fromEntries(this.#deps.candidates[service].map((candidate) => [candidate.region, assess(candidate, facts)]));
    const standing: Standing = { of, decided: new Map() };
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    if (code !== null) this.#known.set(code, standing);
    return standing;
  }

  /** The same object as long as every standing is what it is. */
  get generation(): object {
    this.#refresh();
    return this.#known;
  }

  get ramping(): boolean {
    this.#refresh();
    return this.#ramping;
  }

  /** The regions that may get a request for this service, whatever the video. */
  able(service: Service): readonly string[] {
    this.#refresh();
    this.#able[service] ??= this.#deps.candidates[service].flatMap(({ region, base }) => {
      const words = { service, overrides: this.#overrides };
      const away = base === null || isUnder("disable", region, words) || isUnder("drain", region, words);
      return away || this.#snapshot.regions[region]?.[service]?.status === "unhealthy" ? [] : [region];
    });
    return this.#able[service];
  }

  /** Region name -> milliseconds of its probes; regions without measurement are left out. */
  latencies(service: Service): Readonly<Record<string, number>> {
    this.#refresh();
    this.#latencies[service] ??= Object.fromEntries(
      Object.entries(this.#snapshot.regions).flatMap(([region, services]) => {
        const latency = services[service]?.latencyMs;
        return latency === undefined ? [] : [[region, latency]];
      }),
    );
    return this.#latencies[service];
  }

  /** Traffic and every probe make a new snapshot; most of them say the same, and then what was computed stays. */
  #refresh(): void {
    const snapshot = this.#deps.health.snapshot();
    const overrides = this.#deps.overrides.active();
    if (snapshot === this.#snapshot && overrides === this.#overrides) return;
    this.#latencies = {};
    const changed = overrides !== this.#overrides || !this.#saysTheSame(snapshot);
    this.#snapshot = snapshot;
    this.#overrides = overrides;
    if (!changed) return;
    this.#known = new Map();
    this.#able = {};
    this.#ramping = isRamping(snapshot);
  }

  #saysTheSame(snapshot: HealthSnapshot): boolean {
    return this.#deps.candidates.streaming.every(({ region }) =>
      SERVICES.every((service) => sameStanding(this.#snapshot.regions[region]?.[service], snapshot.regions[region]?.[service])),
    );
  }

  #codeOf(service: Service, holdings: Holdings, keys: KeyNeed): number | null {
    const candidates = this.#deps.candidates[service];
    if (candidates.length > MAX_CODED_REGIONS) return null;
    let code = NEED_CODE[keys] * 2 + (service === "keys" ? 1 : 0);
    for (const { region } of candidates) code = code * 5 + HOLDING_CODE[holdings[region] ?? "unknown"];
    return code;
  }
}

function isRamping({ regions }: HealthSnapshot): boolean {
  return Object.values(regions).some((services) => SERVICES.some((service) => (services[service]?.share ?? 1) < 1));
}

/** All that an assessment is made of. */
const SAID = ["status", "reason", "detail", "share", "signals"] as const;

function sameStanding(one: ServiceHealth | undefined, other: ServiceHealth | undefined): boolean {
  return one === other || SAID.every((field) => one?.[field] === other?.[field]);
}
