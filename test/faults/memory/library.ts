/** A small library in memory that processes replicate one after the other, and what it really holds. */
import { createHash } from "node:crypto";
import { PaircastError } from "../../../src/core/errors.ts";
import { replicateAsset } from "../../../src/replicator/run.ts";
import type { JobResult } from "../../../src/replicator/runJob.ts";
import type { MemoryMediaAccount } from "../../fakes/memoryMediaAccount.ts";
import { KEY_ID, KEY_VALUE, LOCATOR_ID, World } from "../../replicator/world.ts";
import { assetDifferences, differences } from "../compare.ts";
import { plain, type AccountState, type Plain } from "../truth.ts";
import { Watcher } from "../watcher.ts";
import { Process, type PortCall, type Verdict } from "./ports.ts";

const SOURCE = "west";
const TARGET = "north";
const ASSETS = ["intro", "outro"] as const;
/** A process that does not come to an end in this (virtual) time never will. */
const LONGEST_MS = 20 * 60_000;
/** One that makes more calls than this goes round in circles. It comes to about 200. */
const MOST_CALLS = 2000;
/** A dead process's leases have run out by then. */
const LEASE_MS = 20_000;

export interface Life {
  /** Null where the process died, or went round in circles. */
  readonly results: readonly JobResult[] | null;
  readonly calls: readonly PortCall[];
}

export class Library {
  readonly world = new World([SOURCE, TARGET]);
  readonly watcher: Watcher;
  readonly #source: AccountState;
  #lives = 0;

  private constructor(world: World, source: AccountState) {
    this.world = world;
    this.#source = source;
    const { catalogue } = world;
    const entries = async () => (await Array.fromAsync(catalogue.list())).map(({ entry }) => entry);
    this.watcher = new Watcher({
      catalogue: {
        changes: async (version) => ({ version: version + 1, entries: await entries() }),
        entry: async (locatorId) => (await catalogue.get(locatorId))?.entry ?? null,
      },
      source,
      target: TARGET,
      truth: async () => this.#state(TARGET),
    });
  }

  static async open(): Promise<Library> {
    const world = new World([SOURCE, TARGET]);
    for (const [at, name] of ASSETS.entries()) {
      const own = (id: string): string => `${String(at + 1).repeat(8)}${id.slice(8)}`;
      const key = { id: own(KEY_ID), type: null, labelReferenceInStreamingPolicy: "main", policyName: null };
      const contentKeys = [{ ...key, value: KEY_VALUE.toString("base64") }];
      await world.publish(SOURCE, name, { streamingLocatorId: own(LOCATOR_ID), alternativeMediaId: name, contentKeys });
    }
    return new Library(world, await stateOf(world.account(SOURCE)));
  }

  /** One process carries everything to the target. `judge` sees every call of it. */
  async live(judge: (call: PortCall, nth: number) => Verdict): Promise<Life> {
    const { world } = this;
    await world.clock.advance(LEASE_MS);
    this.#lives += 1;
    const calls: PortCall[] = [];
    const counts = new Map<string, number>();
    const process = new Process({
      judge: async (call) => {
        await this.watcher.look(`call ${calls.length}`);
        calls.push(call);
        counts.set(call.operation, (counts.get(call.operation) ?? 0) + 1);
        return calls.length > MOST_CALLS ? "die before" : judge(call, counts.get(call.operation) ?? 0);
      },
      wrote: async (call) => {
        if (call.operation.startsWith(TARGET)) await this.watcher.lookAtAll(`call ${calls.length}`);
      },
      failure: () => new PaircastError("account_unavailable", "the service went away", { retry: "retry" }),
    });
    const deps = {
      ...world.deps,
      owner: `process ${this.#lives}`,
      journal: process.port("journal", world.journal),
      catalogue: process.port("catalogue", world.catalogue),
      accounts: new Map([...world.accounts].map(([name, account]) => [name, process.port(name, account)])),
      options: { ...world.deps.options, blobConcurrency: 1 },
    };
    const work = async (): Promise<readonly JobResult[]> => {
      const results: JobResult[] = [];
      for (const target of [SOURCE, TARGET])
        for (const assetName of ASSETS) results.push(await replicateAsset(deps, { source: SOURCE, target, assetName }));
      return results;
    };
    const results = await this.#until(work(), process);
    await this.watcher.lookAtAll("in the end");
    return { results, calls };
  }

