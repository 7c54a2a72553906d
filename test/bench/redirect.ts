/**
 * `npm run bench:redirect`: redirect decisions with metrics and access log on, one process on one core, against nginx, HAProxy and Caddy doing the
 * nearest thing they can, in turns. `nginx bare` is nginx with a single `return` and its ordinary access log.
 */
import { runBench, type Figure } from "./frame.ts";
import { peerVersion, versionsOf } from "./process.ts";
import { LOAD_NOTES } from "./speed/load.ts";
import { speedFigure, speedTable } from "./speed/report.ts";
import { CORES, inTurns, startOrigins } from "./speed/rounds.ts";
import { twoCores, type ScalingOptions } from "./speed/scaling.ts";
import { startNginx, startPaircast, startPeers } from "./speed/servers.ts";

await runBench("redirect", async ({ quick, rounds, only }) => {
  const { versions, missing } = versionsOf(["nginx", "haproxy", "caddy", "wrk"]);
  const notes = [...missing];
  await using stack = new AsyncDisposableStack();
  const origins = await startOrigins(stack);
  const options = { task: "redirect", origins, cpus: CORES?.server ?? null } as const;
  const single = await (async () => {
    await using servers = new AsyncDisposableStack();
    const own = servers.use(await startPaircast(options));
    const peers = await startPeers(options, servers);
    const bare = peerVersion("nginx") === null ? [] : [servers.use(await startNginx(options, { bare: true }))];
    return await inTurns([own, ...peers, ...bare], { kind: "redirect", rounds: rounds ?? (quick ? 2 : 7), seconds: quick ? 1 : 4 });
  })();
  const scaling =
    CORES === null || (only.length > 0 && !only.includes("cores"))
      ? null
      : await scaled(options.origins, { rounds: quick ? 1 : 3, seconds: quick ? 2 : 5 });
  if (CORES === null) notes.push("one core only: server and load share it, and nothing can be said of two");
  notes.push(...LOAD_NOTES);
  notes.push("nginx, haproxy and caddy send the same header fields and write a JSON access log with the same fields; they look up nothing");
  const figures = [
    speedFigure("CPU per request", "µs", single, (speed) => speed.cpuMicros),
    speedFigure("requests per second, one core", "1/s", single, (speed) => speed.perSecond),
    speedFigure("p99", "ms", single, (speed) => speed.p99Ms),
    speedFigure("RSS under load", "MiB", single, (speed) => speed.rssMiB),
    speedFigure("failed requests", "", single, (speed) => speed.errors),
    ...(scaling === null ? [] : [capacityFigure(scaling)]),
  ];
  return { versions, figures, notes, tables: [speedTable("redirect: one process on one core, 64 connections", single)] };
});

async function scaled(origins: readonly [string, string], options: ScalingOptions): Promise<Map<string, number>> {
  await using stack = new AsyncDisposableStack();
  const [one, two] = [
    { task: "redirect", origins, cpus: "0" },
    { task: "redirect", origins, cpus: "0,1" },
  ] as const;
  const pairs = [{ one: stack.use(await startPaircast(one, 1)), two: stack.use(await startPaircast(two, 2)) }];
  if (peerVersion("nginx") !== null)
    pairs.push({ one: stack.use(await startNginx(one)), two: stack.use(await startNginx(two, { processes: 2 })) });
  return await twoCores(pairs, options);
}

function capacityFigure(capacities: ReadonlyMap<string, number>): Figure {
  const { paircast = Number.NaN, ...peers } = Object.fromEntries(capacities);
  return { name: "capacity of two processes on two cores, of one on one", unit: "×", value: paircast, peers };
}
