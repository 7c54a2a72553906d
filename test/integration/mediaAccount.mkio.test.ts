/** The media account of MK.IO over the sandbox's emulator of its surface, with containers in Azurite. The live service is not asked by any test. */
import { describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import { MkioAccount, type MkioAccountOptions } from "../../src/replicator/adapters/mkioAccount.ts";
import type { MkioSurface } from "../../src/sandbox/management/mkio.ts";
import { describeMediaAccount, type MediaAccountHarness } from "../conformance/mediaAccount.ts";
import { ManualClock } from "../fakes/clock.ts";
import { accountStorage, emulateAccount, NOWHERE } from "../harness/emulatedAccount.ts";
import { startHttpServer, startLoginPage } from "../harness/httpServer.ts";

const STORAGE = "mkiostorage";
const PROJECT = "my-project";
const TOKEN = "the-personal-access-token";
const storageOf = accountStorage(STORAGE);

interface Emulated extends MediaAccountHarness {
  readonly account: MkioAccount;
  readonly requests: readonly string[];
  open(options?: Partial<MkioAccountOptions>): MkioAccount;
}

async function start(surface: Partial<MkioSurface> = {}, clock: Clock = systemClock): Promise<Emulated> {
  const { storage, containers, service } = storageOf();
  const mkio = { project: PROJECT, token: TOKEN, ...surface };
  const emulated = await emulateAccount({ storage, containers, mkio, switches: { pageSize: 5 }, clock });
  const open = (options: Partial<MkioAccountOptions> = {}): MkioAccount =>
    new MkioAccount({
      region: "westeurope",
      endpoint: emulated.endpoint,
      project: PROJECT,
      token: TOKEN,
      tokenHeader: "authorization",
      clock: systemClock,
      maxAttempts: 1,
      storage: { accountName: STORAGE, service },
      ...options,
    });
  return {
    requests: emulated.requests,
    open,
    account: open(),
    unreachable: open({ endpoint: NOWHERE }),
    denied: open({ token: "another-token" }),
    lacks: surface.givesSecrets === true ? ["tracks"] : ["tracks", "secrets"],
    [Symbol.asyncDispose]: async () => emulated[Symbol.asyncDispose](),
  };
}

describeMediaAccount("the account over MK.IO's surface", () => start());
describeMediaAccount("the account over MK.IO's surface, where secrets can be read back,", () => start({ givesSecrets: true }));

describe("the account over MK.IO's surface", () => {
  it("takes the token in the field of older accounts, too", async () => {
    await using emulated = await start();
    expect(await emulated.open({ tokenHeader: "x-mkio-token" }).asset("nobody")).toBeNull();
    await expect(emulated.open({ tokenHeader: "x-mkio-token", token: "wrong" }).asset("a")).rejects.toMatchObject({
      code: "account_denied",
    });
  });

  it("takes a project that is not there for a mistake, not for an empty one", async () => {
    await using emulated = await start();
    const misspelt = emulated.open({ project: "misspelt" });
    for (const ask of [() => misspelt.asset("a"), () => misspelt.deleteLocator("a"), () => Array.fromAsync(misspelt.assets())])
      await expect(ask()).rejects.toMatchObject({ code: "account_rejected", retry: "never" });
  });

  it("follows pages by links that are relative and encoded", async () => {
    await using emulated = await start();
    for (let at = 0; at < 12; at += 1) await emulated.account.putAccountFilter({ name: `filter ${at}`, properties: { tracks: [] } });
    expect(await Array.fromAsync(emulated.account.accountFilters())).toHaveLength(12);
    expect(emulated.requests.filter((line) => line.startsWith("GET") && line.includes("accountFilters"))).toHaveLength(3);
  });

  it("honours Retry-After where it asks too often, and says so when that does not pass", async () => {
    // Its minutes stand still, however long the requests take.
    await using emulated = await start({ rates: { reads: 3, writes: 3 } }, new ManualClock(systemClock.now()));
    const waits: number[] = [];
    const clock = { ...systemClock, sleep: (ms: number) => Promise.resolve(void waits.push(ms)) };
    const account = emulated.open({ clock, maxAttempts: 2 });
    for (let at = 0; at < 3; at += 1) await account.accountFilter("a").catch(() => undefined);
    await expect(account.accountFilter("a")).rejects.toMatchObject({ code: "account_unavailable", retry: "retry" });
    expect(waits.at(-1)).toBe(60_000);
  });

  it("tells in the service's words what is beyond its limits", async () => {
    await using emulated = await start();
    const { account } = emulated;
    const open = { name: "open", configuration: {}, restriction: {} };
    const refusals = [
      async () => account.putContentKeyPolicy({ name: "with space", properties: { options: [open] } }),
      async () => account.putAccountFilter({ name: "n".repeat(261), properties: {} }),
      async () => account.createAsset({ name: "a", container: "asset-a", alternateId: "i".repeat(65), description: null }),
    ];
    for (const refused of refusals)
      await expect(refused()).rejects.toMatchObject({ code: "account_rejected", message: expect.stringMatching(/space|longer/) as string });
  });

  it("refuses tracks, and assets in a storage account that it has no credential for", async () => {
    await using emulated = await start();
    const track = { name: "t", properties: { fileName: "t.vtt" } };
    await expect(emulated.account.putTrack("a", track)).rejects.toMatchObject({ code: "account_rejected", retry: "never" });
    const asset = { name: "a", container: "c", storageAccountName: "another", alternateId: null, description: null, lastModified: 0 };
    expect(() => emulated.account.container(asset, "read")).toThrow(expect.objectContaining({ code: "account_rejected" }));
  });

  it("stops when it is told to", async () => {
    await using emulated = await start();
    await expect(emulated.account.asset("a", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    await expect(Array.fromAsync(emulated.account.assets(AbortSignal.abort(new Error("enough"))))).rejects.toThrow("enough");
  });

  it("sends its token to nobody but the service", async () => {
    const seen: (string | undefined)[] = [];
    await using elsewhere = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    const there = `${elsewhere.url}/api/ams/x`;
    const links = [there, encodeURIComponent(there), "//127.0.0.1/api", "%", "/elsewhere"];
    await using service = await startHttpServer((_request, response) => {
      response.end(JSON.stringify({ value: [], "@odata.nextLink": links[0] }));
    });
    await using emulated = await start();
    const account = emulated.open({ endpoint: service.url });
    for (; links.length > 0; links.shift())
      await expect(Array.fromAsync(account.assets())).rejects.toMatchObject({ code: "account_rejected" });
    expect(seen).toEqual([]);
  });

  it("takes a login page for no answer, and plain http for a mistake", async () => {
    await using login = await startLoginPage();
    await using emulated = await start();
    const account = emulated.open({ endpoint: login.url });
    for (const ask of [() => account.asset("a"), () => Array.fromAsync(account.locators()), () => account.contentKeyPolicy("a")])
      await expect(ask()).rejects.toMatchObject({ code: "account_unavailable", retry: "retry" });
    expect(() => emulated.open({ endpoint: "http://api.mk.io" })).toThrow(expect.objectContaining({ code: "insecure_endpoint" }));
  });
});