  /** Jobs to the target that are reported as done, of which a comparison finds otherwise. */
  async contradictions({ results }: Life): Promise<readonly string[]> {
    const target = await this.#state(TARGET);
    return (results ?? [])
      .filter((result) => result.target === TARGET && result.error === null)
      .flatMap(({ assetName, result }) =>
        assetDifferences(this.#source, target, assetName).map((text) => `${assetName} is reported as ${result}, and ${text}`),
      );
  }

  /** Accounts, catalogue without times, and jobs. */
  async end(): Promise<Plain> {
    const { catalogue, journal } = this.world;
    const entries = (await Array.fromAsync(catalogue.list())).map(({ entry: { publishedAt: _at, regions, ...entry } }): [string, Plain] => [
      entry.locatorId,
      { ...(plain(entry) as object), regions: Object.fromEntries(Object.entries(regions).map(([name, { state }]) => [name, state])) },
    ]);
    const jobs = (await journal.jobs(100)).map(({ id, state, step }): [string, Plain] => [id, `${state} at ${step}`]);
    return {
      source: { ...(await this.#state(SOURCE)) },
      target: { ...(await this.#state(TARGET)) },
      catalogue: Object.fromEntries(entries),
      jobs: Object.fromEntries(jobs),
    };
  }

  /** Where the end is other than `expected`. */
  async differs(expected: Plain): Promise<readonly string[]> {
    return differences(expected, await this.end());
  }

  /** Copies of blobs that reached the target. */
  get copies(): number {
    return this.world.account(TARGET).blobCalls.count("copyFrom");
  }

  async #state(region: string): Promise<AccountState> {
    return stateOf(this.world.account(region));
  }

  /** Lets virtual time pass only while nothing else can go on. */
  async #until(work: Promise<readonly JobResult[]>, process: Process): Promise<readonly JobResult[] | null> {
    const { clock } = this.world;
    let settled: readonly JobResult[] | null = null;
    let failure: { readonly error: unknown } | null = null;
    work.then(
      (results) => (settled = results),
      (error: unknown) => (failure = { error }),
    );
    const until = clock.monotonic() + LONGEST_MS;
    while (settled === null && failure === null && !process.dead && clock.monotonic() < until) await clock.advance(50);
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
    if (settled === null && !process.dead) throw new Error("the process neither ends nor goes on");
    return settled;
  }
}

/** By the account's own methods, past everything that disturbs them. */
async function stateOf(account: MemoryMediaAccount): Promise<AccountState> {
  const named = <T extends { readonly name: string }>(all: readonly (T | null)[]): Plain =>
    Object.fromEntries(all.filter((one) => one !== null).map((one) => [one.name, plain(one)]));
  const assets = await Array.fromAsync(account.assets());
  const withFilters = await Promise.all(
    assets.map(async (asset) => ({ ...asset, filters: await Array.fromAsync(account.assetFilters(asset.name)) })),
  );
  const summaries = await Array.fromAsync(account.locators());
  const locators = await Promise.all(summaries.map(async ({ name }) => account.locator(name)));
  return {
    assets: named(withFilters),
    locators: named(locators),
    contentKeyPolicies: named([await account.contentKeyPolicy("tokens")]),
    streamingPolicies: named([await account.streamingPolicy("envelope")]),
    accountFilters: named([await account.accountFilter("shared")]),
    blobs: Object.fromEntries(
      await Promise.all(assets.map(async ({ container }) => [container, await blobsOf(account, container)] as const)),
    ),
  };
}

async function blobsOf(account: MemoryMediaAccount, container: string): Promise<Plain> {
  const blobs = account.blobs(container);
  const listed = await Array.fromAsync(blobs.list());
  return Object.fromEntries(
    listed.map(({ name, etag: _etag, copyStatus, ...properties }) => {
      const sha256 = createHash("sha256")
        .update(blobs.content(name) ?? new Uint8Array())
        .digest("hex");
      const state = copyStatus === null || copyStatus === "success" ? "complete" : copyStatus;
      return [name, { ...(plain(properties) as object), sha256, state }];
    }),
  );
}
