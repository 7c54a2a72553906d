/** The storage of a `static` region over a real blob service: Azurite, one account per test. */
import { AccountSASPermissions, BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { AzureStaticLibrary, type StorageCredentialConfig } from "../../src/replicator/adapters/staticAccount.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { describeStaticLibrary } from "../conformance/staticLibrary.ts";
import { startLoginPage } from "../harness/httpServer.ts";

const KEY = Buffer.alloc(64, 9).toString("base64");
/** More than there are tests. */
const ACCOUNTS = Array.from({ length: 40 }, (_, index) => `static${index}`);

let azurite: Azurite;
let unused = [...ACCOUNTS];

beforeAll(async () => {
  const accounts = ACCOUNTS.map((name) => ({ name, key: KEY }));
  azurite = await Azurite.start({ accounts, port: 0, clock: systemClock, log: silentLog });
});

afterAll(async () => {
  await azurite[Symbol.asyncDispose]();
});

function nextAccount(): string {
  const [account, ...rest] = unused;
  if (account === undefined) throw new Error("more tests than accounts");
  unused = rest;
  return account;
}

function library(account: string, credential: StorageCredentialConfig, containers = "*"): AzureStaticLibrary {
  return new AzureStaticLibrary({ region: "westeurope", url: `${azurite.url}/${account}`, credential, containers, clock: systemClock });
}

const byKey = (accountName: string): StorageCredentialConfig => ({ kind: "account-key", accountName, accountKey: KEY });

function bySas(account: string): StorageCredentialConfig {
  const client = new BlobServiceClient(`${azurite.url}/${account}`, new StorageSharedKeyCredential(account, KEY));
  const permissions = AccountSASPermissions.parse("rwlac");
  const url = client.generateAccountSasUrl(new Date(systemClock.now() + 3_600_000), permissions, "sco");
  return { kind: "sas", sas: new URL(url).search };
}

for (const [name, credential] of [
  ["an account key", byKey],
  ["an account SAS", bySas],
] as const) {
  describeStaticLibrary(`Azurite, opened with ${name},`, () => {
    const account = nextAccount();
    return Promise.resolve({
      open: (containers: string) => library(account, credential(account), containers),
      unreachable: new AzureStaticLibrary({
        region: "westeurope",
        // Port 1 of loopback: reserved, and nothing listens there.
        url: `http://127.0.0.1:1/${account}`,
        credential: byKey(account),
        containers: "*",
        clock: systemClock,
        pipeline: { retryOptions: { maxTries: 1 } },
      }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  });
}

describe("packaged videos", () => {
  it("go from one account to another server-side, whatever the credentials", async () => {
    const [a, b] = [nextAccount(), nextAccount()];
    for (const [name, source, target] of [
      ["there", library(a, byKey(a)), library(b, bySas(b))],
      ["back", library(b, bySas(b)), library(a, byKey(a))],
    ] as const) {
      await source.createContainer(name, "blob");
      const options = { contentType: "application/dash+xml", condition: "absent" } as const;
      await source.container(name).write("manifest.mpd", new TextEncoder().encode("<MPD/>"), options);
      await target.createContainer(name, (await source.publicAccess(name)) ?? "none");
      for await (const blob of source.container(name).list()) await target.container(name).copyFrom(source.container(name), blob, "absent");
      expect(await target.manifests(name)).toEqual({ hls: null, dash: `/${name}/manifest.mpd` });
      expect(await target.publicAccess(name)).toBe("blob");
    }
  });

  it("is storage_denied with a wrong key, and the key is in no message", async () => {
    const account = nextAccount();
    const wrong = Buffer.alloc(64, 1).toString("base64");
    const refused = library(account, { kind: "account-key", accountName: account, accountKey: wrong });
    const error: unknown = await Array.fromAsync(refused.videos()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "storage_denied", retry: "never" });
    expect(String(error)).not.toContain(wrong);
  });
});

describe("a login page in the place of a blob service", () => {
  it.each([200, 404])("answered with %i is storage_unavailable, whatever was asked", async (status) => {
    await using login = await startLoginPage(status);
    const url = `${login.url}/account`;
    const open = (containers: string) =>
      new AzureStaticLibrary({ region: "westeurope", url, credential: byKey("account"), containers, clock: systemClock });
    const asked: (() => Promise<unknown>)[] = [
      () => Array.fromAsync(open("*").videos()),
      () => Array.fromAsync(open("film").videos()),
      () => open("*").manifests("film"),
      () => open("*").publicAccess("film"),
      () => open("*").createContainer("film", "blob"),
      () => Array.fromAsync(open("*").container("film").list()),
      () => open("*").container("film").head("a.mpd"),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: "storage_unavailable", retry: "retry" });
  });
});
