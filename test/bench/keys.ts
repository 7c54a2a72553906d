/**
 * `npm run bench:keys`: a 16-byte key by GET and a 2 KB licence by POST, carried to a key host over kept connections, with metrics and access log
 * on, one process on one core, against nginx, HAProxy and Caddy doing the same, in turns.
 */
import { runBench } from "./frame.ts";
import { versionsOf } from "./process.ts";
import { LOAD_NOTES } from "./speed/load.ts";
import { CORES, inTurns, startOrigins } from "./speed/rounds.ts";
import { speedFigure, speedTable } from "./speed/report.ts";
import { startPaircast, startPeers } from "./speed/servers.ts";

await runBench("keys", async ({ quick, rounds }) => {
  const { versions, missing } = versionsOf(["nginx", "haproxy", "caddy", "wrk"]);
  const notes = [...missing];
  await using stack = new AsyncDisposableStack();
  const origins = await startOrigins(stack);
  const options = { task: "keys", origins, cpus: CORES?.server ?? null } as const;
  const servers = [stack.use(await startPaircast(options)), ...(await startPeers(options, stack))];
  const length = { rounds: rounds ?? (quick ? 2 : 7), seconds: quick ? 1 : 4 };
  const keys = await inTurns(servers, { kind: "key", ...length });
  const licences = await inTurns(servers, { kind: "licence", ...length });
  if (CORES === null) notes.push("one core only: server, key host and load share it");
  notes.push(...LOAD_NOTES);
  notes.push("all send the same header fields and write a JSON access log; only paircast judges what comes back");
  const figures = [
    speedFigure("key GET: CPU per request", "µs", keys, (speed) => speed.cpuMicros),
    speedFigure("licence POST: CPU per request", "µs", licences, (speed) => speed.cpuMicros),
    speedFigure("key GET: p99", "ms", keys, (speed) => speed.p99Ms),
    speedFigure("licence POST: p99", "ms", licences, (speed) => speed.p99Ms),
    speedFigure("RSS under load", "MiB", licences, (speed) => speed.rssMiB),
    speedFigure("key GET: failed requests", "", keys, (speed) => speed.errors),
    speedFigure("licence POST: failed requests", "", licences, (speed) => speed.errors),
  ];
  const tables = [speedTable("key by GET: one process on one core, 64 connections", keys), speedTable("licence by POST", licences)];
  return { versions, figures, notes, tables };
});
