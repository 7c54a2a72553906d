/**
 * `npm run bench:steer`: manifests that the gateway answers itself, steered and anchored, from its memory, against plain redirects of the same
 * videos, with metrics and access log on, one process on one core, in turns.
 */
import { runBench, type Figure } from "./frame.ts";
import { versionsOf } from "./process.ts";
import { LOAD_NOTES } from "./speed/load.ts";
import { CORES, inTurns, startOrigins, type Speed } from "./speed/rounds.ts";
import { speedTable } from "./speed/report.ts";
import { startPaircast } from "./speed/servers.ts";

const MODES = { steer: "steered", anchor: "anchored" } as const;

await runBench("steer", async ({ quick, rounds }) => {
  const { versions, missing } = versionsOf(["wrk"]);
  const notes = [...missing];
  await using stack = new AsyncDisposableStack();
  const origins = await startOrigins(stack);
  const options = { task: "redirect", origins, cpus: CORES?.server ?? null } as const;
  const servers = [];
  for (const mode of ["redirect", "steer", "anchor"] as const) servers.push(stack.use(await startPaircast(options, null, mode)));
  const speeds = await inTurns(servers, { kind: "manifest", rounds: rounds ?? (quick ? 2 : 7), seconds: quick ? 1 : 4 });
  if (CORES === null) notes.push("one core only: server and load share it");
  notes.push(...LOAD_NOTES);
  notes.push("a steered playlist of six variants and a rendition for two regions and the gateway has about 8 KB; a redirect has no body");
  const figures = [
    ...figuresOf("requests per second", "1/s", speeds, ({ perSecond }) => perSecond),
    ...figuresOf("CPU per request", "µs", speeds, ({ cpuMicros }) => cpuMicros),
    ...figuresOf("RSS under load", "MiB", speeds, ({ rssMiB }) => rssMiB),
    { name: "failed requests", unit: "", value: [...speeds.values()].reduce((sum, { errors }) => sum + errors, 0) },
  ];
  return { versions, figures, notes, tables: [speedTable("manifests from memory: one process on one core, 64 connections", speeds)] };
});

/** One figure for each mode, the plain redirect its peer. */
function figuresOf(name: string, unit: string, speeds: ReadonlyMap<string, Speed>, of: (speed: Speed) => number): Figure[] {
  const value = (server: string): number => {
    const speed = speeds.get(server);
    return speed === undefined ? Number.NaN : of(speed);
  };
  const peers = { redirected: value("paircast") };
  return Object.entries(MODES).map(([mode, word]) => ({ name: `${name}, ${word}`, unit, value: value(`paircast ${mode}`), peers }));
}
