/** The media account of MK.IO over the sandbox's emulator of its surface, with containers in Azurite. The live service is not asked by any test. */
import { serve } from "@hono/node-server";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { MkioAccount, type MkioAccountOptions } from "../../src/replicator/adapters/mkioAccount.ts";
import { openBlobService } from "../../src/replicator/adapters/storageClients.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { createMediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import type { MkioSurface } from "../../src/sandbox/management/mkio.ts";
import { describeMediaAccount, type MediaAccountHarness } from "../conformance/mediaAccount.ts";

const STORAGE = { name: "mkiostorage", key: Buffer.alloc(64, 6).toString("base64") };
const PROJECT = "my-project";
const TOKEN = "the-personal-access-token";

let azurite: Azurite;

beforeAll(async () => {
  azurite = await Azurite.start({ accounts: [STORAGE], port: 0, clock: systemClock, log: silentLog });
});

afterAll(async () => {
  await azurite[Symbol.asyncDispose]();
});

interface Emulated extends MediaAccountHarness {
  readonly account: MkioAccount;
  readonly requests: string[];
  open(options?: Partial<MkioAccountOptions>): MkioAccount;
}

async function start(surface: Partial<MkioSurface> = {}): Promise<Emulated> {
  const storage = { accountName: STORAGE.name, accountKey: STORAGE.key, url: `${azurite.url}/${STORAGE.name}` };
  const login = { kind: "account-key", accountName: STORAGE.name, accountKey: STORAGE.key } as const;
  const service = openBlobService({ url: storage.url, login, clock: systemClock });
  const emulator = createMediaAccount({
    account: { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "media" },
    location: "westeurope",
    storage,
    apiKey: "unused",
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize: 5 },
    containers: {
      create: async (name) => void (await service.client.getContainerClient(name).createIfNotExists()),
      delete: async (name) => void (await service.client.getContainerClient(name).deleteIfExists()),
    },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: () => Promise.resolve("movie"),
    encode: () => Promise.resolve(),
    mkio: { project: PROJECT, token: TOKEN, ...surface },
  });
  const requests: string[] = [];
  const server = serve({
    fetch: (request: Request) => {
      requests.push(`${request.method} ${new URL(request.url).pathname}${new URL(request.url).search}`);
      return emulator.mkio?.fetch(request) ?? new Response(null, { status: 500 });
    },
    hostname: "127.0.0.1",
    port: 0,
  });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (options: Partial<MkioAccountOptions> = {}): MkioAccount =>
    new MkioAccount({
      region: "westeurope",
      endpoint,
      project: PROJECT,
      token: TOKEN,
      tokenHeader: "authorization",
      clock: systemClock,
      maxAttempts: 1,
      storage: { accountName: STORAGE.name, service },
      ...options,
    });
  return {
    requests,
    open,
    account: open(),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open({ endpoint: "http://127.0.0.1:1" }),
    denied: open({ token: "another-token" }),
    lacks: surface.givesSecrets === true ? ["tracks"] : ["tracks", "secrets"],
    [Symbol.asyncDispose]: async () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
      await once(server, "close");
      await emulator[Symbol.asyncDispose]();
    },
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
    await using emulated = await start({ rates: { reads: 3, writes: 3 } });
    const waits: number[] = [];
    const clock = { ...systemClock, sleep: (ms: number) => Promise.resolve(void waits.push(ms)) };
    const account = emulated.open({ clock, maxAttempts: 2 });
    for (let at = 0; at < 3; at += 1) await account.accountFilter("a").catch(() => undefined);
    await expect(account.accountFilter("a")).rejects.toMatchObject({ code: "account_unavailable", retry: "retry" });
    expect(waits.at(-1)).toBeGreaterThan(50_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(60_000);
  });

  it("tells in the service's words what is beyond its limits", async () => {
    await using emulated = await start();
    const { account } = emulated;
    const open = { name: "open", configuration: {}, restriction: {} };
    const refusals = [
      account.putContentKeyPolicy({ name: "with space", properties: { options: [open] } }),
      account.putAccountFilter({ name: "n".repeat(261), properties: {} }),
      account.createAsset({ name: "a", container: "asset-a", alternateId: "i".repeat(65), description: null }),
    ];
    for (const refusal of refusals)
      await expect(refusal).rejects.toMatchObject({ code: "account_rejected", message: expect.stringMatching(/space|longer/) as string });
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
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const there = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/api/ams/x`;
    const links = [there, encodeURIComponent(there), "//127.0.0.1/api", "%", "/elsewhere"];
    const service = createServer((_request, response) => {
      response.end(JSON.stringify({ value: [], "@odata.nextLink": links[0] }));
    }).listen(0, "127.0.0.1");
    await once(service, "listening");
    try {
      await using emulated = await start();
      const account = emulated.open({ endpoint: `http://127.0.0.1:${(service.address() as AddressInfo).port}` });
      for (; links.length > 0; links.shift())
        await expect(Array.fromAsync(account.assets())).rejects.toMatchObject({ code: "account_rejected" });
      expect(seen).toEqual([]);
    } finally {
      for (const server of [elsewhere, service]) {
        server.closeAllConnections();
        server.close();
      }
    }
  });

  it("takes a login page for no answer, and plain http for a mistake", async () => {
    const login = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><form>log in</form>");
    }).listen(0, "127.0.0.1");
    await once(login, "listening");
    try {
      await using emulated = await start();
      const account = emulated.open({ endpoint: `http://127.0.0.1:${(login.address() as AddressInfo).port}` });
      for (const ask of [() => account.asset("a"), () => Array.fromAsync(account.locators()), () => account.contentKeyPolicy("a")])
        await expect(ask()).rejects.toMatchObject({ code: "account_unavailable", retry: "retry" });
      expect(() => emulated.open({ endpoint: "http://api.mk.io" })).toThrow(expect.objectContaining({ code: "insecure_endpoint" }));
    } finally {
      login.closeAllConnections();
      login.close();
    }
  });
});
