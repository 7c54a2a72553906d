/**
 * The same scenario by the rules of Microsoft's reference sample (HighAvailabilityEncodingStreaming, last version): its timers, thresholds,
 * counters and omissions as its code has them. Its workers are not killed here, which is to its advantage.
 */
import type { Sighting } from "../../../src/core/encoding.ts";
import { isBadInput, START, type Scenario } from "./scenario.ts";
import type { Outcome } from "./ours.ts";
import { World } from "./world.ts";

const MINUTE = 60_000;
const WINDOW_MS = 480 * MINUTE;
const STUCK_MS = 60 * MINUTE;
const STALE_MS = 30 * MINUTE;
const HEALTH_EVERY_MS = 10 * MINUTE;
const SYNC_EVERY_MS = 15 * MINUTE;
const VERIFY_MS = 60 * MINUTE;
const MAX_RETRIES = 2;
/** Tries of a queue message, one right after the other, before it goes to the poison queue. */
const TRIES = 5;
const CALL_MS = 100_000;

type Health = "healthy" | "degraded" | "unhealthy";

interface StatusRow {
  readonly jobName: string;
  readonly account: string;
  readonly state: Sighting["state"];
  readonly retriable: boolean;
  readonly at: number;
}

interface Tracked {
  readonly url: string;
  /** Newest last. */
  readonly rows: StatusRow[];
  /** Only what the scheduler submitted carries the transform's name, and only that is synchronised. */
  synchronised: boolean;
  provisioned: number;
  /** Nobody will look at it again, and nothing came of it. */
  dropped: boolean;
  userError: boolean;
  readonly submissions: { readonly account: string; readonly at: number }[];
}

export async function runReferenceSample(scenario: Scenario): Promise<Outcome> {
  return new ReferenceSample(scenario).outcome();
}

class ReferenceSample {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #jobs = new Map<string, Tracked>();
  readonly #health = new Map<string, Health>();
  /** How often the scheduling process has used an account; only after success. */
  readonly #uses = new Map<string, number>();
  readonly #demoted: { readonly account: string; readonly health: Health; readonly at: number }[] = [];
  #affected: readonly string[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#world = new World(scenario, async (sighting) => this.#event(sighting));
    for (const { name } of this.#world.accounts) this.#health.set(name, "healthy");
  }

