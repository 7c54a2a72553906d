/**
 * `npm run bench:failover`: how long a region that fails goes on being used. Region A's process is killed, stopped (a black hole), or answers
 * 503, under a constant load; probes every 500 ms, two failures in a row. Routers in turns, each with processes of its own; with `--quick` all
 * at once before the same two regions. `--only` takes `redirect`, `keys`, `killed`, `stopped`, `503`.
 */
import { ROUTERS, runScene, type Job, type RouterName, type SceneOptions, type SceneResult } from "./failover/scene.ts";
import { median, progress, runBench, type BenchArguments, type Figure, type Measurement, type Table } from "./frame.ts";
import type { Fault } from "./origin/faults.ts";
import { versionsOf } from "./process.ts";
import type { ProbePolicy } from "./routers/site.ts";

const PROBES: ProbePolicy = { intervalMs: 500, fastIntervalMs: null, timeoutMs: 500, fall: 2, rise: 2 };
const FAULTS: readonly Fault[] = ["killed", "stopped", "503"];
const JOBS: Readonly<Record<"redirect" | "keys", readonly Job[]>> = { redirect: ["redirect"], keys: ["keys GET", "keys POST"] };
const ROUNDS = 4;
const LONG = { perSecond: 400, pace: { probedMs: 4_000, loadedMs: 1_200, observedMs: 3_200 } };
/** All routers share the machine then. */
const SHORT = { perSecond: 150, pace: { probedMs: 1_200, loadedMs: 800, observedMs: 2_600 } };

const NOTES = [
  "redirect: milliseconds from the fault to the first answer that leads to the other region; a request that is sent to the faulted region after the fault counts as failed",
  "keys: a 16-byte key by GET and a licence request of 2 KB by POST, both at the same time, carried by the router; failed: anything but the right answer within 5 s",
  "probes every 500 ms with a time-out of 500 ms, two failures in a row; while a change is pending paircast probes every 50 ms, haproxy with fastinter every 100 ms",
  "haproxy carries keys by its defaults with a backup server, and with redispatch and retry-on; nginx with max_fails, fail_timeout by default and proxy_next_upstream for everything, POST too; read time-outs are 2 s",
];

async function measure({ quick, only, rounds }: BenchArguments): Promise<Measurement> {
  const known = ["redirect", "keys", ...FAULTS];
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`--only knows no ${unknown.join(", ")}`);
  const chosen = <T extends string>(names: readonly T[]): readonly T[] => {
    const named = names.filter((name) => only.includes(name));
    return named.length === 0 ? names : named;
  };
  const { versions, missing } = versionsOf(["haproxy", "nginx"]);
  const results: (SceneResult & { readonly fault: Fault })[] = [];
  for (const scene of scenesOf(chosen(["redirect", "keys"]), chosen(FAULTS), { quick, versions, rounds: rounds ?? (quick ? 1 : ROUNDS) })) {
    progress(`${scene.jobs.join(" and ")}, ${scene.fault}: ${scene.routers.join("; ")}`);
    results.push(...(await runScene(scene)).map((result) => ({ ...result, fault: scene.fault })));
  }
  return { versions, figures: figuresOf(results), tables: [tableOf(results)], notes: [...NOTES, ...missing, ...warnings(results)] };
}

interface Plan {
  readonly quick: boolean;
  readonly rounds: number;
  readonly versions: Readonly<Record<string, string>>;
}

function scenesOf(kinds: readonly ("redirect" | "keys")[], faults: readonly Fault[], { quick, rounds, versions }: Plan): SceneOptions[] {
  const once = kinds.flatMap((kind) => {
    const routers = ROUTERS[kind].filter((name) => (name.split(",")[0] ?? "") in versions);
    const turns = quick ? [routers] : routers.map((router) => [router]);
    return faults.flatMap((fault) =>
      turns.map((turn): SceneOptions => ({ fault, jobs: JOBS[kind], routers: turn, probes: PROBES, ...(quick ? SHORT : LONG) })),
    );
  });
  return Array.from({ length: rounds }, () => once).flat();
}

type Result = SceneResult & { readonly fault: Fault };

function medians(results: readonly Result[], job: Job, fault: Fault, value: (result: Result) => number): Map<RouterName, number> {
  const routers = [...new Set(results.map(({ router }) => router))];
  return new Map(
    routers.flatMap((router): [RouterName, number][] => {
      const values = results.filter((each) => each.job === job && each.fault === fault && each.router === router).map(value);
      return values.length === 0 ? [] : [[router, median(values)]];
    }),
  );
}

function figuresOf(results: readonly Result[]): Figure[] {
  return groupsOf(results).flatMap(([job, fault]) => {
    const figure = (name: string, unit: string, value: (result: Result) => number): Figure => {
      const { paircast = Number.POSITIVE_INFINITY, ...peers } = Object.fromEntries(medians(results, job, fault, value));
      return { name, unit, value: paircast, peers };
    };
    const failed = figure(`${job}, ${fault}: failed`, "requests", ({ failover }) => failover.failed);
    if (job === "redirect") return [figure(`${job}, ${fault}`, "ms", ({ failover }) => failover.elsewhereMs), failed];
    return [failed, figure(`${job}, ${fault}: slowest`, "ms", ({ failover }) => failover.slowestMs)];
  });
}

function groupsOf(results: readonly Result[]): [Job, Fault][] {
  const names = new Map(results.map(({ job, fault }): [string, [Job, Fault]] => [`${job} ${fault}`, [job, fault]]));
  return [...names.values()];
}

function tableOf(results: readonly Result[]): Table {
  const routers = [...new Set(results.map(({ router }) => router))];
  const rows = groupsOf(results).map(([job, fault]) => {
    const elsewhere = medians(results, job, fault, ({ failover }) => failover.elsewhereMs);
    const failed = medians(results, job, fault, ({ failover }) => failover.failed);
    const slowest = medians(results, job, fault, ({ failover }) => failover.slowestMs);
    const cell = (router: RouterName): string => {
      const ms = elsewhere.get(router);
      if (ms === undefined) return "";
      return `${Number.isFinite(ms) ? `${Math.round(ms)} ms` : "never"}, ${failed.get(router) ?? 0}, ${Math.round(slowest.get(router) ?? 0)} ms`;
    };
    return [`${job}, ${fault}`, ...routers.map(cell)];
  });
  return { title: "first answer elsewhere, failed requests, slowest request", columns: ["", ...routers], rows };
}

/** A router that used region B before the fault measures nothing. */
function warnings(results: readonly Result[]): string[] {
  return results.flatMap(({ job, fault, router, failover }) =>
    failover.early > 0 ? [`${router} did not use region A alone before the fault (${job}, ${fault}): ${failover.early} requests`] : [],
  );
}

await runBench("failover", measure);
