/** The shared stores on real tables and queues (Azurite's): the same contracts as embedded and in memory. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { TableOverrides } from "../../src/gateway/overrides/tableOverrides.ts";
import { TableHealthMemory } from "../../src/health/tableMemory.ts";
import { REMEMBERED_MS } from "../../src/health/remembered.ts";
import { AzureTable } from "../../src/replicator/adapters/azureTable.ts";
import { AzureWorkQueue } from "../../src/replicator/adapters/azureWorkQueue.ts";
import { ServiceCalls } from "../../src/replicator/adapters/serviceCalls.ts";
import { TableCatalogue } from "../../src/replicator/tables/catalogue.ts";
import { TableCursors } from "../../src/replicator/tables/cursors.ts";
import { TableJournal } from "../../src/replicator/tables/journal.ts";
import { TableDeletions } from "../../src/replicator/tables/deletions.ts";
import { TableKeyRecords } from "../../src/replicator/tables/keyRecords.ts";
import { TableLeases } from "../../src/replicator/tables/leases.ts";
import { catalogueStoreConformance } from "../conformance/catalogueStore.ts";
import { cursorStoreConformance } from "../conformance/cursorStore.ts";
import { deletionsConformance } from "../conformance/deletions.ts";
import { describeHealthMemory } from "../conformance/healthMemory.ts";
import { journalConformance } from "../conformance/journal.ts";
import { keyRecordsConformance } from "../conformance/keyRecords.ts";
import { overrideStoreConformance } from "../conformance/overrideStore.ts";
import { MAX_TAKES, workQueueConformance } from "../conformance/workQueue.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { ManualClock } from "../fakes/clock.ts";
import { newCalls, SharedState } from "../harness/sharedState.ts";

let shared: SharedState;

beforeAll(async () => {
  shared = await SharedState.start();
});
afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

const disposal = { [Symbol.asyncDispose]: async () => undefined };
const chance = { clock: systemClock, random: systemRandom };

/** Lets the clock's time pass until the work has ended: seconds of it take no time here, however slow the machine is. */
async function passing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  work.then(
    () => ended.abort(),
    () => ended.abort(),
  );
  while (!ended.signal.aborted) {
    await clock.advance(500);
    await delay(5);
  }
  return work;
}

async function processOn(prefix: string, calls: ServiceCalls = newCalls()) {
  const table = await shared.table(`${prefix}catalogue`, calls);
  const leases = new TableLeases(table, calls.skewMs);
  const catalogue = await TableCatalogue.open({ table, leases, ...chance });
  return { catalogue, journal: new TableJournal({ table: await shared.table(`${prefix}journal`, calls), leases }), calls };
}

catalogueStoreConformance("Azure tables", async () => {
  const prefix = shared.prefix();
  const [one, two] = [await processOn(prefix), await processOn(prefix)];
  return { store: one.catalogue, second: two.catalogue, journal: two.journal, ...disposal };
});

journalConformance("Azure tables", async () => {
  const prefix = shared.prefix();
  const [one, two] = [await processOn(prefix), await processOn(prefix)];
  return { journal: one.journal, second: two.journal, ...disposal };
});

cursorStoreConformance("Azure tables", async () => {
  const name = `${shared.prefix()}cursors`;
  const open = async () => new TableCursors(await shared.table(name));
  return { cursors: await open(), second: await open(), ...disposal };
});

deletionsConformance("Azure tables", async () => {
  const name = `${shared.prefix()}journal`;
  const open = async () => new TableDeletions(await shared.table(name, newCalls()));
  return { store: await open(), second: await open(), ...disposal };
});

keyRecordsConformance("Azure tables", async () => {
  const prefix = shared.prefix();
  const open = async () => {
    const calls = newCalls();
    const table = await shared.table(`${prefix}catalogue`, calls);
    const leases = new TableLeases(table, calls.skewMs);
    const journal = new TableJournal({ table: await shared.table(`${prefix}journal`, calls), leases });
    return { records: new TableKeyRecords({ table, leases }), journal };
  };
  const [one, two] = [await open(), await open()];
  return { records: one.records, second: two.records, journal: two.journal, ...disposal };
});

