/**
 * Takes jobs that are due, gives them to accounts, follows them, moves them, cleans up after them, and tells what became of them. Any number of
 * schedulers share one store: whoever dies is replaced by the others once its leases have run out.
 */
import type { Clock, Random } from "../core/clock.ts";
import type { AccountOverride, Sighting, Transform } from "../core/encoding.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { EncodingAccount } from "../core/ports/encodingAccount.ts";
import type { EncodingInputs } from "../core/ports/encodingInputs.ts";
import type { EncodingPublisher } from "../core/ports/encodingPublisher.ts";
import type { EncodingStore, VersionedJob } from "../core/ports/encodingStore.ts";
import { AccountBook, type AccountTransition } from "./accountBook.ts";
import { AccountCalls } from "./accountCalls.ts";
import { Crowd } from "./crowd.ts";
import { dutiesOf } from "./duties.ts";
import { Errands, type Reach } from "./errands.ts";
import { InputSpread } from "./inputSpread.ts";
import { liveAttempt } from "./job.ts";
import { listJobs, type Answers } from "./listing.ts";
import { ownerOf } from "./names.ts";
import { place, type Berth } from "./place.ts";
import type { EncodingPolicy } from "./policy.ts";
import { publishOutbox } from "./publish.ts";
import { Records } from "./records.ts";

export interface AccountSetting {
  readonly account: EncodingAccount;
  /** Jobs that it may have at a time. */
  readonly maxInFlight: number;
}

export interface SchedulerTimes {
  /** Pause between looks at the store that found nothing to do. */
  readonly tickMs: number;
  /** How often what is known of accounts is stored and read. */
  readonly exchangeMs: number;
  /** How long a write waits for company. */
  readonly gatherMs: number;
  /** Who has a job in hand for longer loses it. */
  readonly leaseMs: number;
  /** For one call of an account. */
  readonly callMs: number;
  /** How long calls may go on once all is to stop. */
  readonly graceMs: number;
}

export const DEFAULT_TIMES: SchedulerTimes = {
  tickMs: 1_000,
  exchangeMs: 5_000,
  gatherMs: 5,
  leaseMs: 120_000,
  callMs: 20_000,
  graceMs: 10_000,
};

