import { describe, expect, it } from "vitest";
import type { AccountOverride, EncodingMessage } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { Log } from "../../src/core/log.ts";
import { EncodingDesk } from "../../src/encoding/desk.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { DEFAULT_TIMES, Scheduler, type SchedulerOptions } from "../../src/encoding/scheduler.ts";
import { seededRandom } from "../fakes/clock.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { SimulatedAccount, type SimulatedAccountOptions } from "../simulation/encoding/simulatedAccount.ts";
import { VirtualClock } from "../simulation/encoding/virtualClock.ts";
import { MINUTE, NOW, SECOND } from "./samples.ts";

const HOUR = 60 * MINUTE;
const TRANSFORM = { name: "ladder", description: null, outputs: [{ preset: "adaptive" }] };

interface Stage extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly store: MemoryEncoding;
  readonly accounts: readonly SimulatedAccount[];
  readonly scheduler: Scheduler;
  readonly told: EncodingMessage[];
  readonly lines: string[];
  readonly stop: AbortController;
  readonly run: Promise<void>;
  submit(count: number): Promise<void>;
}

/** Two accounts whose events arrive at once, unless `deaf`. */
function stage(options: Partial<SchedulerOptions> = {}, west: Partial<SimulatedAccountOptions> = {}, deaf = false): Stage {
  const clock = new VirtualClock(NOW);
  const random = seededRandom(3);
  const store = new MemoryEncoding();
  const [told, lines]: [EncodingMessage[], string[]] = [[], []];
  const simulated = (name: string, own: Partial<SimulatedAccountOptions>) =>
    new SimulatedAccount({
      name,
      clock,
      random,
      outages: [],
      jams: [],
      flakiness: 0,
      durationOf: () => 10 * MINUTE,
      isBad: () => false,
      emit: (sighting) => void (deaf ? null : scheduler.observe([sighting])),
      ...own,
    });
  const accounts = [simulated("west", west), simulated("east", {})];
  const say = (event: string): void => void lines.push(event);
  const log: Log = { debug: say, info: say, warn: say, error: say, line: say, dropped: () => 0 };
  const scheduler: Scheduler = new Scheduler({
    store,
    accounts: accounts.map((account) => ({ account, maxInFlight: 40 })),
    inputs: {
      open: async ({ input }) => ({ kind: "urls", urls: input.kind === "url" ? [input.url] : [] }),
      copy: async () => undefined,
      discard: async () => undefined,
    },
    publisher: { publish: async (message) => void told.push(message) },
    transforms: (name) => (name === TRANSFORM.name ? TRANSFORM : null),
    overridden: () => null,
    policy: DEFAULT_POLICY,
    times: DEFAULT_TIMES,
    concurrency: { jobs: 512, callsPerAccount: 8 },
    clock,
    random,
    log,
    ...options,
  });
  const stop = new AbortController();
  const run = scheduler.run(stop.signal);
  const desk = new EncodingDesk({ store, clock, random, policy: DEFAULT_POLICY.job });
  let clients = 0;
  const submit = async (count: number): Promise<void> => {
    const request = { transform: TRANSFORM.name, input: { kind: "url", url: "https://in.example/video.mp4" }, priority: "normal" } as const;
    const all = Array.from({ length: count }, async () => {
      clients += 1;
      return desk.submit({ clientId: `c${clients}`, ...request });
    });
    await clock.advance(SECOND);
    await Promise.all(all);
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(MINUTE);
    await run;
  };
  return { clock, store, accounts, scheduler, told, lines, stop, run, submit, [Symbol.asyncDispose]: end };
}

