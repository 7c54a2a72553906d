/**
 * `npm run bench:scale`: what more workers bring, and what an asset costs in calls. 1, 2 and 4 `paircast replicate --follow`, processes of their own,
 * share tables and a queue and replicate a library from one emulated region to another. Every service is some way off, so that a worker does what it
 * does between machines: wait. docs/scale.md reckons on from these figures.
 */
import { runBench, type Figure, type Table } from "./frame.ts";
import { versionsOf } from "./process.ts";
import { workDirectory } from "./routers/site.ts";
import { KINDS, type Kind } from "./scale/calls.ts";
import { measureRound, type Round } from "./scale/round.ts";
import { FILES, Scene } from "./scale/scene.ts";
import { CONCURRENCY } from "./scale/worker.ts";

const WORKERS = [2, 4];
const WHOLE = { awayMs: 40, assets: 24 };
const QUICK = { awayMs: 20, assets: 5 };
/** What a further file costs is the difference that so many make. */
const LARGER = { assets: 3, extra: 35 };

await runBench("scale", async ({ quick }) => {
  const { awayMs, assets } = quick ? QUICK : WHOLE;
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await workDirectory());
  const { one, more } = await (async () => {
    await using scene = await Scene.start({ awayMs, assets, extra: 0 });
    const first = await measureRound(scene, { workers: 1, folder, prefix: "by1" });
    const others: Round[] = [];
    for (const workers of WORKERS) others.push(await measureRound(scene, { workers, folder, prefix: `by${workers}` }));
    return { one: first, more: others };
  })();
  const many = quick ? null : await largerFiles(awayMs, folder);
  const rounds = [one, ...more, ...(many === null ? [] : [many])];
  const figures: Figure[] = [
    ...[one, ...more].map((round) => ({ name: `${workersOf(round)}: rate`, value: rate(round), unit: "assets/s" })),
    ...more.map((round) => ({ name: `${workersOf(round)}: rate, of one's`, value: rate(round) / rate(one), unit: "times" })),
    { name: "jobs and blobs done twice", value: rounds.reduce((sum, { twice }) => sum + twice, 0), unit: "of all" },
    { name: "CPU of a worker per asset", value: one.cpuMs / one.assets, unit: "ms" },
  ];
  const notes = [
    `every call to every service takes ${awayMs} ms longer than it would; ${assets} assets of ${FILES} small files, encrypted, with a locator each`,
    `a worker has ${CONCURRENCY} asset at a time for each target, where the default is 4: on two cores, which also emulate the services, workers that have more to do measure the machine`,
    "calls are those of a first copy by one worker, its polls included: a job for the target, and one that looks at the source's own copy",
  ];
  return { versions: versionsOf([]).versions, figures, notes, tables: [callTable(one, many)] };
});

async function largerFiles(awayMs: number, folder: string): Promise<Round> {
  await using scene = await Scene.start({ awayMs, ...LARGER });
  return await measureRound(scene, { workers: 1, folder, prefix: "larger" });
}

function workersOf({ workers }: Round): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}

function rate({ assets, seconds }: Round): number {
  return assets / seconds;
}

function callTable(one: Round, many: Round | null): Table {
  const per = ({ tally, assets }: Round, kind: Kind): number => tally.of(kind) / assets;
  const further = (kind: Kind): string[] => (many === null ? [] : [((per(many, kind) - per(one, kind)) / LARGER.extra).toFixed(2)]);
  const rows = KINDS.map((kind) => [kind, per(one, kind).toFixed(1), ...further(kind)]);
  return { title: "calls", columns: ["", `per asset of ${FILES} files`, ...(many === null ? [] : ["per further file"])], rows };
}