  async outcome(): Promise<Outcome> {
    const { clock } = this.#world;
    const { arrivals, lossAt, lengthMs } = this.#scenario;
    const at = (time: number, work: () => Promise<void>): void => void clock.sleep(time - clock.now()).then(work);
    for (const { at: time, clientId, url } of arrivals) at(time, async () => this.#request(clientId, url));
    at(lossAt, async () => void (this.#affected = this.#world.account("west").unfinal()));
    void this.#every(HEALTH_EVERY_MS, async () => this.#judge());
    void this.#every(SYNC_EVERY_MS, async () => this.#synchronise());
    await clock.advance(lengthMs + 6 * 60 * MINUTE);
    return this.#judged();
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await this.#world.clock.sleep(ms);
      await work();
    }
  }

  async #request(jobName: string, url: string): Promise<void> {
    const job: Tracked = { url, rows: [], synchronised: true, provisioned: 0, dropped: false, userError: false, submissions: [] };
    this.#jobs.set(jobName, job);
    const account = await this.#tried(async () => this.#submit(jobName, job));
    if (account === null) job.dropped = true;
    else void this.#verify(jobName, account, 0, VERIFY_MS);
  }

  /** Null: poison. */
  async #tried<T>(work: () => Promise<T>): Promise<T | null> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        return await work();
      } catch {
        // The next try is at once.
      }
    }
    return null;
  }

  async #submit(jobName: string, job: Tracked): Promise<string> {
    const name = this.#choose();
    const account = this.#account(name);
    const request = {
      transform: "ladder",
      name: jobName,
      input: { kind: "urls", urls: [job.url] },
      priority: "normal",
      outputs: [{ label: "o0", assetName: `output-${jobName}` }],
    } as const;
    await this.#call(async (signal) => account.submit(request, signal));
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    const at = this.#world.clock.now();
    job.submissions.push({ account: name, at });
    job.rows.push({ jobName, account: name, state: "queued", retriable: false, at });
    return name;
  }

  /** Healthy ones, else degraded ones; of them one that was never used, else the least used. */
  #choose(): string {
    const all = this.#world.accounts.map(({ name }) => name);
    const healthy = all.filter((name) => this.#health.get(name) === "healthy");
    const usable = healthy.length > 0 ? healthy : all.filter((name) => this.#health.get(name) === "degraded");
    const [least] = usable.toSorted((one, other) => (this.#uses.get(one) ?? 0) - (this.#uses.get(other) ?? 0));
    if (least === undefined) throw new Error("no healthy or degraded instance");
    return least;
  }

  async #event({ jobName, account, label, state, failure, at }: Sighting): Promise<void> {
    // It subscribes to output events without progress.
    if (label === null || state === null || state === "queued") return;
    const job = this.#jobs.get(jobName);
    if (job === undefined) return;
    if (state === "finished") job.provisioned += 1;
    job.rows.push({ jobName, account, state, retriable: state === "error" && failure?.mayRetry === true, at });
  }

  #latest(job: Tracked): StatusRow | undefined {
    return job.rows.reduce<StatusRow | undefined>((newest, row) => (newest === undefined || row.at >= newest.at ? row : newest), undefined);
  }

  async #judge(): Promise<void> {
    const now = this.#world.clock.now();
    for (const { name } of this.#world.accounts) {
      // Calls that got no answer leave no row: the share of calls stays at 1.
      const rate = this.#jobRate(name, now - WINDOW_MS);
      const health: Health = rate > 0.9 ? "healthy" : rate < 0.7 ? "unhealthy" : "degraded";
      if (health !== this.#health.get(name)) this.#demoted.push({ account: name, health, at: now });
      this.#health.set(name, health);
    }
  }

  #jobRate(account: string, since: number): number {
    let [good, all] = [0, 0];
    for (const { rows } of this.#jobs.values()) {
      if ((rows.at(-1)?.at ?? 0) < since && (rows[0]?.at ?? 0) < since) continue;
      const verdict = verdictOf(rows.filter((row) => row.account === account && row.at >= since));
      if (verdict === null) continue;
      all += 1;
      good += Number(verdict);
    }
    return all === 0 ? 1 : good / all;
  }

  async #synchronise(): Promise<void> {
    const now = this.#world.clock.now();
    for (const [jobName, job] of this.#jobs) {
      if (!job.synchronised || job.dropped) continue;
      const recent = job.rows.filter(({ at }) => at >= now - WINDOW_MS);
      const newest = recent.at(-1);
      if (newest === undefined || newest.at > now - STALE_MS) continue;
      if (recent.some(({ state }) => state === "finished" || state === "error" || state === "canceled")) continue;
      await this.#refresh(jobName, job, newest.account).catch(() => undefined);
    }
  }

  /** The row that it writes never says that the job may be tried again. */
  async #refresh(jobName: string, job: Tracked, name: string): Promise<Sighting["state"]> {
    const sightings = await this.#call(async (signal) => this.#account(name).job("ladder", jobName, signal));
    const state = sightings?.[0]?.state ?? null;
    if (state === null) return null;
    const at = this.#world.clock.now();
    job.rows.push({
      jobName,
      account: name,
      state,
      retriable: false,
      at: state === "finished" || state === "error" ? at : (job.rows.at(-1)?.at ?? at),
    });
    if (state === "finished") job.provisioned += 1;
    return state;
  }

  async #verify(jobName: string, account: string, retries: number, afterMs: number): Promise<void> {
    await this.#world.clock.sleep(afterMs);
    const job = this.#jobs.get(jobName);
    if (job === undefined) return;
    if ((await this.#tried(async () => this.#verified(jobName, job, account, retries))) === null) job.dropped = true;
  }

  async #verified(jobName: string, job: Tracked, account: string, retries: number): Promise<true> {
    let latest = this.#latest(job);
    if (latest === undefined || !isFinal(latest.state)) {
      await this.#refresh(jobName, job, account);
      latest = this.#latest(job);
    }
    const state = latest?.state ?? null;
    if (state === "finished") await this.#call(async (signal) => this.#account(account).removeJob("ladder", jobName, signal));
    else if (state === "error") await this.#failed(jobName, job, account, retries, latest?.retriable === true);
    else if (state === "canceled") job.userError = true;
    else if (retries < MAX_RETRIES) void this.#verify(jobName, account, retries + 1, VERIFY_MS * (retries + 1));
    else job.dropped = true;
    return true;
  }

  /** The counter goes up twice: once for the job, once for the check. */
  async #failed(jobName: string, job: Tracked, account: string, retries: number, retriable: boolean): Promise<void> {
    await this.#call(async (signal) => this.#account(account).removeJob("ladder", jobName, signal));
    if (!retriable) job.userError = true;
    else if (retries >= MAX_RETRIES) job.dropped = true;
    else {
      job.synchronised = false;
      const next = await this.#submit(jobName, job);
      void this.#verify(jobName, next, retries + 2, VERIFY_MS * (retries + 2));
    }
  }

  async #call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    using deadline = this.#world.clock.deadline(CALL_MS);
    return work(deadline.signal);
  }

  #account(name: string) {
    const account = this.#world.accounts.find((each) => each.name === name);
    if (account === undefined) throw new Error(`no account ${name}`);
    return account;
  }

  #judged(): Outcome {
    const jobs = [...this.#jobs.values()];
    const { lossAt, outages, jams, capacity } = this.#scenario;
    const { accounts } = this.#world;
    const moved = this.#affected.map((name) => {
      const later = this.#jobs.get(name)?.submissions.find(({ account, at }) => account !== "west" && at >= lossAt);
      return (later?.at ?? Number.POSITIVE_INFINITY) - lossAt;
    });
    const unhappy = jobs.filter(({ provisioned, userError, url }) => provisioned === 0 && !(userError && isBadInput(url)));
    return {
      jobs: jobs.length,
      finished: jobs.filter(({ provisioned }) => provisioned > 0).length,
      goodFailed: jobs.filter(({ provisioned, userError, url }) => provisioned === 0 && userError && !isBadInput(url)).length,
      lost: unhappy.filter(({ userError }) => !userError).length,
      publishedTwice: jobs.filter(({ provisioned }) => provisioned > 1).length,
      movedMs: Math.max(0, ...moved),
      affected: this.#affected.length,
      overCapacity: Math.max(0, ...accounts.map(({ busiest }) => busiest - capacity)),
      outageReadmittedMs: this.#readmitted("west", outages.west[0]?.[1] ?? 0),
      jamReadmittedMs: this.#readmitted("north", jams.north[0]?.[1] ?? 0),
      encodes: accounts.reduce((sum, { submissions }) => sum + submissions, 0),
      notes: [
        `reference sample: health changed ${this.#demoted.length} times (${this.#demoted
          .slice(0, 6)
          .map(({ account, health, at }) => `${account} ${health} +${((at - START) / 3_600_000).toFixed(2)} h`)
          .join("; ")}); an account that was never demoted counts as back at once; its workers were not killed`,
      ],
    };
  }

  #readmitted(account: string, over: number): number {
    const own = this.#demoted.filter((each) => each.account === account);
    if (own.findLast(({ at }) => at < over)?.health !== "unhealthy") return 0;
    const back = own.find(({ at, health }) => at >= over && health !== "unhealthy");
    return (back?.at ?? Number.POSITIVE_INFINITY) - over;
  }
}

/** Null: not counted. What is in progress is well as long as its newest row is not an hour after its oldest, whatever the time is now. */
function verdictOf(rows: readonly StatusRow[]): boolean | null {
  if (rows.length === 0) return null;
  if (rows.some(({ state }) => state === "finished")) return true;
  const error = rows.find(({ state }) => state === "error");
  if (error !== undefined) return !error.retriable;
  if (rows.some(({ state }) => state === "canceled")) return null;
  const times = rows.map(({ at }) => at);
  return Math.max(...times) - Math.min(...times) < STUCK_MS;
}

function isFinal(state: Sighting["state"]): boolean {
  return state === "finished" || state === "error" || state === "canceled";
}
