import { PaircastError } from "../../src/core/errors.ts";
import { describeMediaAccount } from "../conformance/mediaAccount.ts";
import { MemoryMediaAccount } from "./memoryMediaAccount.ts";

describeMediaAccount("the account in memory", () => {
  const unreachable = new MemoryMediaAccount();
  unreachable.calls.failAll("*", new PaircastError("account_unavailable", "nobody answers", { retry: "retry" }));
  const denied = new MemoryMediaAccount();
  denied.calls.failAll("*", new PaircastError("account_denied", "the credential is refused"));
  return Promise.resolve({
    account: new MemoryMediaAccount(),
    unreachable,
    denied,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
