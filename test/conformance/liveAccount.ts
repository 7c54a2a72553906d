/** What every `LiveAccount` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { LiveAccount, LiveEventSpec } from "../../src/core/ports/liveAccount.ts";
import { expectCode } from "./expectations.ts";

export interface LiveAccountHarness extends AsyncDisposable {
  /** An account without live events. */
  readonly account: LiveAccount;
  /** The same account behind an address at which nobody answers. */
  readonly unreachable: LiveAccount;
  /** The same account, asked with a credential that it refuses. */
  readonly denied: LiveAccount;
  /** Puts an asset there. */
  readonly asset: (name: string) => Promise<void>;
}

const TOKEN = "0f3c1b52-6f0e-4d3c-9d57-0d8f6a1f2b3c";
const SPEC: LiveEventSpec = { name: "Show-1", protocol: "rtmp", encoding: "passthrough", keyFrameMs: 2_000, accessToken: TOKEN };
const OUTPUT = { name: "out-1", assetName: "recording-1", manifestName: "Show-1", archiveMs: 5_400_000 };

export function describeLiveAccount(what: string, start: () => Promise<LiveAccountHarness>): void {
  const signal = new AbortController().signal;

  describe(`live events of ${what}`, () => {
    it("are not there before they are made, and are made stopped as they were asked for", async () => {
      await using it = await start();
      const { account } = it;
      expect(await account.event("Show-1", signal)).toBeNull();
      expect(await account.outputs("Show-1", signal)).toEqual([]);
      expect(await Array.fromAsync(account.events(signal))).toEqual([]);
      await account.createEvent(SPEC, signal);
      const event = await account.event("Show-1", signal);
      const { accessToken, ...settings } = SPEC;
      expect(event).toMatchObject({ ...settings, state: "stopped", isOurs: true });
      expect(event?.accessToken?.replaceAll("-", "")).toBe(accessToken.replaceAll("-", ""));
      expect(event?.ingest.length).toBeGreaterThan(0);
      expect(event?.preview.length).toBeGreaterThan(0);
      // ARM names are compared without regard to case.
      expect(await account.event("show-1", signal)).not.toBeNull();
    });

    it.each(["passthrough", "passthrough-basic", "standard", "premium1080p"] as const)("keep their settings: %s", async (encoding) => {
      await using it = await start();
      const spec = { ...SPEC, encoding, protocol: "fmp4", keyFrameMs: encoding === "standard" ? null : 1_500 } as const;
      await it.account.createEvent(spec, signal);
      const { accessToken: _, ...settings } = spec;
      expect(await it.account.event("Show-1", signal)).toMatchObject(settings);
    });

    it("are all listed, over pages", async () => {
      await using it = await start();
      const names = ["a", "b", "c", "d", "e"];
      for (const name of names) await it.account.createEvent({ ...SPEC, name }, signal);
      const listed = await Array.fromAsync(it.account.events(signal));
      expect(listed.map(({ name }) => name).sort()).toEqual(names);
    });

    it("are never replaced", async () => {
      await using it = await start();
      const { account } = it;
      await account.createEvent(SPEC, signal);
      expect((await expectCode(account.createEvent({ ...SPEC, protocol: "fmp4" }, signal), "live_exists")).retry).toBe("conflict");
      expect((await account.event("Show-1", signal))?.protocol).toBe("rtmp");
      await it.asset("recording-1");
      await account.createOutput("Show-1", OUTPUT, signal);
      expect((await expectCode(account.createOutput("Show-1", { ...OUTPUT, archiveMs: 60_000 }, signal), "live_exists")).retry).toBe(
        "conflict",
      );
      expect(await account.outputs("Show-1", signal)).toEqual([OUTPUT]);
    });

    it("start and stop, once, and keep their outputs", async () => {
      await using it = await start();
      const { account } = it;
      await it.asset("recording-1");
      await account.createEvent(SPEC, signal);
      await account.createOutput("Show-1", OUTPUT, signal);
      for (const _ of [1, 2]) {
        await account.start("Show-1", signal);
        expect((await account.event("Show-1", signal))?.state).toBe("running");
      }
      for (const _ of [1, 2]) {
        await account.stop("Show-1", signal);
        expect((await account.event("Show-1", signal))?.state).toBe("stopped");
      }
      expect(await account.outputs("Show-1", signal)).toEqual([OUTPUT]);
      expect((await expectCode(account.start("none", signal), "live_missing")).retry).toBe("never");
      expect((await expectCode(account.stop("none", signal), "live_missing")).retry).toBe("never");
    });

    it("wait for what is under way before they change again", async () => {
      await using it = await start();
      const { account } = it;
      await account.createEvent(SPEC, signal);
      const starting = account.start("Show-1", signal);
      while ((await account.event("Show-1", signal))?.state === "stopped") await account.outputs("Show-1", signal);
      await account.stop("Show-1", signal);
      await starting;
      expect((await account.event("Show-1", signal))?.state).toBe("stopped");
    });

    it("go when they are stopped and have no outputs, and what is not there need not go", async () => {
      await using it = await start();
      const { account } = it;
      await account.deleteEvent("Show-1", signal);
      await account.deleteOutput("Show-1", "out-1", signal);
      await it.asset("recording-1");
      await account.createEvent(SPEC, signal);
      await account.createOutput("Show-1", OUTPUT, signal);
      expect((await expectCode(account.deleteEvent("Show-1", signal), "account_rejected")).retry).toBe("never");
      await account.deleteOutput("Show-1", "out-1", signal);
      await account.deleteOutput("Show-1", "out-1", signal);
      await account.start("Show-1", signal);
      expect((await expectCode(account.deleteEvent("Show-1", signal), "account_rejected")).retry).toBe("never");
      await account.stop("Show-1", signal);
      await account.deleteEvent("Show-1", signal);
      expect(await account.event("Show-1", signal)).toBeNull();
    });

    it("tell by their errors who is to blame, and never the access token", async () => {
      await using it = await start();
      for (const ask of [
        async (account: LiveAccount) => account.event("Show-1", signal),
        async (account: LiveAccount) => account.createEvent(SPEC, signal),
        async (account: LiveAccount) => Array.fromAsync(account.events(signal)),
        async (account: LiveAccount) => account.start("Show-1", signal),
        async (account: LiveAccount) => account.deleteOutput("Show-1", "out-1", signal),
      ]) {
        expect((await expectCode(ask(it.unreachable), "account_unreachable")).retry).toBe("retry");
        expect((await expectCode(ask(it.denied), "account_denied")).retry).toBe("never");
        await expect(ask(it.denied)).rejects.toMatchObject({ message: expect.not.stringContaining(TOKEN.slice(0, 8)) });
      }
    });

    it("end with the reason of the signal", async () => {
      await using it = await start();
      await expect(it.account.event("Show-1", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
      await expect(it.account.createEvent(SPEC, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    });
  });
}
