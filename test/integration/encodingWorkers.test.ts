/** Two workers that share their records encode hundreds of jobs; one dies in the middle, without a word. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { EncodingMessage } from "../../src/core/encoding.ts";
import { silentLog } from "../../src/core/log.ts";
import type { EncodingStore } from "../../src/core/ports/encodingStore.ts";
import { EncodingDesk } from "../../src/encoding/desk.ts";
import { ownerOf } from "../../src/encoding/names.ts";
import { DEFAULT_POLICY, type EncodingPolicy } from "../../src/encoding/policy.ts";
import { Scheduler } from "../../src/encoding/scheduler.ts";
import { SqliteEncoding } from "../../src/encoding/sqliteEncoding.ts";
import { TableEncoding } from "../../src/encoding/tableEncoding.ts";
import { MemoryEncodingAccount } from "../fakes/memoryEncodingAccount.ts";
import { SharedState } from "../harness/sharedState.ts";
import { eventually } from "../harness/wait.ts";
import { Life } from "../simulation/encoding/mortal.ts";

const TRANSFORM = { name: "ladder", description: null, outputs: [{ preset: "adaptive" }] };
/** Everything as in earnest, but for how long things take. */
const POLICY: EncodingPolicy = {
  ...DEFAULT_POLICY,
  job: { ...DEFAULT_POLICY.job, checkMs: 500, recheckMs: 100, placeMs: 200, resubmitMs: 2_000, cleanMs: 200 },
};
const TIMES = { tickMs: 50, exchangeMs: 500, gatherMs: 5, leaseMs: 4_000, callMs: 10_000, graceMs: 5_000 };
const IN_FLIGHT = 15;

interface Told {
  readonly worker: string;
  readonly message: EncodingMessage;
}

class Worker {
  readonly name: string;
  readonly #life = new Life();
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor(name: string, store: EncodingStore, accounts: readonly MemoryEncodingAccount[], told: Told[]) {
    this.name = name;
    const publish = async (message: EncodingMessage): Promise<void> => void told.push({ worker: name, message });
    const scheduler = new Scheduler({
      store: this.#life.ports(store),
      accounts: accounts.map((account) => ({ account: this.#life.ports(account), maxInFlight: IN_FLIGHT })),
      inputs: {
        open: async ({ input }) => ({ kind: "urls", urls: input.kind === "url" ? [input.url] : [] }),
        copy: async () => undefined,
        discard: async () => undefined,
      },
      publisher: this.#life.ports({ publish }),
      transforms: (wanted) => (wanted === TRANSFORM.name ? TRANSFORM : null),
      overridden: () => null,
      policy: POLICY,
      times: TIMES,
      concurrency: { jobs: 64, callsPerAccount: 8 },
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    this.#run = scheduler.run(this.#stop.signal);
  }

  /** Nothing that it has in hand is put away; nothing that it waits for ever comes. */
  kill(): void {
    this.#life.kill();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }
}

interface Shared extends AsyncDisposable {
  /** The same records, as so many processes have them open. */
  readonly stores: readonly EncodingStore[];
}

async function encodeThrough({ stores }: Shared, jobs: number): Promise<void> {
  const [first, second, third] = stores;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three stores are needed");
  const accounts = ["west", "east"].map((name) => new MemoryEncodingAccount({ name, clock: systemClock, workMs: 1_000 }));
  const told: Told[] = [];
  const desk = new EncodingDesk({ store: third, clock: systemClock, random: systemRandom, policy: POLICY.job });
  const request = (clientId: string) => ({
    clientId,
    transform: TRANSFORM.name,
    input: { kind: "url", url: `https://in.example/${clientId}.mp4` } as const,
    priority: "normal" as const,
  });
  const ids = Array.from({ length: jobs }, (_, at) => `film-${at}`);
  const submitted = await Promise.all(ids.map(async (clientId) => desk.submit(request(clientId))));
  const [dying, other] = [new Worker("dying", first, accounts, told), new Worker("other", second, accounts, told)];
  const finished = async (least: number): Promise<true | null> => ((await third.count()).finished >= least ? true : null);
  await eventually(200_000, "a third of the jobs", async () => finished(jobs / 3));
  await eventually(200_000, "word of the one that dies", async () => (told.some(({ worker }) => worker === "dying") ? true : null));
  dying.kill();
  const toldBefore = told.length;
  // Who asks again for what is there already is given that.
  expect((await desk.submit(request("film-0"))).created).toBe(false);
  await eventually(200_000, "all jobs", async () => finished(jobs));
  await eventually(60_000, "an empty outbox", async () => ((await third.oldestMessageAt()) === null ? true : null));
  await eventually(120_000, "nothing left in the accounts", async () => (accounts.every(({ size }) => size === 0) ? true : null));
  await other.stop();

  const created = accounts.flatMap((account) => account.created);
  expect(new Set(created.map((name) => ownerOf(name)?.id))).toEqual(new Set(submitted.map(({ job }) => job.id)));
  expect(created.length).toBe(jobs);
  expect(Math.max(...accounts.map(({ busiest }) => busiest))).toBeLessThanOrEqual(IN_FLIGHT);
  expect(await third.count()).toEqual({ waiting: 0, running: 0, finished: jobs, failed: 0, canceled: 0 });
  expect((await third.places()).values().reduce((sum, places) => sum + places, 0)).toBe(0);
  const outputs = submitted.map(async ({ job }) => (await third.get(job.id))?.job);
  for (const job of await Promise.all(outputs)) {
    expect(job?.attempts.filter(({ end }) => end === "won")).toHaveLength(1);
    const { account, assets = [] } = job?.result ?? {};
    const where = accounts.find(({ name }) => name === account);
    expect(assets.map((asset) => where?.assets.has(asset))).toEqual([true]);
  }
  expect(accounts.reduce((sum, { assets }) => sum + assets.size, 0)).toBe(jobs);
  assertTold(told, toldBefore, jobs);
}

/** Each job once; again only where the dead one had told and could not settle it. */
function assertTold(told: readonly Told[], before: number, jobs: number): void {
  const kinds = new Set(told.map(({ message }) => message.kind));
  expect([[...kinds], new Set(told.map(({ message }) => message.id)).size]).toEqual([["finished"], jobs]);
  for (const worker of ["dying", "other"]) {
    const own = told.filter((each) => each.worker === worker);
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map(({ message }) => message.id)).size).toBe(own.length);
  }
  expect(told.slice(before).every(({ worker }) => worker === "other")).toBe(true);
}

describe("two workers, one of which dies", () => {
  let shared: SharedState;
  beforeAll(async () => {
    shared = await SharedState.start();
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
  });

  it("encode each of 300 jobs once, on one SQLite file", async () => {
    await using state = sqlite();
    await encodeThrough(state, 300);
  }, 600_000);

  it("encode each of 100 jobs once, on one table of Azure's", async () => {
    const name = `${shared.prefix()}encoding`;
    const open = async () => new TableEncoding({ table: await shared.table(name), clock: systemClock, random: systemRandom });
    const stores = await Promise.all([open(), open(), open()]);
    await encodeThrough({ stores, [Symbol.asyncDispose]: async () => undefined }, 100);
  }, 600_000);
});

function sqlite(): Shared {
  const folder = mkdtempSync(join(tmpdir(), "paircast-encoding-"));
  const stores = [1, 2, 3].map(() => new SqliteEncoding(join(folder, "state.db")));
  return {
    stores,
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
