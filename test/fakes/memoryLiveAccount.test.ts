import { PaircastError } from "../../src/core/errors.ts";
import { describeLiveAccount } from "../conformance/liveAccount.ts";
import { MemoryLiveAccount } from "./memoryLiveAccount.ts";

describeLiveAccount("memory", async () => {
  const failing = (code: string, retry: "retry" | "never"): MemoryLiveAccount => {
    const account = new MemoryLiveAccount();
    account.calls.failAll("*", new PaircastError(code, "planned", { retry }));
    return account;
  };
  return {
    account: new MemoryLiveAccount(),
    unreachable: failing("account_unreachable", "retry"),
    denied: failing("account_denied", "never"),
    asset: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
});
