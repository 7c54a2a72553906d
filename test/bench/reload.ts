/**
 * `npm run bench:reload`: connections lost while the configuration is reloaded. Clients open one connection after the other and ask for a
 * redirect; meanwhile the configuration is changed 15 times, each time to another target, and each is waited for until it is answered.
 * Routers in turns. `--only` takes their names.
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { progress, quantile, runBench, type BenchArguments, type Measurement, type Table } from "./frame.ts";
import { versionsOf } from "./process.ts";
import { startConnections } from "./reload/connections.ts";
import { startRouter, type Peer } from "./reload/routers.ts";

const OWN: readonly Peer[] = ["paircast", "paircast-workers"];
const PEERS: readonly Peer[] = [...OWN, "haproxy", "nginx", "caddy"];
const CLIENTS = 16;
const FULL = { connections: 100_000, reloads: 15 };
const QUICK = { connections: 12_000, reloads: 6 };
/** haproxy's master loses a signal that comes while it is still busy with the one before. */
const APART_MS = 700;
const PATIENCE_MS = 30_000;
const PATH = "/film/master.m3u8";

interface Result {
  readonly peer: Peer;
  readonly connections: number;
  readonly failed: number;
  readonly failures: string;
  readonly reloads: number;
  readonly perSecond: number;
  /** Milliseconds from the signal to the first answer by the new configuration, each. */
  readonly takenUp: readonly number[];
}

async function measure({ quick, only }: BenchArguments): Promise<Measurement> {
  const unknown = only.filter((name) => !PEERS.some((peer) => peer === name));
  if (unknown.length > 0) throw new Error(`--only knows no ${unknown.join(", ")}`);
  const { versions, missing } = versionsOf(["haproxy", "nginx", "caddy"]);
  const chosen = PEERS.filter((peer) => (OWN.includes(peer) || peer in versions) && (only.length === 0 || only.includes(peer)));
  const origins = await Promise.all([startOrigin(), startOrigin()]);
  try {
    const targets = origins.map((origin) => `http://127.0.0.1:${(origin.address() as AddressInfo).port}`);
    const results: Result[] = [];
    for (const peer of chosen) {
      const plan = quick ? QUICK : FULL;
      progress(`${peer}: ${plan.connections} connections, ${plan.reloads} reloads`);
      results.push(await underLoad(peer, targets, plan));
    }
    return { versions, figures: figuresOf(results), tables: [tableOf(results)], notes: [...NOTES, ...missing] };
  } finally {
    for (const origin of origins) origin.close().closeAllConnections();
  }
}

const NOTES = [
  "paircast-workers: two worker processes share the port",
  `${CLIENTS} clients; failed: anything but a whole redirect to one of the two targets within 5 s`,
  "haproxy: master and worker with expose-fd, SIGUSR2; nginx: SIGHUP; caddy: `caddy reload`; paircast: SIGHUP, regions in another order each time",
];

async function underLoad(peer: Peer, targets: readonly string[], plan: typeof FULL): Promise<Result> {
  await using router = await startRouter(peer, targets);
  const locations = targets.map((target) => `${target}${PATH}`);
  await answers(`${router.url}${PATH}`, locations);
  const began = performance.now();
  const load = startConnections({ url: `${router.url}${PATH}`, clients: CLIENTS, locations });
  const takenUp: number[] = [];
  try {
    while (takenUp.length < plan.reloads) {
      const due = (plan.connections * (takenUp.length + 1)) / (plan.reloads + 1);
      await Promise.all([until(() => load.done >= due, "the load"), delay(APART_MS)]);
      const target = targets[(takenUp.length + 1) % targets.length] ?? "";
      const asked = performance.now();
      await router.reload(target);
      await until(() => load.location === `${target}${PATH}`, `${peer} to take up its configuration`);
      takenUp.push(performance.now() - asked);
    }
    await until(() => load.done >= plan.connections, "the load");
  } finally {
    await load.stop();
  }
  const failed = [...load.failures.values()].reduce((sum, count) => sum + count, 0);
  const failures = [...load.failures].map(([kind, count]) => `${count} × ${kind}`).join(", ");
  const perSecond = load.done / ((performance.now() - began) / 1000);
  return { peer, connections: load.done, failed, failures, reloads: takenUp.length, perSecond, takenUp };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const patience = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > patience) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await delay(1);
  }
}

/** Waits until it redirects: paircast has to have looked at its regions, and the others to have started. */
async function answers(url: string, locations: readonly string[]): Promise<void> {
  const patience = performance.now() + PATIENCE_MS;
  for (;;) {
    const probe = startConnections({ url, clients: 1, locations });
    await probe.stop();
    if (probe.failures.size === 0) return;
    if (performance.now() > patience) throw new Error(`${url} does not redirect: ${[...probe.failures.keys()].join()}`);
    await delay(50);
  }
}

/** Answers whatever it is asked. */
async function startOrigin(): Promise<Server> {
  const server = createServer((_request, response) => response.end("here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function figuresOf(results: readonly Result[]): Measurement["figures"] {
  const own = results.find(({ peer }) => peer === "paircast");
  if (own === undefined) return [];
  const peersOf = (figure: (result: Result) => number) =>
    Object.fromEntries(results.filter(({ peer }) => !OWN.includes(peer)).map((result) => [result.peer, figure(result)]));
  const figure = (name: string, unit: string, value: (result: Result) => number) => ({
    name,
    unit,
    value: value(own),
    peers: peersOf(value),
  });
  return [
    figure("failed requests", "requests", ({ failed }) => failed),
    figure("new connections", "connections", ({ connections }) => connections),
    figure("reloads", "reloads", (result) => result.reloads),
    figure("taken up, slowest", "ms", ({ takenUp }) => quantile(takenUp, 1)),
    ...results
      .filter(({ peer }) => peer === "paircast-workers")
      .map(({ failed }) => ({ name: "failed requests, two workers", unit: "requests", value: failed })),
  ];
}

function tableOf(results: readonly Result[]): Table {
  return {
    title: "reload under new connections",
    columns: ["", "connections", "per second", "failed", "reloads", "taken up, median ms", "what failed"],
    rows: results.map(({ peer, connections, perSecond, failed, reloads: done, takenUp, failures }) => [
      peer,
      String(connections),
      perSecond.toFixed(0),
      String(failed),
      String(done),
      quantile(takenUp, 0.5).toFixed(1),
      failures,
    ]),
  };
}

await runBench("reload", measure);
