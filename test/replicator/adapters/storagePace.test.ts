/** Busy answers of the service, played by the SDK's own HTTP hook: when requests go out again, and whose. */
import { setImmediate as turn } from "node:timers/promises";
import { ContainerClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { describe, expect, it } from "vitest";
import { AccountPace } from "../../../src/replicator/adapters/accountPace.ts";
import { StorageCalls, storagePipeline } from "../../../src/replicator/adapters/storageAnswers.ts";
import { ManualClock } from "../../fakes/clock.ts";

type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | Error;

function service(calls: StorageCalls, account: string, answers: readonly Answer[], options: StoragePipelineOptions = {}) {
  const sent: number[] = [];
  const client = new ContainerClient(
    `https://${account}.blob.core.windows.net/c?sig=1`,
    storagePipeline(
      undefined,
      {
        ...options,
        httpClient: {
          sendRequest: (request) => {
            sent.push(calls.clock.monotonic());
            const answer = answers[sent.length - 1] ?? { status: 200 };
            if (answer instanceof Error) return Promise.reject(answer);
            const headers = request.headers.clone();
            headers.set("x-ms-request-id", "1");
            for (const [name, value] of Object.entries(answer.headers ?? {})) headers.set(name, value);
            return Promise.resolve({ request, status: answer.status, headers });
          },
        },
      },
      calls,
    ),
  );
  return { client, sent, look: async () => client.getProperties() };
}

async function settled(clock: ManualClock, work: Promise<unknown>, step: number): Promise<void> {
  let done = false;
  void work.then(
    () => (done = true),
    () => (done = true),
  );
  for (let steps = 0; !done && steps < 500; steps += 1) {
    await turn();
    if (!done) await clock.advance(step);
  }
  await work;
}

const connectionReset = Object.assign(new Error("reset"), { code: "ECONNRESET" });

describe("requests to a busy account", () => {
  it.each([
    [429, "7", 7000],
    [503, "2", 2000],
  ])("after %i are sent again when it asks for it", async (status, seconds, pause) => {
    const clock = new ManualClock();
    const { look, sent } = service(new StorageCalls(clock), "a", [{ status, headers: { "retry-after": seconds } }]);
    await settled(clock, look(), 100);
    expect(sent).toHaveLength(2);
    expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeGreaterThanOrEqual(pause);
    expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeLessThanOrEqual(pause + 200);
  });

  it("wait for its pause also where another request has met it, and those to other accounts do not", async () => {
    const clock = new ManualClock();
    const calls = new StorageCalls(clock);
    const busy = service(calls, "busy", [{ status: 503, headers: { "retry-after": "30" } }]);
    const other = service(calls, "other", []);
    const first = busy.look();
    await turn();
    await turn();
    const second = busy.look();
    await other.look();
    expect(other.sent).toHaveLength(1);
    await settled(clock, Promise.all([first, second]), 1000);
    expect(busy.sent).toHaveLength(3);
    expect(Math.min(...busy.sent.slice(1)) - (busy.sent[0] ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  it("are given up after a dozen refusals, and at once where no second try is wanted", async () => {
    const clock = new ManualClock();
    const always = Array.from({ length: 50 }, () => ({ status: 503, headers: { "retry-after": "1" } }));
    const { look, sent } = service(new StorageCalls(clock), "a", always);
    await expect(settled(clock, look(), 500)).rejects.toMatchObject({ statusCode: 503 });
    expect(sent).toHaveLength(12);
    const once = service(new StorageCalls(clock), "a", always, { retryOptions: { maxTries: 1 } });
    await expect(once.look()).rejects.toMatchObject({ statusCode: 503 });
    expect(once.sent).toHaveLength(1);
  });

  it("that fail otherwise are tried four times, further apart each time; refusals of the caller only once", async () => {
    const clock = new ManualClock();
    const failing = service(new StorageCalls(clock), "a", [
      connectionReset,
      { status: 500 },
      { status: 502 },
      { status: 504 },
      { status: 200 },
    ]);
    await expect(settled(clock, failing.look(), 100)).rejects.toMatchObject({ statusCode: 504 });
    const pauses = failing.sent.slice(1).map((at, index) => at - (failing.sent[index] ?? 0));
    expect(pauses).toEqual([400, 800, 1600]);
    const refused = service(new StorageCalls(clock), "a", [{ status: 403 }]);
    await expect(refused.look()).rejects.toMatchObject({ statusCode: 403 });
    expect(refused.sent).toHaveLength(1);
  });
});

describe("the pace of an account", () => {
  it("halves what is under way after a refusal and opens again with answers", async () => {
    const clock = new ManualClock();
    const pace = new AccountPace(clock);
    for (let at = 0; at < 16; at += 1) await pace.begin();
    pace.end(clock.monotonic(), { retryAfterMs: 1000 });
    expect(pace.window).toBe(8);
    for (let at = 0; at < 15; at += 1) pace.end(clock.monotonic());
    expect(pace.window).toBeGreaterThan(8);
    let begun = 0;
    const waiting = Array.from({ length: 3 }, async () => pace.begin().then(() => (begun += 1)));
    await turn();
    expect(begun).toBe(0);
    await clock.advance(1000);
    await Promise.all(waiting);
    expect(begun).toBe(3);
  });

  it("lets go who gives up while waiting, and only him", async () => {
    const clock = new ManualClock();
    const pace = new AccountPace(clock);
    await pace.begin();
    pace.end(clock.monotonic(), { retryAfterMs: 1000 });
    const impatient = new AbortController();
    const [one, other] = [pace.begin(impatient.signal), pace.begin()];
    impatient.abort(new Error("enough"));
    await expect(one).rejects.toThrow("enough");
    await clock.advance(1000);
    await other;
  });
});
