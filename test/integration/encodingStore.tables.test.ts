/** Encoding's records on real tables (Azurite's): the same contract as embedded and in memory. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { TableEncoding } from "../../src/encoding/tableEncoding.ts";
import { encodingStoreConformance } from "../conformance/encodingStore.ts";
import { NOW, waitingJob } from "../encoding/samples.ts";
import { SharedState } from "../harness/sharedState.ts";

let shared: SharedState;

beforeAll(async () => {
  shared = await SharedState.start();
});
afterAll(async () => {
  await shared[Symbol.asyncDispose]();
});

const open = async (name: string) => new TableEncoding({ table: await shared.table(name), clock: systemClock, random: systemRandom });

encodingStoreConformance("Azure tables", async () => {
  const name = `${shared.prefix()}encoding`;
  return { store: await open(name), second: await open(name), [Symbol.asyncDispose]: async () => undefined };
});

it("lets several machines write at the same moment, and loses nothing", async () => {
  const name = `${shared.prefix()}encoding`;
  const stores = await Promise.all(Array.from({ length: 4 }, async () => open(name)));
  const writeOf = (number: number) => {
    const id = `0mk1bdj1l${String(number).padStart(12, "0")}`;
    const job = waitingJob({ id, clientId: `client-${number}` });
    return { job, expected: null, timers: { place: NOW, follow: null }, places: ["west"], capacity: { west: 30 }, messages: [] };
  };
  const results = await Promise.all(
    stores.map(async (store, machine) => store.write(Array.from({ length: 10 }, (_, index) => writeOf(machine * 10 + index)))),
  );
  expect(results.flat().filter(({ ok }) => ok).length).toBe(30);
  expect((await stores[0]?.places())?.get("west")).toBe(30);
  expect(await stores[1]?.count()).toMatchObject({ waiting: 30 });
});