export interface SchedulerOptions {
  readonly store: EncodingStore;
  readonly accounts: readonly AccountSetting[];
  readonly inputs: EncodingInputs;
  readonly publisher: EncodingPublisher;
  readonly transforms: (name: string) => Transform | null;
  readonly overridden: (account: string) => AccountOverride | null;
  readonly policy: EncodingPolicy;
  readonly times: SchedulerTimes;
  /** Jobs in hand, and calls at a time per account. */
  readonly concurrency: { readonly jobs: number; readonly callsPerAccount: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onTransition?: (transition: AccountTransition) => void;
}

/** Jobs looked at while no account has room for them: who has been everywhere is told so all the same. */
const LOOKED_AT_ANYWAY = 20;
/** Looks at one job in a row. */
const STEPS = 8;

export class Scheduler {
  readonly book: AccountBook;
  readonly #options: SchedulerOptions;
  readonly #records: Records;
  readonly #errands: Errands;
  readonly #crowd: Crowd;
  readonly #reach: ReadonlyMap<string, Reach>;
  readonly #forced = new AbortController();
  #held = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { store, clock, policy, times, log, accounts, overridden, onTransition } = options;
    this.book = new AccountBook({
      store,
      clock,
      log,
      policy: policy.account,
      accounts: new Map(accounts.map(({ account, maxInFlight }) => [account.name, maxInFlight])),
      overridden,
      ...(onTransition === undefined ? {} : { onTransition }),
    });
    this.#records = new Records({
      store,
      clock,
      policy: policy.job,
      gatherMs: times.gatherMs,
      capacity: () => this.book.capacity(),
      onEvidence: (evidence) => {
        this.book.told(evidence);
      },
    });
    this.#reach = new Map(accounts.map(({ account }) => [account.name, this.#reachOf(account)]));
    const { inputs, transforms } = options;
    const reach = (account: string): Reach | null => this.#reach.get(account) ?? null;
    const [records, stop] = [this.#records, this.#forced.signal];
    const spread = new InputSpread({ store, records, inputs, clock, log, stop, add: this.#add.bind(this) });
    this.#errands = new Errands({ clock, policy: policy.job, reach, inputs, spread, transforms, stop });
    this.#crowd = new Crowd(options.concurrency.jobs);
  }

  /** Runs until `stop` aborts; resolves once what was in hand is done with, or given up after the grace. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { tickMs, exchangeMs } = this.#options.times;
    await Promise.all([
      this.#repeat("exchange", exchangeMs, stop, async () => this.#exchange()),
      this.#repeat("place", tickMs, stop, async () => this.#place()),
      this.#repeat("follow", tickMs, stop, async () => this.#follow()),
      this.#repeat("publish", tickMs, stop, async () => this.#publish()),
    ]);
    await this.#wind();
  }

  /** Takes in what events say; a job that is not ours is passed over. Rejects where the store cannot be reached: then it is to be told again. */
  async observe(sightings: readonly Sighting[]): Promise<void> {
    const named = Map.groupBy(sightings, ({ jobName }) => jobName);
    await Promise.all([...named].map(async ([jobName, seen]) => this.#observe(jobName, seen)));
  }

  async #observe(jobName: string, seen: readonly Sighting[]): Promise<void> {
    const owner = ownerOf(jobName);
    const held = owner === null ? null : await this.#options.store.get(owner.id);
    const attempt = held?.job.attempts[(owner?.attempt ?? 0) - 1];
    if (held === null || attempt === undefined) return;
    const sightings = seen.filter(({ account }) => account === attempt.account);
    if (sightings.length > 0) await this.#records.apply(held, [{ type: "seen", attempt: attempt.number, sightings, asked: false }], false);
  }

  #reachOf(account: EncodingAccount): Reach {
    const { clock, times, concurrency, policy } = this.#options;
    const observe = this.book.called.bind(this.book, account.name);
    const { name } = account;
    const { throttleLongestMs: longestRestMs } = policy.account;
    const limits = { concurrency: concurrency.callsPerAccount, timeoutMs: times.callMs, longestRestMs };
    return { account, calls: new AccountCalls({ account: name, clock, ...limits, observe, stop: this.#forced.signal }) };
  }

  /** `work` says whether there is more of it right now. */
  async #repeat(what: string, pauseMs: number, stop: AbortSignal, work: () => Promise<boolean>): Promise<void> {
    const { clock, log } = this.#options;
    while (!stop.aborted) {
      let more = false;
      try {
        more = await work();
      } catch (error) {
        log.error("encoding.round_failed", { round: what, code: errorCode(error), error: errorChain(error) });
      }
      // Others have their turn in any case.
      await clock.sleep(more ? 0 : pauseMs, stop).catch(() => undefined);
    }
  }

  async #wind(): Promise<void> {
    const { clock, times } = this.#options;
    const done = new AbortController();
    const grace = clock.sleep(times.graceMs, done.signal).then(
      () => {
        this.#forced.abort();
      },
      () => undefined,
    );
    await this.#crowd.settled();
    done.abort();
    await grace;
  }

  async #exchange(): Promise<boolean> {
    await this.book.exchange();
    for (const name of this.book.unheard()) {
      const reach = this.#reach.get(name);
      if (reach !== undefined)
        this.#add(
          "ping",
          name,
          reach.calls.probe(async (signal) => reach.account.ping(signal)),
        );
    }
    return false;
  }

  async #place(): Promise<boolean> {
    const { store, clock, times, policy, random } = this.#options;
    const berths = this.book.berths(await store.places());
    const free = berths.reduce((sum, { usable, trial, free: some }) => sum + (usable ? some : Number(trial)), 0);
    const limit = Math.min(this.#crowd.room, Math.max(free, LOOKED_AT_ANYWAY));
    const taken = limit <= 0 ? [] : await store.take("place", clock.now(), times.leaseMs, limit);
    this.#tellHeld(taken.length > 0, berths);
    let placed = 0;
    for (const held of taken) {
      const placement = place(held.job, berths, random.next(), policy.job, clock.now());
      if (placement.type === "account") {
        placed += 1;
        occupy(berths, placement.account);
      }
      this.#add("place", held.job.id, this.#placed(held, placement));
    }
    return placed > 0 && placed === limit;
  }

  async #placed(held: VersionedJob, placement: ReturnType<typeof place>): Promise<void> {
    const { type } = placement;
    if (type === "exhausted") return void (await this.#records.apply(held, [placement as { type: "exhausted"; detail: string }], true));
    if (type !== "account") return void (await this.#records.apply(held, [{ type: "unplaced", why: type }], true));
    const { account, trial } = placement;
    const outputs = this.#options.transforms(held.job.transform)?.outputs.length ?? 1;
    const change = await this.#records.apply(held, [{ type: "placed", account, trial, outputs }], true);
    if (change === "full") return void (await this.#records.apply(held, [{ type: "unplaced", why: "full" }], true));
    if (change === "gone") return;
    const live = liveAttempt(change.job);
    if (live === null) return;
    if (live.trial) this.book.tried(account, change.job.id, live.number);
    await this.#settle(change, [{ type: "submit", attempt: live }]);
  }

  async #follow(): Promise<boolean> {
    const { store, clock, times } = this.#options;
    const limit = this.#crowd.room;
    const taken = limit <= 0 ? [] : await store.take("follow", clock.now(), times.leaseMs, limit);
    const answers = await this.#listed(taken);
    for (const held of taken) this.#add("follow", held.job.id, this.#look(held, answers));
    return taken.length > 0 && taken.length === limit;
  }

  async #listed(taken: readonly VersionedJob[]): Promise<Answers> {
    const { policy, clock } = this.#options;
    const wanted = taken.flatMap(({ job }) =>
      dutiesOf(job, this.book.standing, policy.job, clock.now()).flatMap((duty) =>
        duty.type === "check" ? [{ job, attempt: duty.attempt }] : [],
      ),
    );
    return listJobs(wanted, (account) => this.#reach.get(account) ?? null);
  }

  async #look(held: VersionedJob, answers: Answers): Promise<void> {
    const { store, policy, clock } = this.#options;
    const duties = dutiesOf(held.job, this.book.standing, policy.job, clock.now());
    if (duties.some(({ type }) => type === "expire")) return void (await store.remove(held.job.id, held.version));
    await this.#settle(held, duties, answers);
  }

  /** Does what is due, and what becomes due by it. */
  async #settle(held: VersionedJob, first: ReturnType<typeof dutiesOf>, answers: Answers = new Map()): Promise<void> {
    const { policy, clock } = this.#options;
    let [current, duties] = [held, first];
    for (let step = 0; step < STEPS && (duties.length > 0 || step === 0); step += 1) {
      const doable = duties.filter((duty) => duty.type !== "expire");
      const answer = (jobName: string) => (step === 0 ? (answers.get(jobName) ?? null) : null);
      const { job } = current;
      const events = await Promise.all(
        doable.map(async (duty) => this.#errands.do(job, duty, "attempt" in duty ? answer(duty.attempt.jobName) : null)),
      );
      const change = await this.#records.apply(current, events, step === 0);
      if (change === "full" || change === "gone") return;
      current = change;
      duties = dutiesOf(current.job, this.book.standing, policy.job, clock.now());
    }
  }

  async #publish(): Promise<boolean> {
    const { store, publisher, clock, times } = this.#options;
    return publishOutbox({ store, publisher, clock, leaseMs: times.leaseMs, timeoutMs: times.callMs, stop: this.#forced.signal });
  }

  /** Said once when it begins and once when it ends, not for each job. */
  #tellHeld(waiting: boolean, berths: readonly Berth[]): void {
    const { log } = this.#options;
    const none = berths.every(({ usable, trial }) => !usable && !trial);
    if (none && waiting && !this.#held) {
      log.error("encoding.held", {
        reason: "no account can be used: jobs wait until one can",
        accounts: berths.map(({ account }) => account),
      });
      this.#held = true;
    } else if (!none && this.#held) {
      log.info("encoding.resumed", {});
      this.#held = false;
    }
  }

  #add(what: string, of: string, work: Promise<void>): void {
    this.#crowd.add(this.#logged(what, of, work));
  }

  async #logged(what: string, of: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.#forced.signal.aborted)
        this.#options.log.error("encoding.errand_failed", { what, of, code: errorCode(error), error: errorChain(error) });
    }
  }
}

function occupy(berths: Berth[], account: string): void {
  const at = berths.findIndex((berth) => berth.account === account);
  const berth = berths[at];
  if (berth !== undefined) berths[at] = { ...berth, free: berth.free - 1, trial: false };
}
