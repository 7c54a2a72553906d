/** The media account over the emulator of the management API, through the real SDK, with containers in Azurite. */
import { describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import type { EmulatorSwitches } from "../../src/sandbox/management/switches.ts";
import { describeMediaAccount, type MediaAccountHarness } from "../conformance/mediaAccount.ts";
import { ManualClock } from "../fakes/clock.ts";
import { accountStorage, emulateAccount, NOWHERE, openAccount } from "../harness/emulatedAccount.ts";

const storageOf = accountStorage("westeuropestorage");

interface Emulated extends MediaAccountHarness {
  readonly endpoint: string;
  readonly requests: readonly string[];
}

interface Wiring {
  readonly switches?: Partial<EmulatorSwitches>;
  /** The adapter's clock; the emulator has the real one. */
  readonly clock?: Clock;
}

async function start({ switches = {}, clock = systemClock }: Wiring = {}): Promise<Emulated> {
  const { storage, containers } = storageOf();
  const emulated = await emulateAccount({
    storage,
    containers,
    switches: { pageSize: 5, operationMs: 50, ...switches },
    fileExists: (_asset, file) => Promise.resolve(file !== "nowhere.ttml"),
  });
  const { endpoint, requests } = emulated;
  return {
    endpoint,
    requests,
    account: openAccount({ endpoint, clock }),
    unreachable: openAccount({ endpoint: NOWHERE, clock }),
    denied: openAccount({ endpoint, clock, credential: { kind: "api-key", apiKey: "another-key" } }),
    [Symbol.asyncDispose]: async () => emulated[Symbol.asyncDispose](),
  };
}

describeMediaAccount("the account over the SDK and the emulator", () => start());

describe("the account over the SDK", () => {
  it("asks for a token once for many calls, and again shortly before its end", async () => {
    const clock = new ManualClock(systemClock.now());
    await using emulated = await start({ clock });
    const tokens = (): number => emulated.requests.filter((line) => line === "POST /auth/token").length;
    await Promise.all([emulated.account.asset("a"), emulated.account.asset("b")]);
    await emulated.account.asset("c");
    expect(tokens()).toBe(1);
    await clock.advance(3_600_000 - 60_000);
    await emulated.account.asset("d");
    expect(tokens()).toBe(2);
  });

  it("takes what exists for existing even where the service would take an identical create for a success", async () => {
    await using emulated = await start({ switches: { recreateImmutable: "accept-identical" } });
    const policy = {
      name: "clear",
      properties: { noEncryption: { enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false } } },
    };
    await emulated.account.createStreamingPolicy(policy);
    await expect(emulated.account.createStreamingPolicy(policy)).rejects.toMatchObject({ code: "media_exists" });
  });

  it("takes an account that is not there for a mistake, not for an empty one", async () => {
    await using emulated = await start();
    const other = openAccount({ endpoint: emulated.endpoint, accountName: "misspelt" });
    await expect(Array.fromAsync(other.assets())).rejects.toMatchObject({ code: "account_rejected" });
    await expect(other.asset("a")).rejects.toMatchObject({ code: "account_rejected" });
  });

  it("stops when it is told to", async () => {
    await using emulated = await start();
    await expect(emulated.account.asset("a", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    await expect(Array.fromAsync(emulated.account.assets(AbortSignal.abort(new Error("enough"))))).rejects.toThrow("enough");
  });
});
