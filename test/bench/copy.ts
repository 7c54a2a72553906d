/**
 * `npm run bench:copy`: what it takes to copy containers of one large, some middling and many small blobs at Azurite, beside the plainest correct loop
 * over the SDK and rclone; and what it takes of memory, from a hundred blobs to a hundred thousand.
 *
 * All copy between two containers of one account, which is what rclone does inside the service; between accounts it downloads and uploads.
 */
import { median, progress, runBench, type BenchArguments, type Figure, type Table } from "./frame.ts";
import { peerVersion, startProcess, versionsOf } from "./process.ts";
import { paircast, plainLoop, rclone, type Copier } from "./copy/copiers.ts";
import type { Cost } from "./copy/copier.ts";
import { BenchStorage, type Load } from "./copy/storage.ts";

const KIB = 1024;
const PARTS = ["large", "middling", "small", "distant", "memory"] as const;
type Part = (typeof PARTS)[number];

/** A round trip between two sites of one continent. */
const ROUND_TRIP_MS = 10;

const smallBlobs = (quick: boolean): number => (quick ? 300 : 5000);
const manyBlobs = (quick: boolean): number => (quick ? 3000 : 100_000);

interface Setting {
  readonly part: Part;
  readonly load: Load;
  readonly roundTripMs: number;
}

function settings(quick: boolean): readonly Setting[] {
  const small = { count: smallBlobs(quick), bytes: 16 * KIB };
  return [
    { part: "large", load: { name: "1 × 256 MiB", count: 1, bytes: 256 * KIB * KIB }, roundTripMs: 0 },
    { part: "middling", load: { name: "64 × 4 MiB", count: 64, bytes: 4 * KIB * KIB }, roundTripMs: 0 },
    { part: "small", load: { name: "small blobs", ...small }, roundTripMs: 0 },
    { part: "distant", load: { name: `small blobs, ${ROUND_TRIP_MS} ms away`, ...small }, roundTripMs: ROUND_TRIP_MS },
  ];
}

const NOTES = [
  "Azurite copies by noting where the bytes are, in one thread: on loopback its own CPU time per request is the limit for all, however many are under way; with a distance, as any real service has, what counts is how many are",
  "the loop copies and then looks at each blob; paircast lists both sides, copies, and lists them again; rclone's time has its start in it, the others' has not",
  "paircast has V8 collect early, as the command does: else V8 takes more of a large machine's memory before it looks. No flags of node are needed for that",
];

await runBench("copy", async (options) => {
  const { quick, only } = options;
  for (const part of only) if (!PARTS.includes(part as Part)) throw new Error(`--only knows no ${part}; it knows ${PARTS.join(", ")}`);
  const wanted = (part: Part): boolean => only.length === 0 || only.includes(part);
  const { versions, missing } = versionsOf(["rclone"]);
  const copiers = peerVersion("rclone") === null ? [paircast, plainLoop] : [paircast, plainLoop, rclone];
  const figures: Figure[] = [];
  const tables: Table[] = [];
  await using storage = await BenchStorage.start();
  for (const setting of settings(quick).filter(({ part }) => wanted(part))) {
    const costs = await compare(storage, setting, copiers, options);
    figures.push(...figuresOf(setting.load, costs));
    tables.push(tableOf(setting.load, costs));
  }
  if (wanted("memory")) figures.push(...(await memory(quick)));
  const counts = `small blobs: ${smallBlobs(quick)} of 16 KiB; many blobs: ${manyBlobs(quick)}, of a service that makes them up`;
  const notes = [counts, ...NOTES, ...missing];
  return { versions, figures, notes, tables };
});

type Costs = ReadonlyMap<string, readonly Cost[]>;

/** In turns, each into a new container. */
async function compare(
  storage: BenchStorage,
  { load, roundTripMs }: Setting,
  copiers: readonly Copier[],
  { quick, rounds }: BenchArguments,
): Promise<Costs> {
  progress(`${load.name}: seeding ${load.count}`);
  const from = await storage.seed(load);
  await using relay = roundTripMs === 0 ? null : await startRelay(storage.origin, roundTripMs);
  const url = storage.url(relay === null ? storage.origin : `http://127.0.0.1:${relay.line}`);
  const costs = new Map<string, Cost[]>(copiers.map(({ name }) => [name, []]));
  for (let round = 0; round < (rounds ?? (quick ? 1 : 3)); round += 1) {
    for (const copier of copiers) {
      const to = await storage.empty();
      const cost = await copier.copy(url, from, to);
      await storage.check(to, load);
      await storage.remove(to);
      costs.get(copier.name)?.push(cost);
      progress(`${load.name}: ${copier.name} ${cost.seconds.toFixed(2)} s`);
    }
  }
  await storage.remove(from);
  return costs;
}

async function startRelay(origin: string, roundTripMs: number) {
  const script = new URL("copy/relay.ts", import.meta.url).pathname;
  return startProcess({ command: process.execPath, args: [script, new URL(origin).port, String(roundTripMs)], ready: "line" });
}

function figuresOf(load: Load, costs: Costs): readonly Figure[] {
  const rate = (name: string): number => load.count / median((costs.get(name) ?? []).map(({ seconds }) => seconds));
  const peers = [...costs.keys()].filter((name) => name !== paircast.name);
  return [
    {
      name: load.name,
      value: rate(paircast.name),
      unit: "blobs/s",
      peers: Object.fromEntries(peers.map((name) => [name, rate(name)])),
    },
  ];
}

function tableOf(load: Load, costs: Costs): Table {
  const rows = [...costs].map(([name, each]) => {
    const middle = (of: (cost: Cost) => number): string => shown(median(each.map(of)));
    return [name, middle(({ seconds }) => seconds), middle(({ cpuMs }) => cpuMs / load.count), middle(({ peakMiB }) => peakMiB)];
  });
  return { title: load.name, columns: ["", "s", "own CPU ms/blob", "peak RSS MiB"], rows };
}

function shown(value: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(2);
}

async function memory(quick: boolean): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, count] of [
    ["peak RSS, 100 blobs", 100],
    ["peak RSS, many blobs", manyBlobs(quick)],
  ] as const) {
    progress(`${name}: ${count}`);
    const script = new URL("copy/madeUpService.ts", import.meta.url).pathname;
    await using service = await startProcess({ command: process.execPath, args: [script, String(count)], ready: "line" });
    const { peakMiB } = await paircast.copy(`http://127.0.0.1:${service.line}/bench?sig=none`, "source", "target");
    figures.push({ name, value: peakMiB, unit: "MiB" });
  }
  return figures;
}
