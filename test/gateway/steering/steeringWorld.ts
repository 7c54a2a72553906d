/** A world whose routes are steered, and a player's polls in it. */
import { hashText } from "../../../src/gateway/order/hash.ts";
import { PlaybackRouter } from "../../../src/gateway/router.ts";
import { Responder } from "../../../src/gateway/respond.ts";
import { SteeringRoute } from "../../../src/gateway/steering/steeringRoute.ts";
import type { Region, ServiceHealth } from "../../../src/core/contracts.ts";
import { buildWorld, entry, LOCATOR, ManualClock, REGIONS, serviceHealth } from "../world.ts";

export const THREE: readonly Region[] = [...REGIONS, { name: "eastus", streaming: "https://eu.streaming.example", keys: null }];
export const ORIGIN = "https://gw.example";
export const PATH = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;
export const SESSION = `/steering/hls${PATH}?pathways=westeurope,northeurope,eastus`;

export interface SteeringManifest {
  readonly VERSION: number;
  readonly TTL: number;
  readonly "RELOAD-URI": string;
  readonly "PATHWAY-PRIORITY": readonly string[];
}

export interface Wire {
  readonly peer?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A number in [0, 1) for each call, spread evenly and the same in every run. */
function evenly(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return hashText(`draw ${count}`) / 2 ** 32;
  };
}

export function steeringWorld(gateway: Readonly<Record<string, unknown>> = {}, regions: readonly Region[] = THREE) {
  const clock = new ManualClock();
  const world = buildWorld({ clock, regions, gateway: { playback: "steer", ...gateway } });
  world.catalogue.list = [entry(Object.fromEntries(regions.map(({ name }) => [name, "verified" as const])))];
  const reports: string[] = [];
  const outcomes = {
    observe: (region: string, service: string, outcome: { readonly ok: boolean }, viewer = "") => {
      reports.push(`${region}/${service} ${outcome.ok ? "good" : "bad"} ${viewer}`);
    },
  };
  const random = { ...world.random, next: evenly() };
  const { config, health, metrics } = world;
  const router = new PlaybackRouter({ ...world, overrides: world.overrideView, random });
  const responder = new Responder({ corsOrigin: config.corsOrigin, retryAfterMs: config.retryAfter });
  const names = regions.map(({ name }) => name);
  const route = new SteeringRoute({ router, responder, health, outcomes, metrics, clock, random, ttl: config.steering, regions: names });
  /** One poll, by a path and query or by a URL that was given before. */
  const poll = (url: string, { peer = "203.0.113.9", headers = {} }: Wire = {}) => {
    const target = url.startsWith(ORIGIN) ? url.slice(ORIGIN.length) : url;
    const front = router.read({ method: "GET", target, host: "gw.example" });
    const { protocol, request } = front.type === "steering" ? front : ({ protocol: "hls", request: null } as const);
    const wire = { target, header: (name: string) => headers[name], peer: () => peer };
    const outcome = route.answer({ protocol, request, target, origin: ORIGIN, requestId: "00000000-test", wire });
    const { answer } = outcome;
    return { ...outcome, answer, list: JSON.parse(String(answer.body)) as SteeringManifest };
  };
  const put = (region: string, state: Partial<ServiceHealth>) => {
    health.put(region, "streaming", { ...serviceHealth("healthy"), since: clock.now(), ...state });
  };
  // Everything has been well for a long time.
  clock.advance(10_000_000);
  return { ...world, router, responder, clock, route, poll, put, reports };
}

export type SteeringWorld = ReturnType<typeof steeringWorld>;

/** As players do it: a URL parser writes the whole query again. */
export function reporting(url: string, pathway: string, throughput: number): string {
  const parsed = new URL(url, ORIGIN);
  parsed.searchParams.set("_HLS_pathway", pathway);
  parsed.searchParams.set("_HLS_throughput", String(throughput));
  return parsed.href.slice(ORIGIN.length);
}
