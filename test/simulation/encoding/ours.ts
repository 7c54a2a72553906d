/** A scenario run by the project's own scheduler: three workers on one store, killed and replaced. */
import type { EncodingMessage, Sighting } from "../../../src/core/encoding.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { AccountTransition } from "../../../src/encoding/accountBook.ts";
import { isFinal } from "../../../src/encoding/job.ts";
import { DEFAULT_POLICY } from "../../../src/encoding/policy.ts";
import { DEFAULT_TIMES, Scheduler } from "../../../src/encoding/scheduler.ts";
import { EncodingDesk } from "../../../src/encoding/desk.ts";
import { seededRandom } from "../../fakes/clock.ts";
import { MemoryEncoding } from "../../fakes/memoryEncoding.ts";
import { Life } from "./mortal.ts";
import { isBadInput, START, type Scenario } from "./scenario.ts";
import { World } from "./world.ts";

const WORKERS = 3;
const TRANSFORM = { name: "ladder", description: null, outputs: [{ preset: "adaptive" }] };
export const SIMULATED_TIMES = { ...DEFAULT_TIMES, tickMs: 5_000 };
const DAY = 86_400_000;
export const SIMULATED_POLICY = { ...DEFAULT_POLICY, job: { ...DEFAULT_POLICY.job, retentionMs: 30 * DAY } };
/** A delivery that fails is told again. */
const PUBLISH_FAILS = 0.02;

export interface Outcome {
  readonly jobs: number;
  readonly finished: number;
  /** Jobs whose input was fine. */
  readonly goodFailed: number;
  /** Not final at the end, or final and nobody was told. */
  readonly lost: number;
  readonly publishedTwice: number;
  /** Milliseconds from the loss of the region to the last affected job's submission elsewhere. */
  readonly movedMs: number;
  readonly affected: number;
  /** The most jobs that an account had beyond its capacity. */
  readonly overCapacity: number;
  /** Milliseconds from the end of the trouble until the account is used again. */
  readonly outageReadmittedMs: number;
  readonly jamReadmittedMs: number;
  readonly encodes: number;
  readonly notes: readonly string[];
}

interface Worker {
  readonly life: Life;
  readonly scheduler: Scheduler;
}

export async function runOurs(scenario: Scenario): Promise<Outcome> {
  const run = new Run(scenario);
  return run.outcome();
}

