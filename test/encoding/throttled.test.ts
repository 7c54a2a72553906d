/** An account that asks to be left alone. */
import { expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { EncodingDesk } from "../../src/encoding/desk.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { DEFAULT_TIMES, Scheduler } from "../../src/encoding/scheduler.ts";
import { seededRandom } from "../fakes/clock.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { MemoryEncodingAccount } from "../fakes/memoryEncodingAccount.ts";
import { VirtualClock } from "../simulation/encoding/virtualClock.ts";
import { MINUTE, NOW, SECOND } from "./samples.ts";

const TRANSFORM = { name: "ladder", description: null, outputs: [{ preset: "adaptive" }] };

it("gets no job and no question before the time that it has named, and then its share again; no job fails for it", async () => {
  const clock = new VirtualClock(NOW);
  const random = seededRandom(7);
  const store = new MemoryEncoding();
  const [west, east] = ["west", "east"].map((name) => new MemoryEncodingAccount({ name, clock, workMs: 5 * MINUTE })) as [
    MemoryEncodingAccount,
    MemoryEncodingAccount,
  ];
  const scheduler = new Scheduler({
    store,
    accounts: [west, east].map((account) => ({ account, maxInFlight: 40 })),
    inputs: { open: async () => ({ kind: "urls", urls: [] }), copy: async () => undefined, discard: async () => undefined },
    publisher: { publish: async () => undefined },
    transforms: () => TRANSFORM,
    overridden: () => null,
    policy: DEFAULT_POLICY,
    times: DEFAULT_TIMES,
    concurrency: { jobs: 64, callsPerAccount: 8 },
    clock,
    random,
    log: silentLog,
  });
  const stop = new AbortController();
  const run = scheduler.run(stop.signal);
  const desk = new EncodingDesk({ store, clock, random, policy: DEFAULT_POLICY.job });
  const submit = async (prefix: string): Promise<void> => {
    const input = { kind: "url", url: "https://in.example/video.mp4" } as const;
    const clients = Array.from({ length: 20 }, (_, at) => `${prefix}${at}`);
    const all = clients.map(async (clientId) => desk.submit({ clientId, transform: TRANSFORM.name, input, priority: "normal" }));
    await clock.advance(SECOND);
    await Promise.all(all);
  };
  const others = (account: MemoryEncodingAccount): number => account.calls.all.length - account.calls.count("ping");

  // It answered the first question.
  await clock.advance(2 * SECOND);
  west.refusal = {
    error: new PaircastError("account_throttled", "too many requests", { retry: "retry", retryAfterMs: 4 * MINUTE }),
    afterEffect: false,
  };
  await submit("early");
  await clock.advance(30 * SECOND);
  const before = others(west);
  expect(before).toBeGreaterThan(0);
  west.refusal = null;
  await submit("meanwhile");
  await clock.advance(3 * MINUTE);
  expect([others(west) - before, west.created, east.created.length]).toEqual([0, [], 40]);
  expect(scheduler.book.states.map(({ account, status }) => [account, status])).toEqual([
    ["west", "in"],
    ["east", "in"],
  ]);
  await clock.advance(MINUTE);
  await submit("later");
  await clock.advance(MINUTE);
  expect(west.created.length).toBeGreaterThan(0);
  await clock.advance(20 * MINUTE);
  expect(await store.count()).toMatchObject({ finished: 60, failed: 0 });
  stop.abort();
  await clock.advance(MINUTE);
  await run;
});
