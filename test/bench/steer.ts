/**
 * `npm run bench:steer`: manifests that the gateway answers itself, steered and anchored, from its memory, against plain redirects of the same
 * videos, with metrics and access log on, one process on one core, in turns: once as browsers ask, who take gzip, and once without.
 */
import { runBench, type Figure } from "./frame.ts";
import { versionsOf } from "./process.ts";
import { LOAD_NOTES } from "./speed/load.ts";
import { CORES, inTurns, startOrigins, type Speed } from "./speed/rounds.ts";
import { speedTable } from "./speed/report.ts";
import { startPaircast } from "./speed/servers.ts";

const MODES = { steer: "steered", anchor: "anchored" } as const;
const KINDS = { manifest: "", identity: ", not compressed" } as const;

await runBench("steer", async ({ quick, rounds }) => {
  const { versions, missing } = versionsOf(["wrk"]);
  const notes = [...missing];
  await using stack = new AsyncDisposableStack();
  const origins = await startOrigins(stack);
  const options = { task: "redirect", origins, cpus: CORES?.server ?? null } as const;
  const servers = [];
  for (const mode of ["redirect", "steer", "anchor"] as const) servers.push(stack.use(await startPaircast(options, null, mode)));
  const turns = { rounds: rounds ?? (quick ? 2 : 7), seconds: quick ? 1 : 4 };
  const figures: Figure[] = [];
  const tables = [];
  let errors = 0;
  for (const kind of ["manifest", "identity"] as const) {
    const speeds = await inTurns(servers, { kind, ...turns });
    figures.push(
      ...figuresOf(`requests per second${KINDS[kind]}`, "1/s", speeds, ({ perSecond }) => perSecond),
      ...figuresOf(`CPU per request${KINDS[kind]}`, "µs", speeds, ({ cpuMicros }) => cpuMicros),
      ...figuresOf(`RSS under load${KINDS[kind]}`, "MiB", speeds, ({ rssMiB }) => rssMiB),
    );
    errors += [...speeds.values()].reduce((sum, speed) => sum + speed.errors, 0);
    tables.push(speedTable(`manifests from memory${KINDS[kind]}: one process on one core, 64 connections`, speeds));
  }
  figures.push({ name: "failed requests", unit: "", value: errors });
  if (CORES === null) notes.push("one core only: server and load share it");
  notes.push(...LOAD_NOTES);
  notes.push(
    "a steered playlist of six variants and a rendition for two regions and the gateway has 8 KB, 1 KB in gzip; a redirect has no body",
  );
  return { versions, figures, notes, tables };
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