class Run {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #store = new MemoryEncoding();
  readonly #random;
  readonly #workers: Worker[] = [];
  readonly #transitions: (AccountTransition & { readonly at: number })[] = [];
  /** Message id -> message; what came twice is dropped by its id. */
  readonly #published = new Map<string, EncodingMessage>();
  #redelivered = 0;
  #affected: readonly string[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = seededRandom(scenario.seed + 1);
    this.#world = new World(scenario, async (sighting) => this.#deliver(sighting));
    for (let count = 0; count < WORKERS; count += 1) this.#workers.push(this.#worker());
  }

  async outcome(): Promise<Outcome> {
    const { clock } = this.#world;
    const { arrivals, kills, lossAt, lengthMs } = this.#scenario;
    const desk = new EncodingDesk({ store: this.#store, clock, random: this.#random, policy: SIMULATED_POLICY.job });
    const at = (time: number, work: () => Promise<void>): void => void clock.sleep(time - clock.now()).then(work);
    for (const { at: time, clientId, url } of arrivals) {
      const spec = { clientId, transform: TRANSFORM.name, input: { kind: "url", url }, priority: "normal" } as const;
      at(time, async () => void (await desk.submit(spec)));
      // Some callers are not sure that they were heard.
      if (this.#random.next() < 0.02) at(time + 1_000, async () => void (await desk.submit(spec)));
    }
    for (const time of kills) at(time, async () => this.#kill());
    at(lossAt, async () => void (this.#affected = this.#world.account("west").unfinal()));
    await clock.advance(lengthMs);
    // What came at the end has time to end.
    await clock.advance(DAY / 4);
    return this.#judged();
  }

  #worker(): Worker {
    const life = new Life();
    const { clock, accounts } = this.#world;
    const scheduler = new Scheduler({
      store: life.ports(this.#store),
      accounts: accounts.map((account) => ({ account: life.ports(account), maxInFlight: this.#scenario.capacity })),
      inputs: {
        open: async ({ input }) => ({ kind: "urls", urls: input.kind === "url" ? [input.url] : [] }),
        copy: async () => undefined,
        discard: async () => undefined,
      },
      publisher: life.ports({ publish: async (message: EncodingMessage) => this.#publish(message) }),
      transforms: () => TRANSFORM,
      overridden: () => null,
      policy: SIMULATED_POLICY,
      times: SIMULATED_TIMES,
      concurrency: { jobs: 512, callsPerAccount: 8 },
      clock: life.ports(clock),
      random: this.#random,
      log: silentLog,
      onTransition: (transition) => this.#transitions.push({ ...transition, at: clock.now() }),
    });
    void scheduler.run(new AbortController().signal);
    return { life, scheduler };
  }

  /** The oldest goes, and nothing that it had in hand is put back. */
  #kill(): void {
    this.#workers.shift()?.life.kill();
    this.#workers.push(this.#worker());
  }

  async #deliver(sighting: Sighting): Promise<void> {
    await this.#workers[Math.floor(this.#random.next() * this.#workers.length)]?.scheduler.observe([sighting]);
  }

  async #publish(message: EncodingMessage): Promise<void> {
    const chance = this.#random.next();
    if (chance < PUBLISH_FAILS / 2) throw new Error("the publisher does not answer");
    if (this.#published.has(message.id)) this.#redelivered += 1;
    this.#published.set(message.id, message);
    if (chance < PUBLISH_FAILS) throw new Error("the publisher's answer is lost");
  }

  async #judged(): Promise<Outcome> {
    const { arrivals, capacity } = this.#scenario;
    const jobs = await this.#store.list({ limit: arrivals.length * 2 });
    const ends = Map.groupBy(
      [...this.#published.values()].filter(({ kind }) => kind === "finished" || kind === "failed" || kind === "canceled"),
      ({ jobId }) => jobId,
    );
    const unheard = jobs.filter((job) => !isFinal(job) || !ends.has(job.id)).length;
    const good = jobs.filter(({ input }) => input.kind === "url" && !isBadInput(input.url));
    const { accounts } = this.#world;
    return {
      jobs: jobs.length,
      finished: jobs.filter(({ state }) => state === "finished").length,
      goodFailed: good.filter(({ state }) => state === "failed").length,
      lost: arrivals.length - jobs.length + unheard,
      publishedTwice: [...ends.values()].filter((messages) => messages.length > 1).length,
      ...(await this.#moved()),
      overCapacity: Math.max(0, ...accounts.map(({ busiest }) => busiest - capacity)),
      outageReadmittedMs: this.#readmitted("west", this.#scenario.outages.west[0]?.[1] ?? 0),
      jamReadmittedMs: this.#readmitted("north", this.#scenario.jams.north[0]?.[1] ?? 0),
      encodes: accounts.reduce((sum, { submissions }) => sum + submissions, 0),
      notes: this.#notes(jobs.flatMap(({ result }) => result?.assets ?? [])),
    };
  }

  async #moved(): Promise<Pick<Outcome, "movedMs" | "affected">> {
    let last = 0;
    for (const jobName of this.#affected) {
      const [id = "", number] = jobName.split("-a");
      const job = (await this.#store.get(id))?.job;
      const next = job?.attempts[Number(number)];
      const submittedAt = next?.submittedAt ?? Number.POSITIVE_INFINITY;
      last = Math.max(last, submittedAt - this.#scenario.lossAt);
    }
    return { movedMs: last, affected: this.#affected.length };
  }

  #readmitted(account: string, over: number): number {
    const own = this.#transitions.filter(({ to }) => to.account === account);
    if (!own.some(({ to, at }) => to.status === "out" && at < over)) return 0;
    const back = own.find(({ to, at }) => to.status === "in" && at >= over);
    return (back?.at ?? Number.POSITIVE_INFINITY) - over;
  }

  #notes(results: readonly string[]): readonly string[] {
    const kept = new Set(results);
    const left = this.#world.accounts.reduce((sum, { assets }) => sum + [...assets].filter((asset) => !kept.has(asset)).length, 0);
    const missing = results.filter((asset) => !this.#world.accounts.some(({ assets }) => assets.has(asset))).length;
    const kinds = [...this.#published.values()].filter(({ kind }) => kind === "superseded").length;
    const { sent, lost, doubled } = this.#world.deliveries;
    const outs = this.#transitions
      .filter(({ to }) => to.status === "out")
      .map(({ to, at }) => `${to.account} ${to.reason} +${((at - START) / 3_600_000).toFixed(2)} h`);
    return [
      `seed ${this.#scenario.seed}: ${sent} events, ${lost} lost, ${doubled} doubled; ${this.#scenario.kills.length} workers killed; ${this.#redelivered} messages delivered again and dropped by id`,
      `outputs that do not count: ${left} left over, ${kinds} late ones removed and reported; published outputs that are gone: ${missing}`,
      `calls of accounts: ${this.#world.accounts.map(({ name, calls }) => `${name} ${calls}`).join(", ")}; accounts out: ${outs.length} times (${outs.slice(0, 6).join("; ")}${outs.length > 6 ? "; …" : ""})`,
    ];
  }
}
