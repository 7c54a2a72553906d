/** What a player's requests meet: redirects followed as a browser does, the gateway's real application, the regions, the player's patience. */
import type { Clock, Random } from "../../src/core/clock.ts";
import { endingOf, type Ending, type Patience } from "./faults.ts";
import { regionOf, type RegionName, type Regions, type Visit } from "./regions.ts";

export const GATEWAY = "https://gateway.example";
const GATEWAY_LATENCY_MS = 20;
const MAX_REDIRECTS = 5;

/** How the steering endpoint fails: for players nothing listens, nothing answers, or 500. */
export type SteeringLoss = "refused" | "hangs" | "500";

export interface SteeringOutage {
  readonly loss: SteeringLoss;
  readonly from: number;
}

/** `status` 0 where there was no answer. A relative URL in `text` is relative to `url`, the last of the redirects. */
export type Transfer =
  | { readonly ok: true; readonly url: string; readonly region: RegionName | null; readonly text: string; readonly ms: number }
  | { readonly ok: false; readonly url: string; readonly status: number; readonly timedOut: boolean };

/** The gateway's application; `viewer` is the address it is asked from. */
export type AskGateway = (url: string, viewer: string) => Promise<{ status: number; location: string | null; text: string }>;

export interface NetworkDeps {
  readonly clock: Clock;
  readonly regions: Regions;
  readonly gateway: AskGateway;
}

interface Step {
  readonly ending: Ending;
  readonly status: number;
  readonly location: string | null;
  readonly text: () => string;
}

/** Requests of one player. */
export class Network {
  readonly #deps: NetworkDeps;
  readonly #random: Random;
  readonly #viewer: string;
  readonly #steering: SteeringOutage | null;
  /** Requests that were begun, redirected ones at each place. */
  readonly counts = { steering: 0, gateway: 0, region: 0 };

  constructor(deps: NetworkDeps, viewer: string, random: Random, steering: SteeringOutage | null) {
    this.#deps = deps;
    this.#viewer = viewer;
    this.#random = random;
    this.#steering = steering;
  }

  /** Rejects only where `signal` aborts. */
  async get(url: string, patience: Patience, signal: AbortSignal): Promise<Transfer> {
    const { clock } = this.#deps;
    const since = clock.monotonic();
    let at = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const step = await this.#step(at, patience, since, signal);
      await clock.sleep(step.ending.at - clock.monotonic(), signal);
      if (step.ending.how !== "complete") return { ok: false, url: at, status: 0, timedOut: step.ending.how === "timeout" };
      if (step.location === null) {
        if (step.status !== 200) return { ok: false, url: at, status: step.status, timedOut: false };
        return { ok: true, url: at, region: regionOf(at), text: step.text(), ms: clock.monotonic() - since };
      }
      at = new URL(step.location, at).href;
    }
    return { ok: false, url: at, status: 0, timedOut: false };
  }

  async #step(url: string, patience: Patience, since: number, signal: AbortSignal): Promise<Step> {
    const region = regionOf(url);
    return region === null ? this.#gateway(url, patience, since, signal) : this.#region(region, url, patience, since);
  }

  #region(region: RegionName, url: string, patience: Patience, since: number): Step {
    this.counts.region += 1;
    const visit: Visit = this.#deps.regions.visit(region, url, this.#random);
    const text = (): string => Buffer.from(visit.served?.body ?? "").toString("utf8");
    return { ending: endingOf(visit.course, patience, since), status: visit.status, location: null, text };
  }

  async #gateway(url: string, patience: Patience, since: number, signal: AbortSignal): Promise<Step> {
    const { clock, gateway } = this.#deps;
    const steering = url.startsWith(`${GATEWAY}/steering/`);
    this.counts[steering ? "steering" : "gateway"] += 1;
    const latency = GATEWAY_LATENCY_MS * (0.75 + this.#random.next() / 2);
    const lost = steering && this.#steering !== null && clock.monotonic() >= this.#steering.from ? this.#steering.loss : null;
    if (lost === "hangs") return step({ at: since + Math.min(patience.firstByteMs, patience.totalMs), how: "timeout" }, 0, null, "");
    if (lost === "refused") return step({ at: clock.monotonic() + latency / 2, how: "broken" }, 0, null, "");
    await clock.sleep(latency, signal);
    const now = clock.monotonic();
    if (lost === "500") return step({ at: now, how: "complete" }, 500, null, "");
    const { status, location, text } = await gateway(url, this.#viewer);
    // What the gateway had to ask a region for takes its time, too.
    return step({ at: clock.monotonic(), how: "complete" }, status, location, text);
  }
}

function step(ending: Ending, status: number, location: string | null, text: string): Step {
  return { ending, status, location, text: () => text };
}
