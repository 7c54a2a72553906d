/** Runs several cells at the same time: for each its two regions, every router in front of them, and a player behind every router. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../../src/core/clock.ts";
import { createAuthority, type CertificateAuthority } from "../../../src/sandbox/certificates.ts";
import { faultClass } from "../origin/faults.ts";
import { startOrigins, type OriginProcess } from "../origin/origin.ts";
import { Player } from "../player.ts";
import { inLanes } from "../process.ts";
import { startCaddy } from "../routers/caddy.ts";
import { startHaproxy } from "../routers/haproxy.ts";
import { startNginx } from "../routers/nginx.ts";
import { ready, startPaircast, type PaircastRouter } from "../routers/paircast.ts";
import { CERTIFIED_NAME, workDirectory, type ProbePolicy, type Site } from "../routers/site.ts";
import type { Cell } from "./matrix.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";

export const HOSTS = { a: "127.0.0.21", b: "127.0.0.22" } as const;

export interface StageOptions {
  readonly probes: ProbePolicy;
  /** Installed routers beside paircast: `haproxy`, `nginx`, `caddy`. */
  readonly peers: readonly string[];
  readonly playsPerSecond: number;
  /** Before the fault. */
  readonly healthyMs: number;
  /** After it. */
  readonly observedMs: number;
  readonly quietMs: number;
}

/** `paircast` redirects keys; `paircast-proxy` carries them, which makes a difference to key faults only. */
export const PAIRCASTS = ["paircast", "paircast-proxy"] as const;

export interface CellResult {
  readonly cell: Cell;
  /** Router -> outcome. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Why paircast took the healthy region B for unhealthy, each time. */
  readonly falseDrains: readonly string[];
}

interface Routers {
  /** Router -> URL. */
  readonly urls: Map<string, string>;
  readonly paircasts: PaircastRouter[];
}

interface Scene {
  readonly cell: Cell;
  readonly site: Site;
  readonly origin: OriginProcess;
}

/** Programs that are started at the same time. */
const LANES = 4;

/** Time for every router to have probed both regions often enough. */
const WARM_MS = 1_500;

export async function runCells(cells: readonly Cell[], options: StageOptions): Promise<CellResult[]> {
  await using stack = new AsyncDisposableStack();
  const scenes = await setScenes(cells, stack);
  const routers = await startRouters(scenes, options, stack);
  await delay(WARM_MS);
  const players = scenes.map((scene, index) => playersOf(scene, routers[index]?.urls ?? new Map<string, string>()));
  const from = performance.now();
  for (const player of players.flatMap((each) => [...each.values()])) {
    player.start(options.playsPerSecond);
    // So that they do not all ask in the same instant.
    await delay(2);
  }
  await delay(options.healthyMs);
  const faults = await Promise.all(
    scenes.map(async ({ cell, origin }) => {
      const at = performance.now();
      await origin.breakRegion("a", cell.fault);
      return at;
    }),
  );
  await delay(options.observedMs);
  const to = performance.now();
  const falseDrains = routers.map(({ paircasts }) => paircasts.flatMap((paircast) => paircast.reasons("b")));
  await Promise.all(players.flatMap((each) => [...each.values()].map(async (player) => player.stop())));
  return scenes.map(({ cell }, index) => {
    const span = { from, fault: faults[index] ?? from, to, quietMs: options.quietMs };
    const outcomes = new Map([...(players[index] ?? [])].map(([router, { plays }]) => [router, outcomeOf(plays, span)]));
    return { cell, outcomes, falseDrains: falseDrains[index] ?? [] };
  });
}

async function setScenes(cells: readonly Cell[], stack: AsyncDisposableStack): Promise<Scene[]> {
  const directory = stack.use(await workDirectory());
  const secure = (cell: Cell): boolean => faultClass(cell.fault) === "certificate";
  const authority = cells.some(secure) ? await createAuthority(systemClock) : null;
  const caFile = join(directory.path, "ca.pem");
  if (authority !== null) await writeFile(caFile, authority.ca);
  const certified = async (cell: Cell) => (secure(cell) ? { certificates: await certificates(authority) } : {});
  const healthy = await Promise.all(cells.map(async (cell, index) => ({ name: `b${index}`, host: HOSTS.b, ...(await certified(cell)) })));
  const others = stack.use(await startOrigins(healthy));
  return inLanes(cells, LANES, async (cell, index) => {
    const origin = stack.use(await startOrigins([{ name: "a", host: HOSTS.a, ...(await certified(cell)) }]));
    const b = { ...others.region(`b${index}`), name: "b" };
    return { cell, origin, site: { video: cell.video, a: origin.region("a"), b, caFile: secure(cell) ? caFile : null } };
  });
}

async function certificates(authority: CertificateAuthority | null) {
  if (authority === null) throw new Error("a certificate without an authority");
  return authority.issue([HOSTS.a, HOSTS.b, CERTIFIED_NAME]);
}

async function startRouters(scenes: readonly Scene[], options: StageOptions, stack: AsyncDisposableStack): Promise<Routers[]> {
  const { probes, peers } = options;
  const sites = scenes.map(({ site }) => site);
  const routers = scenes.map((): Routers => ({ urls: new Map(), paircasts: [] }));
  const starters = {
    haproxy: async () => startHaproxy(sites, { probes, mode: "proxy" }),
    nginx: async () => startNginx(sites),
    caddy: async () => startCaddy(sites, { probes }),
  };
  for (const [name, start] of Object.entries(starters)) {
    if (!peers.includes(name)) continue;
    const router = stack.use(await start());
    router.urls.forEach((url, index) => routers[index]?.urls.set(name, url));
  }
  await inLanes(scenes, LANES, async ({ cell, site }, index) => {
    for (const name of faultClass(cell.fault) === "key" ? PAIRCASTS : PAIRCASTS.slice(0, 1)) {
      const router = stack.use(await startPaircast(site, { probes, keys: name === "paircast" ? "redirect" : "proxy" }));
      await ready(router);
      routers[index]?.urls.set(name, router.urls[0] ?? "");
      routers[index]?.paircasts.push(router);
    }
  });
  return routers;
}

function playersOf({ site, cell }: Scene, urls: ReadonlyMap<string, string>): Map<string, Player> {
  const ca = site.caFile === null ? {} : { caFile: site.caFile };
  return new Map([...urls].map(([router, url]) => [router, new Player({ router: url, video: cell.video, ...ca })]));
}
