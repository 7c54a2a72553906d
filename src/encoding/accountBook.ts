/** What is known of the accounts, shared through the store: each worker adds what it has seen, and reads what all have. */
import type { Clock } from "../core/clock.ts";
import type { AccountOverride, AccountState } from "../core/encoding.ts";
import type { Log } from "../core/log.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import { aged, called, capacityOf, isUsable, newAccount, told, tried, wantsTrial, type CallSaid } from "./account.ts";
import type { Evidence } from "./evidence.ts";
import type { Berth } from "./place.ts";
import type { AccountPolicy } from "./policy.ts";
import type { Standing } from "./standing.ts";

export interface AccountTransition {
  readonly from: AccountState;
  readonly to: AccountState;
}

export interface AccountBookOptions {
  readonly store: EncodingStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: AccountPolicy;
  /** Account -> how many jobs it may have at a time. */
  readonly accounts: ReadonlyMap<string, number>;
  /** An operator's word on an account. */
  readonly overridden: (account: string) => AccountOverride | null;
  readonly onTransition?: (transition: AccountTransition) => void;
}

type Change = (state: AccountState) => AccountState;

interface Entry {
  /** As stored, with what this worker has seen since. */
  state: AccountState;
  /** Not stored yet, oldest first. */
  readonly changes: Change[];
}

/** Others write, too; each time one of them wins. */
const ATTEMPTS = 8;
/** While the store does not answer; what is older says little by then. */
const MOST_CHANGES = 20_000;

export class AccountBook {
  readonly #options: AccountBookOptions;
  readonly #entries = new Map<string, Entry>();
  /** Accounts that were disabled at the last look. */
  #disabled = new Set<string>();

  constructor(options: AccountBookOptions) {
    this.#options = options;
    const now = options.clock.now();
    for (const account of options.accounts.keys()) this.#entries.set(account, { state: newAccount(account, now), changes: [] });
  }

  get states(): readonly AccountState[] {
    return [...this.#entries.values()].map(({ state }) => state);
  }

  readonly standing = (account: string): Standing => {
    const entry = this.#entries.get(account);
    if (entry === undefined) return null;
    const { status, reason } = entry.state;
    return { status, reason, disabled: this.#options.overridden(account) === "disable" };
  };

  /** One call of the account was made. */
  called(account: string, said: CallSaid): void {
    const now = this.#options.clock.now();
    this.#change(account, (state) => called(state, said, this.#options.policy, now));
  }

  told(evidence: Evidence): void {
    const now = this.#options.clock.now();
    this.#change(evidence.account, (state) => told(state, evidence, this.#options.policy, now));
  }

  tried(account: string, jobId: string, attempt: number): void {
    const now = this.#options.clock.now();
    this.#change(account, (state) => tried(state, jobId, attempt, now));
  }

  /** Accounts that nobody has called for a while. */
  unheard(): readonly string[] {
    const { clock, policy } = this.#options;
    const now = clock.now();
    return this.states.filter(({ calledAt }) => calledAt === null || now - calledAt >= policy.pingMs).map(({ account }) => account);
  }

  /** How many places each account has now. */
  capacity(): Readonly<Record<string, number>> {
    const { accounts, policy, clock } = this.#options;
    const now = clock.now();
    return Object.fromEntries(
      this.states.map((state) => [state.account, capacityOf(state, accounts.get(state.account) ?? 0, policy, now)]),
    );
  }

  berths(places: ReadonlyMap<string, number>): Berth[] {
    const now = this.#options.clock.now();
    const capacity = this.capacity();
    return this.states.map((state) => {
      const { account } = state;
      const isOpen = this.#options.overridden(account) === null;
      const free = Math.max(0, (capacity[account] ?? 0) - (places.get(account) ?? 0));
      return { account, usable: isOpen && isUsable(state, now), trial: isOpen && wantsTrial(state, now), free };
    });
  }

  /** Stores what was seen here, and takes up what others have seen. */
  async exchange(): Promise<void> {
    const { store, clock, policy } = this.#options;
    const stored = new Map((await store.accounts()).map((each) => [each.state.account, each]));
    for (const [account, entry] of this.#entries) {
      const known = stored.get(account);
      const before = known?.state ?? newAccount(account, clock.now());
      await this.#merge(entry, before, known?.version ?? null, (state) => aged(state, policy, clock.now()));
    }
    await this.#hastenDisabled();
  }

  /** Their jobs are looked at at once. */
  async #hastenDisabled(): Promise<void> {
    const { store, clock, accounts, overridden } = this.#options;
    const disabled = new Set([...accounts.keys()].filter((account) => overridden(account) === "disable"));
    for (const account of disabled) if (!this.#disabled.has(account)) await store.hasten(account, clock.now());
    this.#disabled = disabled;
  }

  async #merge(entry: Entry, stored: AccountState, version: string | null, age: Change): Promise<void> {
    let [before, expected] = [stored, version];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const changes = [...entry.changes];
      const next = age(changes.reduce((state, change) => change(state), before));
      const written = next === before ? expected : await this.#options.store.saveAccount(next, expected);
      if (written !== null || next === before) {
        entry.changes.splice(0, changes.length);
        entry.state = entry.changes.reduce((state, change) => change(state), next);
        await this.#announce(before, next);
        return;
      }
      const again = (await this.#options.store.accounts()).find(({ state }) => state.account === stored.account);
      [before, expected] = [again?.state ?? before, again?.version ?? null];
    }
  }

  /** Told by the worker whose write it was. Jobs of an account that is out are looked at at once. */
  async #announce(from: AccountState, to: AccountState): Promise<void> {
    if (from.status === to.status) return;
    const { log, store, clock, onTransition } = this.#options;
    const fields = { account: to.account, from: from.status, to: to.status, reason: to.reason, detail: to.detail };
    if (to.status === "out") {
      log.error("encoding.account_out", fields);
      await store.hasten(to.account, clock.now());
    } else log.info("encoding.account", fields);
    onTransition?.({ from, to });
  }

  #change(account: string, change: Change): void {
    const entry = this.#entries.get(account);
    if (entry === undefined) return;
    entry.changes.push(change);
    if (entry.changes.length > MOST_CHANGES) entry.changes.shift();
    entry.state = change(entry.state);
  }
}
