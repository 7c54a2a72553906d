/**
 * What the encoding scheduler does in a second on one core, with its records in SQLite: jobs are taken in, placed, submitted, followed to their
 * end and cleaned up, in accounts that answer at once; and whether that costs more with a million records than with ten thousand.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { EncodingJob, Sighting } from "../../src/core/encoding.ts";
import { silentLog } from "../../src/core/log.ts";
import type { AccountJob, EncodingAccount } from "../../src/core/ports/encodingAccount.ts";
import { EncodingDesk } from "../../src/encoding/desk.ts";
import { apply, type JobEvent } from "../../src/encoding/job.ts";
import { jobId } from "../../src/encoding/names.ts";
import { newJob } from "../../src/encoding/newAttempt.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { firstWrite } from "../../src/encoding/records.ts";
import { DEFAULT_TIMES, Scheduler } from "../../src/encoding/scheduler.ts";
import { SqliteEncoding } from "../../src/encoding/sqliteEncoding.ts";
import { progress, runBench, type Figure } from "./frame.ts";
import { versionsOf } from "./process.ts";

const TRANSFORM = { name: "ladder", description: null, outputs: [{ preset: "adaptive" }] };
const INPUT = { kind: "url", url: "https://in.example/videos/0123456789.mp4" } as const;
const IN_HAND = 512;
const FILL_AT_ONCE = 2_000;
const policy = DEFAULT_POLICY.job;

/** Takes everything, and says at once that it is done. */
class InstantAccount implements EncodingAccount {
  readonly name: string;
  submissions = 0;
  #done: Sighting[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** What has been finished since. */
  drain(): readonly Sighting[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  async ensureTransform(): Promise<void> {}

  async submit({ name: jobName }: AccountJob): Promise<void> {
    this.submissions += 1;
    this.#done.push({ account: this.name, jobName, label: null, state: "finished", progress: 100, failure: null, at: systemClock.now() });
  }

  async job(): Promise<null> {
    return null;
  }

  async *jobs(): AsyncGenerator<readonly Sighting[]> {}

  async cancel(): Promise<void> {}

  async removeJob(): Promise<void> {}

  async removeAsset(): Promise<void> {}

  async ping(): Promise<void> {}
}

/** A job that has been through everything. */
function finishedJob(number: number): EncodingJob {
  const now = systemClock.now();
  const spec = {
    id: jobId(now, systemRandom.uuid()),
    clientId: `past-${number}-${systemRandom.uuid()}`,
    transform: TRANSFORM.name,
    input: INPUT,
  };
  const account = number % 2 === 0 ? "west" : "east";
  const jobName = `${spec.id}-a1`;
  const events: JobEvent[] = [
    { type: "placed", account, trial: false, outputs: 1 },
    { type: "submitted", attempt: 1 },
    {
      type: "seen",
      attempt: 1,
      asked: false,
      sightings: [{ account, jobName, label: null, state: "finished", progress: 100, failure: null, at: now }],
    },
    { type: "cleaned", attempt: 1 },
  ];
  const start = newJob({ ...spec, priority: "normal" }, now);
  return events.reduce((job, event) => apply(job, event, policy, now).job, start);
}

async function fill(store: SqliteEncoding, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += FILL_AT_ONCE) {
    const jobs = Array.from({ length: Math.min(FILL_AT_ONCE, to - number) }, (_, index) => finishedJob(number + index));
    await store.write(jobs.map((job) => firstWrite(job, policy)));
  }
}

interface Rate {
  readonly perSecond: number;
  /** Microseconds of CPU time of the process per job. */
  readonly cpuUs: number;
}

async function measure(path: string, jobs: number): Promise<Rate> {
  await using store = new SqliteEncoding(path);
  const accounts = [new InstantAccount("west"), new InstantAccount("east")];
  const stop = new AbortController();
  const scheduler = new Scheduler({
    store,
    accounts: accounts.map((account) => ({ account, maxInFlight: 1_000_000 })),
    inputs: {
      open: async () => ({ kind: "urls", urls: [INPUT.url] }),
      copy: async () => undefined,
      discard: async () => undefined,
    },
    publisher: { publish: async () => undefined },
    transforms: () => TRANSFORM,
    overridden: () => null,
    policy: DEFAULT_POLICY,
    times: { ...DEFAULT_TIMES, tickMs: 5 },
    concurrency: { jobs: IN_HAND, callsPerAccount: 64 },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const desk = new EncodingDesk({ store, clock: systemClock, random: systemRandom, policy });
  const { finished } = await store.count();
  const [began, cpu] = [systemClock.monotonic(), process.cpuUsage()];
  const run = scheduler.run(stop.signal);
  const fed = feed(desk, jobs);
  while ((await store.count()).finished < finished + jobs) {
    await scheduler.observe(accounts.flatMap((account) => account.drain()));
    await delay(2);
  }
  await fed;
  const [seconds, used] = [(systemClock.monotonic() - began) / 1000, process.cpuUsage(cpu)];
  stop.abort();
  await run;
  const submissions = accounts.reduce((sum, account) => sum + account.submissions, 0);
  if (submissions !== jobs) throw new Error(`${submissions} submissions of ${jobs} jobs`);
  return { perSecond: jobs / seconds, cpuUs: (used.user + used.system) / jobs };
}

/** Callers that each wait for their answer. */
async function feed(desk: EncodingDesk, jobs: number): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < jobs) {
      next += 1;
      await desk.submit({ clientId: systemRandom.uuid(), transform: TRANSFORM.name, input: INPUT, priority: "normal" });
    }
  };
  await Promise.all(Array.from({ length: 256 }, caller));
}

await runBench("encoding", async ({ quick }) => {
  const directory = await mkdtemp(join(tmpdir(), "paircast-encoding-"));
  try {
    const path = join(directory, "state.db");
    const jobs = quick ? 4_000 : 20_000;
    const sizes = quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000];
    const figures: Figure[] = [];
    const rates: Rate[] = [];
    let filled = 0;
    // Code that is not compiled yet is not what is measured.
    await measure(path, jobs / 4);
    for (const size of sizes) {
      progress(`${size} records`);
      await using store = new SqliteEncoding(path);
      await fill(store, filled, size);
      filled = size;
      const rate = await measure(path, jobs);
      rates.push(rate);
      const name = `with ${size.toLocaleString("en")} records`;
      figures.push({ name: `submissions per second, ${name}`, value: rate.perSecond, unit: "1/s" });
      figures.push({ name: `CPU per submission, ${name}`, value: rate.cpuUs, unit: "us" });
    }
    const growth = (rates.at(-1)?.cpuUs ?? Number.NaN) / (rates[0]?.cpuUs ?? Number.NaN);
    figures.push({ name: "CPU per submission, most records to fewest", value: growth, unit: "times" });
    const notes = [
      `${jobs} jobs for each figure, each taken in, placed, submitted, followed to its end, told of and cleaned up; every write reaches the disk`,
      "accounts answer at once, in the same process and on the same core",
    ];
    return { versions: versionsOf([]).versions, figures, notes: quick ? [...notes, "a million records: without --quick"] : notes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
