import { systemClock } from "../../src/core/clock.ts";
import { PaircastError } from "../../src/core/errors.ts";
import { encodingAccountConformance, type Refusal } from "../conformance/encodingAccount.ts";
import { MemoryEncodingAccount } from "../fakes/memoryEncodingAccount.ts";

const CODES: Readonly<Record<Refusal["status"], string>> = {
  400: "account_rejected",
  401: "account_denied",
  403: "account_denied",
  408: "account_failing",
  429: "account_throttled",
  500: "account_failing",
  503: "account_failing",
};

function refused(code: string, retryAfterS: number | null, afterEffect: boolean): MemoryEncodingAccount["refusal"] {
  const retry = code === "account_denied" || code === "account_rejected" ? "never" : "retry";
  const retryAfterMs = retryAfterS === null ? null : retryAfterS * 1_000;
  return { error: new PaircastError(code, "the account says: it is broken", { retry, retryAfterMs }), afterEffect };
}

encodingAccountConformance("memory", async () => {
  const open = (): MemoryEncodingAccount => new MemoryEncodingAccount({ name: "west", clock: systemClock, workMs: null });
  const [account, unreachable, denied] = [open(), open(), open()];
  unreachable.refusal = refused("account_unreachable", null, false);
  denied.refusal = refused("account_denied", null, false);
  return {
    account,
    unreachable,
    denied,
    finish: () => {
      account.finishAll();
    },
    refuse: (refusal) => {
      account.refusal = refusal === null ? null : refused(CODES[refusal.status], refusal.retryAfterS ?? null, refusal.afterEffect ?? false);
    },
    asked: () => account.calls.all.length,
    hasAsset: (assetName) => account.assets.has(assetName),
    now: () => systemClock.now(),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
