import { expect, it } from "vitest";
import type { CallOutcome } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { CallSaid } from "../../src/encoding/account.ts";
import { AccountCalls } from "../../src/encoding/accountCalls.ts";
import { ManualClock } from "../fakes/clock.ts";

function stage() {
  const clock = new ManualClock();
  const seen: CallOutcome[] = [];
  const stop = new AbortController();
  const asked: (number | null)[] = [];
  const observe = ({ outcome, retryAfterMs }: CallSaid): void => {
    seen.push(outcome);
    asked.push(retryAfterMs);
  };
  const limits = { concurrency: 2, timeoutMs: 1_000, longestRestMs: 60_000 };
  const calls = new AccountCalls({ account: "west", clock, ...limits, observe, stop: stop.signal });
  return { clock, seen, asked, stop, calls };
}

const silence = async (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason);
    });
  });
const refuse = (code: string) => async (): Promise<void> => {
  throw new PaircastError(code, "no", { retry: "retry" });
};

it("makes so many calls at a time, and the others after them", async () => {
  const { calls } = stage();
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  const work = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => release.push(resolve));
    running -= 1;
  };
  const all = Array.from({ length: 5 }, async () => calls.call(work));
  for (let count = 0; count < 5; count += 1) {
    await Promise.resolve();
    while (release.length === 0) await new Promise((resolve) => setImmediate(resolve));
    release.shift()?.();
  }
  await Promise.all(all);
  expect(most).toBe(2);
});

it("says what each call says of the account, and nothing of what is not the account's", async () => {
  const { calls, seen } = stage();
  await calls.call(async () => undefined);
  for (const code of ["account_failing", "account_throttled", "account_denied", "account_rejected", "input_missing"])
    await expect(calls.call(refuse(code))).rejects.toMatchObject({ code });
  expect(seen).toEqual(["ok", "failing", "throttled", "denied", "ok"]);
});

it("gives up a call in time, leaves a silent account alone after three of them, and calls again once a probe has got through", async () => {
  const { calls, seen, clock } = stage();
  for (let count = 0; count < 3; count += 1) {
    const call = calls.call(silence);
    const failed = expect(call).rejects.toMatchObject({ name: "TimeoutError" });
    await clock.advance(1_000);
    await failed;
  }
  let made = 0;
  const work = async (): Promise<void> => void (made += 1);
  await expect(calls.call(work)).rejects.toMatchObject({ code: "account_resting" });
  await calls.probe(refuse("account_unreachable"));
  await expect(calls.call(work)).rejects.toMatchObject({ code: "account_resting" });
  expect(made).toBe(0);
  await calls.probe(async () => undefined);
  await calls.call(work);
  expect(made).toBe(1);
  expect(seen).toEqual(["unreachable", "unreachable", "unreachable", "unreachable", "ok", "ok"]);
});

it("says nothing against an account whose calls were ended by us", async () => {
  const { calls, seen, stop } = stage();
  const call = calls.call(silence);
  stop.abort(new Error("stop"));
  await expect(call).rejects.toThrow("stop");
  await calls.probe(silence).catch(() => undefined);
  expect(seen).toEqual([]);
});

it("calls nobody before the time that the account has named, except to see whether it answers; within reason", async () => {
  const { calls, seen, asked, clock } = stage();
  const wait = (retryAfterMs: number | null) => async (): Promise<void> => {
    throw new PaircastError("account_throttled", "too many", { retry: "retry", retryAfterMs });
  };
  const work = async (): Promise<void> => undefined;
  await expect(calls.call(wait(null))).rejects.toMatchObject({ code: "account_throttled" });
  await calls.call(work);
  await expect(calls.call(wait(20_000))).rejects.toMatchObject({ code: "account_throttled" });
  await calls.probe(wait(5_000));
  await clock.advance(19_999);
  await expect(calls.call(work)).rejects.toMatchObject({ code: "account_resting", retry: "retry" });
  await calls.probe(work);
  await expect(calls.call(work)).rejects.toMatchObject({ code: "account_resting" });
  await clock.advance(1);
  await calls.call(work);
  await expect(calls.call(wait(86_400_000))).rejects.toMatchObject({ code: "account_throttled" });
  await clock.advance(59_999);
  await expect(calls.call(work)).rejects.toMatchObject({ code: "account_resting" });
  await clock.advance(1);
  await calls.call(work);
  expect(seen).toEqual(["throttled", "ok", "throttled", "throttled", "ok", "ok", "throttled", "ok"]);
  expect(asked.filter((ms) => ms !== null)).toEqual([20_000, 5_000, 86_400_000]);
});
