/** Two regions in simulated time: what the gateway's own client, its idle connections and players meet there. */
import { HttpFailure } from "../../src/core/http.ts";
import type { Clock, Random } from "../../src/core/clock.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../src/core/ports/http.ts";
import type { HeldConnection } from "../../src/health/watch.ts";
import type { WatchTarget } from "../../src/health/watchSocket.ts";
import { courseOf, endingOf, isOut, type Course, type Outage } from "./faults.ts";
import { serve, type Served } from "./origin.ts";

export const REGION_NAMES = ["westeurope", "northeurope"] as const;
export type RegionName = (typeof REGION_NAMES)[number];
/** Distinct host names: Shaka bans by host name. */
export const SITES = { westeurope: "https://we.streaming.example", northeurope: "https://ne.streaming.example" } as const;

const LATENCY_MS = { westeurope: 24, northeurope: 36 } as const;
const BITS_PER_MS = 20_000;
/** A connection that is reset: how long it stands. */
const RESET_MS = 10;

/** Null where the URL is not a region's. */
export function regionOf(url: string): RegionName | null {
  return REGION_NAMES.find((name) => url.startsWith(`${SITES[name]}/`)) ?? null;
}

/** What a request to a region comes to, and what it is answered if it comes to an answer. */
export interface Visit {
  readonly region: RegionName;
  readonly course: Course;
  readonly status: number;
  readonly served: Served | null;
}

export class Regions implements HttpClient {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #startedAt: number;
  readonly #outages = new Map<RegionName, Outage>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#startedAt = clock.now() - clock.monotonic();
  }

  /** One outage of a region is known beforehand, as of a script. */
  plan(region: RegionName, outage: Outage): void {
    this.#outages.set(region, outage);
  }

  /** The way of a request that begins now. `random`: the asker's own, so that one asker does not change the times of another. */
  visit(region: RegionName, url: string, random: Random): Visit {
    const began = this.#clock.monotonic();
    const served = serve(url.slice(SITES[region].length), began, this.#startedAt);
    const latency = LATENCY_MS[region] * (0.75 + random.next() / 2);
    const bytes = served?.bytes ?? 0;
    const transfer = (bytes * 8) / BITS_PER_MS;
    const course = courseOf({ began, latency, transfer, bytes }, this.#outages.get(region) ?? null);
    return { region, course, status: course.status ?? (served === null ? 404 : 200), served };
  }

  async ask({ url, timeoutMs, headers, signal }: HttpQuestion): Promise<HttpAnswer> {
    const region = regionOf(url);
    if (region === null) throw new HttpFailure("dns", `${url} is nowhere in the simulation`);
    const began = this.#clock.monotonic();
    const { course, status, served } = this.visit(region, url, this.#random);
    const ending = endingOf(course, { firstByteMs: timeoutMs, totalMs: timeoutMs, silenceMs: timeoutMs }, began);
    await this.#clock.sleep(ending.at - began, signal);
    if (ending.how === "timeout") throw new HttpFailure("timeout", "late by the simulation");
    if (ending.how === "broken")
      throw new HttpFailure(this.#lossOf(region) === "refused" ? "refused" : "reset", "broken by the simulation");
    const timing = { firstByteMs: course.headersAt - began, totalMs: ending.at - began };
    return { ...answered(status, served, headers?.["range"], this.#clock.now()), timing };
  }

  /** An idle connection: a region that refuses or resets loses it at once. */
  readonly hold = async ({ url }: WatchTarget): Promise<HeldConnection> => {
    const region = regionOf(`${url}/`);
    const outage = region === null ? null : (this.#outages.get(region) ?? null);
    await this.#clock.sleep(RESET_MS);
    if (outage?.loss === "refused" && isOut(outage, this.#clock.monotonic())) throw new HttpFailure("refused", "refused by the simulation");
    const open = new AbortController();
    return {
      lost: this.#lost(outage, open.signal).catch(() => undefined),
      [Symbol.dispose]: () => {
        open.abort();
      },
    };
  };

  /** Other outages leave idle connections alone. */
  async #lost(outage: Outage | null, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const breaks = outage !== null && (outage.loss === "refused" || outage.loss === "reset") && now < outage.until;
    await this.#clock.sleep(breaks ? Math.max(RESET_MS, outage.from - now) : Number.POSITIVE_INFINITY, signal);
  }

  #lossOf(region: RegionName): string | undefined {
    return this.#outages.get(region)?.loss;
  }
}

function answered(status: number, served: Served | null, range: string | undefined, now: number): HttpAnswer {
  const headers = { "content-type": served?.type ?? "text/plain", date: new Date(now).toUTCString() };
  if (status !== 200 || served === null) return { status, headers, body: new Uint8Array() };
  const { body } = served;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (first === undefined) return { status, headers, body };
  const end = Math.min(Number(last), body.length - 1);
  const contentRange = { "content-range": `bytes ${first}-${end}/${body.length}` };
  return { status: 206, headers: { ...headers, ...contentRange }, body: body.subarray(Number(first), end + 1) };
}