overrideStoreConformance("Azure tables", async () => {
  const name = `${shared.prefix()}overrides`;
  const open = async () => new TableOverrides({ table: await shared.table(name), ...chance });
  return { store: await open(), second: await open(), ...disposal };
});

describeHealthMemory("Azure tables", async (clock) => ({
  memory: new TableHealthMemory({ table: await shared.table(`${shared.prefix()}health`), clock, machine: "gateway-1/eu" }),
  maxAgeMs: REMEMBERED_MS,
  ...disposal,
}));

workQueueConformance("Azure queues", async () => {
  const name = `${shared.prefix()}-jobs`;
  const [queue, second] = [await shared.queue(name, MAX_TAKES), await shared.queue(name, MAX_TAKES)];
  return { queue, second, elapse: async (ms) => shared.elapse(name, ms), ...disposal };
});

describe("stores on real tables", () => {
  it("is opened by many at the same moment, with one fingerprint key for all", async () => {
    const prefix = shared.prefix();
    const stores = await Promise.all(Array.from({ length: 6 }, async () => processOn(prefix)));
    const keys = await Promise.all(stores.map(async ({ catalogue }) => catalogue.fingerprintKey()));
    expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
  });

  it("loses no update of many writers of one entry", async () => {
    const prefix = shared.prefix();
    const writers = await Promise.all(Array.from({ length: 4 }, async () => processOn(prefix)));
    const add = async ({ catalogue }: (typeof writers)[number]): Promise<void> => {
      for (;;) {
        const stored = await catalogue.get("shared");
        const publishedAt = (stored?.entry.publishedAt ?? 0) + 1;
        try {
          await catalogue.put(catalogueEntry("shared", { publishedAt }), stored?.version ?? null);
          return;
        } catch (error) {
          expect(error).toMatchObject({ code: "catalogue_conflict" });
        }
      }
    };
    await Promise.all(writers.flatMap((writer) => Array.from({ length: 10 }, async () => add(writer))));
    expect((await writers[0]?.catalogue.get("shared"))?.entry.publishedAt).toBe(40);
  });

  it("costs what is said: one request for a write, one to see that nothing changed, two for what did, however many entries there are", async () => {
    const { catalogue, journal, calls } = await processOn(shared.prefix());
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      const before = calls.sent;
      await work();
      return calls.sent - before;
    };
    for (let at = 0; at < 300; at += 1) await catalogue.put(catalogueEntry(`id-${at}`), null);
    const version = await catalogue.put(catalogueEntry("one"), null);
    const since = await catalogue.revision();
    expect(await cost(async () => journal.acquire("job", "me", 1_000, 500))).toBe(1);
    expect(await cost(async () => catalogue.put(catalogueEntry("one"), version, { jobId: "job", owner: "me" }))).toBe(1);
    expect(await cost(async () => journal.acquire("job", "me", 1_100, 500))).toBe(1);
    expect(await cost(async () => journal.release("job", "me"))).toBe(1);
    expect(await cost(async () => catalogue.revision())).toBe(1);
    expect(await cost(async () => catalogue.changes(since))).toBe(2);
    expect(await cost(async () => Array.fromAsync(catalogue.list()))).toBe(1);
  });

  it("pages through more rows than the service gives at once", async () => {
    const table = await shared.table(`${shared.prefix()}pages`);
    for (let page = 0; page < 25; page += 1) {
      const rows = Array.from({ length: 100 }, (_, at) => `row-${String(page * 100 + at).padStart(5, "0")}`);
      await table.write(
        "p",
        rows.map((key) => ({ type: "insert", key, values: { key } }) as const),
      );
    }
    const all = await Array.fromAsync(table.list("p", { from: "row-", below: "row." }));
    expect(all.length).toBe(2_500);
    expect(all.every(({ key }, at) => at === 0 || key > (all[at - 1]?.key ?? ""))).toBe(true);
    expect((await Array.fromAsync(table.list("p", { from: "row-", below: "row.", limit: 1_500 }))).length).toBe(1_500);
  });

  it("asks a service that is busy again when it says, as often as is decided here: the SDKs' own retries are out", async () => {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url?.split(/[?(]/, 1)[0] ?? ""}`);
      incoming.resume();
      outgoing.setHeader("x-ms-request-id", "1");
      if (asked.length % 3 !== 0) outgoing.writeHead(503, { "x-ms-retry-after-ms": "1", "content-type": "application/json" }).end("{}");
      else outgoing.writeHead(403, { "content-type": "application/json" }).end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/state`;
    const login = { kind: "account-key", accountName: "state", accountKey: "a2V5" } as const;
    const calls = newCalls();
    const table = await AzureTable.open({ url, name: "busy", login, calls });
    await expect(table.get("p", "k")).rejects.toMatchObject({ code: "state_denied" });
    const changes = ["a", "b"].map((key) => ({ type: "insert", key, values: {} }) as const);
    await expect(table.write("p", changes)).rejects.toMatchObject({ code: "state_denied" });
    const queue = await AzureWorkQueue.open({ url, name: "busy", login, calls, deadLetters: table, maxTakes: 1 });
    await expect(queue.take(1_000)).rejects.toMatchObject({ code: "state_denied" });
    const places = ["POST /state/Tables", "GET /state/busy", "POST /state/$batch", "PUT /state/busy", "GET /state/busy/messages"];
    expect(asked).toEqual(places.flatMap((place) => [place, place, place]));
    expect(calls.sent).toBe(asked.length);
    server.close().closeAllConnections();
  });

  it("gives up on a service that takes requests and never answers", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/state`;
    const login = { kind: "account-key", accountName: "state", accountKey: "a2V5" } as const;
    const clock = new ManualClock(systemClock.now());
    const calls = new ServiceCalls({ clock, random: systemRandom });
    const hung = { code: "state_unavailable", retry: "retry" };
    await expect(passing(clock, AzureTable.open({ url, name: "hung", login, calls }))).rejects.toMatchObject(hung);
    const deadLetters = await shared.table("hungdeadletters");
    const queue = AzureWorkQueue.open({ url, name: "hung", login, calls, deadLetters, maxTakes: 1 });
    await expect(passing(clock, queue)).rejects.toMatchObject(hung);
    expect(calls.sent).toBeGreaterThanOrEqual(4);
    server.close().closeAllConnections();
  });

  it("says that a service is not there", async () => {
    const login = { kind: "account-key", accountName: "state", accountKey: "a2V5" } as const;
    const clock = new ManualClock(systemClock.now());
    const calls = new ServiceCalls({ clock, random: systemRandom });
    const opened = AzureTable.open({ url: "http://127.0.0.1:1/state", name: "none", login, calls });
    await expect(passing(clock, opened)).rejects.toMatchObject({
      code: "state_unavailable",
      retry: "retry",
      message: expect.stringMatching(/^open table none at 127\.0\.0\.1:1: the service did not answer properly/) as string,
    });
  });

  it("says that the credential was refused, and shows none of it", async () => {
    const secret = Buffer.alloc(64, 9).toString("base64");
    const wrong = [
      { kind: "account-key", accountName: "state", accountKey: secret },
      { kind: "sas", sas: `?sv=2019-02-02&ss=t&srt=sco&sp=rwdlacu&se=2030-01-01T00:00:00Z&sig=${encodeURIComponent(secret)}` },
    ] as const;
    for (const login of wrong) {
      const table = await AzureTable.open({ url: shared.tables, name: "refused", login, calls: newCalls() });
      const error: unknown = await table.get("p", "k").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "state_denied", retry: "never" });
      const text = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause);
      expect(text).not.toContain(secret.slice(0, 20));
      expect(text).not.toMatch(/sig=(?!\[redacted\])/);
    }
  });
});
