/** What an asset costs at the management API: the arithmetic of docs/scale.md begins with these numbers. */
import { describe, expect, it } from "vitest";
import { amsDriver } from "../../src/replicator/driver.ts";
import type { MediaAccount } from "../../src/core/ports/media.ts";
import type { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { KEY_ID, KEY_VALUE, LOCATOR_ID, tokenPolicy, World } from "./world.ts";

interface Requests {
  readonly GET: number;
  readonly POST: number;
  readonly PUT: number;
}

const GET: Requests = { GET: 1, POST: 0, PUT: 0 };
const POST: Requests = { GET: 0, POST: 1, PUT: 0 };
const PUT: Requests = { GET: 0, POST: 0, PUT: 1 };

/** The requests of `AzureMediaAccount` for each call of the port. `locator` asks for keys only where there is one. */
const REQUESTS: Readonly<Record<string, Requests>> = {
  asset: GET,
  createAsset: { GET: 2, POST: 0, PUT: 1 },
  container: POST,
  assetFilters: GET,
  tracks: GET,
  accountFilters: GET,
  contentKeyPolicy: POST,
  streamingPolicy: GET,
  assetLocators: POST,
  "locator, absent": GET,
  locator: { GET: 1, POST: 1, PUT: 0 },
  paths: POST,
  putAssetFilter: PUT,
  putAccountFilter: PUT,
  putContentKeyPolicy: PUT,
  createStreamingPolicy: { GET: 1, POST: 0, PUT: 1 },
  createLocator: { GET: 1, POST: 0, PUT: 1 },
};

/** Counts what replication asks of its accounts; what the world's players ask is none of it. */
class Counter {
  #requests: string[] = [];

  /** The account as replication sees it. */
  counting(account: MemoryMediaAccount): MediaAccount {
    return new Proxy(account, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => this.#counted(String(name), Reflect.apply(value, target, args));
      },
    });
  }

  #counted(operation: string, answer: unknown): unknown {
    if (operation !== "locator") {
      this.#requests.push(operation);
      return answer;
    }
    return (answer as Promise<unknown>).then((found) => {
      this.#requests.push(found === null ? "locator, absent" : "locator");
      return found;
    });
  }

  /** Since the last time. */
  take(): Requests {
    const costs = this.#requests.map((operation) => {
      const cost = REQUESTS[operation];
      if (cost === undefined) throw new Error(`nobody has said what ${operation} costs`);
      return cost;
    });
    this.#requests = [];
    const sum = (method: keyof Requests): number => costs.reduce((total, cost) => total + cost[method], 0);
    return { GET: sum("GET"), POST: sum("POST"), PUT: sum("PUT") };
  }
}

const ASSETS = ["beef", "cafe", "dead"] as const;
type Asset = (typeof ASSETS)[number];

const idOf = (asset: Asset, of: string): string => of.replace(/^.{4}/, asset);

/** All of the library but "beef" was carried, which finds known what the assets have in common. */
async function library() {
  const world = new World();
  for (const asset of ASSETS) {
    const key = { id: idOf(asset, KEY_ID), type: null, labelReferenceInStreamingPolicy: "main", policyName: null };
    const contentKeys = [{ ...key, value: KEY_VALUE.toString("base64") }];
    await world.publish("west", asset, { streamingLocatorId: idOf(asset, LOCATOR_ID), contentKeys, filters: [] });
  }
  const counter = new Counter();
  const accounts = new Map([...world.accounts].map(([region, account]) => [region, counter.counting(account)]));
  const driver = amsDriver({ ...world.deps, accounts });
  const run = async (assetName: Asset, since: number): Promise<readonly string[]> => {
    const results: string[] = [];
    for (const target of ["west", "north"]) {
      await world.clock.advance(10);
      const locatorIds = [idOf(assetName, LOCATOR_ID)];
      results.push((await driver.replicate({ source: "west", target, assetName, locatorIds, sharing: { since, wait: false } })).result);
    }
    return results;
  };
  const since = world.clock.now();
  for (const asset of ["cafe", "dead"] as const) await run(asset, since);
  counter.take();
  return { world, counter, run, since };
}

const CHANGED = { ...tokenPolicy(), description: "of others" };

it("a conflict that was read for another asset is read again before a copy is withdrawn for it", async () => {
  const { world, run } = await library();
  await world.clock.advance(60_000);
  const since = world.clock.now();
  const north = world.account("north");
  await north.putContentKeyPolicy({ name: "tokens", properties: CHANGED });
  expect(await run("cafe", since)).toEqual(["unchanged", "conflict"]);
  await north.putContentKeyPolicy({ name: "tokens", properties: tokenPolicy() });
  expect(await run("dead", since)).toEqual(["unchanged", "unchanged"]);
});

describe("management calls for an asset with its original's job and one copy", () => {
  it("a new one, with a filter of its own", async () => {
    const { counter, run, since } = await library();
    expect(await run("beef", since)).toEqual(["changed", "changed"]);
    expect(counter.take()).toEqual({ GET: 15, POST: 10, PUT: 3 });
  });

  it("an unchanged one", async () => {
    const { world, counter, run } = await library();
    await world.clock.advance(60_000);
    const since = world.clock.now();
    await run("dead", since);
    counter.take();
    expect(await run("cafe", since)).toEqual(["unchanged", "unchanged"]);
    expect(counter.take()).toEqual({ GET: 9, POST: 10, PUT: 0 });
  });

  it("one whose content key policy has changed: it is read anew before it is written, and after", async () => {
    const { world, counter, run } = await library();
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: CHANGED });
    counter.take();
    await world.clock.advance(60_000);
    expect(await run("cafe", world.clock.now())).toEqual(["unchanged", "changed"]);
    expect(counter.take()).toEqual({ GET: 15, POST: 15, PUT: 1 });
    expect((await world.account("north").contentKeyPolicy("tokens"))?.properties).toMatchObject({ description: "of others" });
  });
});
