/** Two regions, routers in front of them, a constant load behind each router, and a fault of region A. */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { HOSTS } from "../faults/stage.ts";
import type { Fault, Video } from "../origin/faults.ts";
import { startOrigins } from "../origin/origin.ts";
import { KEY_ID } from "../origin/video.ts";
import { startHaproxy, type HaproxyMode } from "../routers/haproxy.ts";
import { startNginx } from "../routers/nginx.ts";
import { ready, startPaircast } from "../routers/paircast.ts";
import { streamingCheck, type ProbePolicy, type Router, type Site } from "../routers/site.ts";
import { startLoad } from "./load.ts";
import { failoverOf, type Failover } from "./measure.ts";

export type Job = "redirect" | "keys GET" | "keys POST";

export type RouterName = "paircast" | "haproxy" | "haproxy, fastinter" | "haproxy, retries" | "nginx";

/** Who can do what. HAProxy's `fastinter` matters to redirects, its retries to what it carries; nginx decides by no probe. */
export const ROUTERS: Readonly<Record<"redirect" | "keys", readonly RouterName[]>> = {
  redirect: ["paircast", "haproxy", "haproxy, fastinter"],
  keys: ["paircast", "haproxy", "haproxy, retries", "nginx"],
};

export interface SceneOptions {
  readonly fault: Fault;
  readonly jobs: readonly Job[];
  readonly routers: readonly RouterName[];
  readonly probes: ProbePolicy;
  readonly perSecond: number;
  readonly pace: Pace;
}

/** Milliseconds. */
export interface Pace {
  /** For the routers to probe both regions, before there is a load. */
  readonly probedMs: number;
  /** Under load, before the fault. */
  readonly loadedMs: number;
  readonly observedMs: number;
}

export interface SceneResult {
  readonly job: Job;
  readonly router: RouterName;
  readonly failover: Failover;
}

const VIDEO: Video = { protocol: "hls", encrypted: true, live: true };
const LICENCE_REQUEST = Buffer.alloc(2_048, 0x51);
const LICENCE_BYTES = 2_048;
const KEY_BYTES = 16;

export async function runScene({ fault, jobs, routers, probes, perSecond, pace }: SceneOptions): Promise<SceneResult[]> {
  await using stack = new AsyncDisposableStack();
  const [a, b] = await Promise.all((["a", "b"] as const).map(async (name) => startOrigins([{ name, host: HOSTS[name] }])));
  if (a === undefined || b === undefined) throw new Error("no origins");
  stack.use(a);
  stack.use(b);
  const site: Site = { video: VIDEO, a: a.region("a"), b: b.region("b"), caFile: null };
  const redirects = jobs.includes("redirect");
  const running = await Promise.all(
    routers.map(async (name) => ({ name, router: stack.use(await startRouter(name, site, probes, redirects)) })),
  );
  await delay(pace.probedMs);
  const loads = running.flatMap(({ name, router }) =>
    jobs.map((job) => ({ name, job, load: startLoad({ ...loadOf(job, router.urls[0] ?? "", site), perSecond }) })),
  );
  await delay(pace.loadedMs);
  const at = performance.now();
  await a.breakRegion("a", fault);
  await delay(pace.observedMs);
  await Promise.all(loads.map(async ({ load }) => load.stop()));
  return loads.map(({ name, job, load }) => ({ job, router: name, failover: failoverOf(load.shots, at, job === "redirect") }));
}

const HAPROXY_MODES: Readonly<Partial<Record<RouterName, HaproxyMode>>> = { haproxy: "proxy-default", "haproxy, retries": "proxy" };

async function startRouter(name: RouterName, site: Site, probes: ProbePolicy, redirects: boolean): Promise<Router> {
  if (name === "nginx") return startNginx([site]);
  if (name === "paircast") {
    const router = await startPaircast(site, { probes: { ...probes, fastIntervalMs: PAIRCAST_FAST_MS }, keys: "proxy" });
    await ready(router);
    return router;
  }
  const mode = redirects ? "redirect" : (HAPROXY_MODES[name] ?? "proxy");
  return startHaproxy([site], { probes: { ...probes, fastIntervalMs: name === "haproxy, fastinter" ? FASTINTER_MS : null }, mode });
}

/** Probes are apart by this much while a change is pending. */
const PAIRCAST_FAST_MS = 50;
const FASTINTER_MS = 100;

function loadOf(job: Job, url: string, site: Site): Omit<Parameters<typeof startLoad>[0], "perSecond"> {
  if (job === "redirect") {
    const { path } = streamingCheck(site.video);
    const region = ({ headers }: Dispatcher.ResponseData): string | null => regionOfLocation(headers["location"], site);
    return { url: `${url}${path}`, method: "GET", body: null, region };
  }
  const method = job === "keys GET" ? "GET" : "POST";
  const wanted = method === "GET" ? KEY_BYTES : LICENCE_BYTES;
  const region = ({ statusCode, headers }: Dispatcher.ResponseData, length: number): string | null => {
    const origin = headers["x-paircast-origin"] ?? headers["x-origin"];
    return statusCode === 200 && length === wanted && typeof origin === "string" ? origin : null;
  };
  return { url: `${url}/keys/${KEY_ID}`, method, body: method === "GET" ? null : LICENCE_REQUEST, region };
}

function regionOfLocation(location: string | string[] | undefined, { a, b }: Site): string | null {
  if (typeof location !== "string") return null;
  if (location.startsWith(a.streaming)) return "a";
  return location.startsWith(b.streaming) ? "b" : null;
}