describe("the scheduler", () => {
  it("takes jobs through to their end in both accounts, cleans up, and tells each once", async () => {
    await using it = stage();
    await it.submit(20);
    await it.clock.advance(30 * MINUTE);
    expect(await it.store.count()).toMatchObject({ finished: 20 });
    expect(new Set(it.told.map(({ jobId }) => jobId)).size).toBe(20);
    expect(it.told.length).toBe(20);
    for (const account of it.accounts) expect(account.submissions).toBeGreaterThan(0);
    expect((await it.store.places()).get("west") ?? 0).toBe(0);
    const jobs = await it.store.list({ limit: 100 });
    expect(jobs.every(({ attempts }) => attempts.every(({ owed }) => owed === null))).toBe(true);
  });

  it("does without events, and asks for many jobs at once rather than one by one", async () => {
    await using it = stage({}, {}, true);
    await it.submit(60);
    await it.clock.advance(5 * MINUTE);
    const before = it.accounts.reduce((sum, { calls }) => sum + calls, 0);
    await it.clock.advance(10 * MINUTE);
    const pings = 2 * 2 * 10;
    const asked = it.accounts.reduce((sum, { calls }) => sum + calls, 0) - before;
    // Two looks at each of sixty jobs would be a hundred and twenty.
    expect(asked - pings).toBeLessThan(100);
    await it.clock.advance(30 * MINUTE);
    expect(await it.store.count()).toMatchObject({ finished: 60 });
  });

  it("moves the jobs of a region that does not answer any more, without asking it, and takes its late results for what they are", async () => {
    await using it = stage({}, { outages: [[NOW + 4 * MINUTE, NOW + 2 * HOUR]] });
    await it.submit(20);
    await it.clock.advance(4 * MINUTE);
    const affected = it.accounts[0]?.unfinal().length ?? 0;
    expect(affected).toBeGreaterThan(0);
    await it.clock.advance(6 * MINUTE);
    const jobs = await it.store.list({ limit: 100 });
    expect(jobs.filter(({ attempts }) => attempts.length === 2).length).toBe(affected);
    expect(it.lines).toContain("encoding.account_out");
    await it.clock.advance(4 * HOUR);
    expect(await it.store.count()).toMatchObject({ finished: 20 });
    expect(it.told.filter(({ kind }) => kind === "finished").length).toBe(20);
    expect(it.accounts[0]?.unfinal()).toEqual([]);
    expect(it.accounts[0]?.assets.size).toBe(20 - jobs.filter(({ attempts }) => attempts.at(-1)?.account === "east").length);
  });

  it("cleans up after a region that was away also where no event ever comes", async () => {
    await using it = stage({}, { outages: [[NOW + 4 * MINUTE, NOW + 2 * HOUR]] }, true);
    await it.submit(20);
    await it.clock.advance(5 * HOUR);
    expect(await it.store.count()).toMatchObject({ finished: 20 });
    const jobs = await it.store.list({ limit: 100 });
    expect(jobs.flatMap(({ attempts }) => attempts.filter(({ owed }) => owed !== null))).toEqual([]);
    const results = new Set(jobs.flatMap(({ result }) => result?.assets ?? []));
    expect(new Set(it.accounts.flatMap(({ assets }) => [...assets]))).toEqual(results);
  });

  it("puts an account out in which jobs get stuck, tries it with one job at a time, and uses it again once one gets going", async () => {
    await using it = stage({}, { jams: [[NOW, NOW + HOUR]] });
    await it.submit(40);
    const west = () => it.scheduler.book.states.find(({ account }) => account === "west");
    await it.clock.advance(17 * MINUTE);
    expect(west()).toMatchObject({ status: "out", reason: "stuck" });
    expect(
      (await it.store.list({ limit: 100 })).every(({ state, attempts }) => state === "finished" || attempts.at(-1)?.account === "east"),
    ).toBe(true);
    await it.clock.advance(3 * MINUTE);
    expect(west()).toMatchObject({ status: "trial" });
    const before = it.accounts[0]?.submissions ?? 0;
    await it.submit(10);
    await it.clock.advance(MINUTE);
    expect((it.accounts[0]?.submissions ?? 0) - before).toBe(1);
    await it.clock.advance(60 * MINUTE);
    // It had one job; nothing has come since, so nothing is known.
    expect([west()?.status, (it.accounts[0]?.submissions ?? 0) - before]).toEqual(["trial", 1]);
    await it.submit(1);
    await it.clock.advance(20 * MINUTE);
    expect(west()).toMatchObject({ status: "in" });
    expect(await it.store.count()).toMatchObject({ finished: 51 });
  });

  it("holds jobs while no account can be used, says so once, and goes on when one can", async () => {
    let disabled = true;
    await using it = stage({ overridden: () => (disabled ? "drain" : null) });
    await it.submit(30);
    await it.clock.advance(10 * MINUTE);
    expect(await it.store.count()).toMatchObject({ waiting: 30, failed: 0 });
    expect((await it.store.list({ limit: 1 }))[0]?.waitingFor).toBe("none");
    expect(it.lines.filter((line) => line === "encoding.held").length).toBe(1);
    disabled = false;
    await it.clock.advance(2 * MINUTE);
    expect(await it.store.count()).toMatchObject({ running: 30 });
    expect(it.lines.filter((line) => line === "encoding.resumed").length).toBe(1);
  });

  it("lets jobs end in an account that an operator drains, and takes them away from one that is disabled", async () => {
    let west: AccountOverride | null = null;
    let east: AccountOverride | null = "drain";
    await using it = stage({ overridden: (account) => (account === "west" ? west : east) });
    await it.submit(10);
    await it.clock.advance(MINUTE);
    expect((await it.store.places()).get("west")).toBe(10);
    west = "drain";
    east = null;
    await it.submit(10);
    await it.clock.advance(2 * MINUTE);
    expect([(await it.store.places()).get("west"), (await it.store.places()).get("east")]).toEqual([10, 10]);
    west = "disable";
    await it.clock.advance(20 * SECOND);
    expect((await it.store.places()).get("west") ?? 0).toBe(0);
    expect((await it.store.places()).get("east")).toBe(20);
    const moved = (await it.store.list({ limit: 100 })).flatMap(({ attempts }) => attempts.filter(({ end }) => end === "moved"));
    expect(moved.map(({ account, moved: why }) => [account, why])).toEqual(Array.from({ length: 10 }, () => ["west", "disabled"]));
    await it.clock.advance(30 * MINUTE);
    expect(await it.store.count()).toMatchObject({ finished: 20 });
    // It is not taken for ill by that.
    expect(it.scheduler.book.states.map(({ account, status }) => [account, status])).toEqual([
      ["west", "in"],
      ["east", "in"],
    ]);
  });

  it("never gives an account more than it may have", async () => {
    await using it = stage();
    await it.submit(200);
    await it.clock.advance(2 * HOUR);
    expect(await it.store.count()).toMatchObject({ finished: 200 });
    expect(it.accounts.map(({ busiest }) => busiest)).toEqual([40, 40]);
  });

  it("tells what cannot be done from what has to wait: no such transform, an input that is away", async () => {
    let away = true;
    const inputs = {
      open: async () => {
        if (away) throw new PaircastError("input_unavailable", "read the input: its region does not answer", { retry: "retry" });
        return { kind: "urls" as const, urls: ["https://in.example/video.mp4"] };
      },
      copy: async () => undefined,
      discard: async () => undefined,
    };
    await using it = stage({ inputs });
    await it.submit(3);
    await it.clock.advance(6 * HOUR);
    expect(await it.store.count()).toMatchObject({ failed: 0, finished: 0, waiting: 3 });
    expect(it.accounts.map(({ submissions }) => submissions)).toEqual([0, 0]);
    expect([...(await it.store.places()).values()].every((places) => places === 0)).toBe(true);
    for (const { attempts } of await it.store.list({ limit: 3 })) {
      expect(attempts.length).toBeLessThan(20);
      expect(attempts.every(({ end }) => end === "withheld")).toBe(true);
    }
    away = false;
    await it.clock.advance(HOUR);
    expect(await it.store.count()).toMatchObject({ finished: 3 });
    await using other = stage({ transforms: () => null });
    await other.submit(1);
    await other.clock.advance(MINUTE);
    expect(await other.store.list({ limit: 1 })).toMatchObject([{ state: "failed", failure: { code: "transform_unknown" } }]);
  });

  it("tells again what nobody took, and drops nothing", async () => {
    let refuse = true;
    const taken: string[] = [];
    const publish = async ({ id }: EncodingMessage): Promise<void> => {
      if (refuse) throw new Error("not now");
      taken.push(id);
    };
    await using it = stage({ publisher: { publish } });
    await it.submit(5);
    await it.clock.advance(20 * MINUTE);
    expect(taken).toEqual([]);
    refuse = false;
    await it.clock.advance(5 * MINUTE);
    expect(taken.length).toBe(5);
    expect(await it.store.outbox(it.clock.now() + HOUR, 0, 10)).toEqual([]);
  });

  it("stops when told to, with nothing in hand; another goes on where it was", async () => {
    const it = stage();
    await it.submit(20);
    it.stop.abort();
    await it.clock.advance(MINUTE);
    await it.run;
    const submissions = it.accounts.reduce((sum, account) => sum + account.submissions, 0);
    await it.clock.advance(HOUR);
    expect(it.accounts.reduce((sum, account) => sum + account.submissions, 0)).toBe(submissions);
  });

  it("removes records that have been kept long enough", async () => {
    const policy = { ...DEFAULT_POLICY, job: { ...DEFAULT_POLICY.job, retentionMs: HOUR } };
    await using it = stage({ policy });
    await it.submit(3);
    await it.clock.advance(30 * MINUTE);
    expect(await it.store.count()).toMatchObject({ finished: 3 });
    await it.clock.advance(HOUR);
    expect(await it.store.list({ limit: 10 })).toEqual([]);
  });
});

describe("the desk", () => {
  it("takes a job once for each client id, and refuses another job of the same", async () => {
    const [clock, store] = [new VirtualClock(NOW), new MemoryEncoding()];
    const desk = new EncodingDesk({ store, clock, random: seededRandom(1), policy: DEFAULT_POLICY.job });
    const request = { clientId: "c", transform: "ladder", input: { kind: "url", url: "https://in.example/a" }, priority: "low" } as const;
    const both = Promise.all([desk.submit(request), desk.submit(request)]);
    await clock.advance(SECOND);
    const [one, other] = await both;
    expect(other.job.id).toBe(one.job.id);
    expect([one.created, other.created].filter(Boolean).length).toBe(1);
    const third = desk.submit({ ...request, transform: "other" });
    const refused = expect(third).rejects.toMatchObject({ code: "client_id_used", retry: "conflict" });
    await clock.advance(SECOND);
    await refused;
    const canceled = desk.cancel(one.job.id, "ann");
    await clock.advance(SECOND);
    expect(await canceled).toMatchObject({ state: "canceled" });
    const again = desk.retry(one.job.id, "Ada");
    await clock.advance(SECOND);
    expect(await again).toMatchObject({ state: "waiting", round: 2 });
    expect(await desk.cancel("nothing", "ann")).toBeNull();
  });
});
