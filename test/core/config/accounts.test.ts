import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../../../src/core/config/load.ts";
import type { Config } from "../../../src/core/config/schema.ts";

const S3 = { kind: "s3", endpoint: "https://s3.example.net/", bucket: "videos" };
const MKIO = { driver: "mkio", project: "p", token: "t", storage: { accountName: "a", url: "https://a.blob.core.windows.net" } };
const AMS = { driver: "ams", subscriptionId: "s", resourceGroup: "r", accountName: "a" };

function config(...accounts: readonly object[]): Config {
  const regions = accounts.map((account, at) => ({ name: `r${at}`, streaming: `https://r${at}.example.net`, account }));
  return parseConfig("paircast.yaml", stringify({ regions, gateway: { prefixes: ["/"] } }), { env: {}, readFile: () => "" });
}

const stored = (storage: object): object => ({ driver: "static", storage });

describe("storage of a static region", () => {
  it("is Azure's where no kind is named, as in files of earlier versions", () => {
    const { account } = config(stored({ url: "https://a.blob.core.windows.net" })).regions[0] ?? {};
    expect(account).toMatchObject({ storage: { kind: "azure", credential: { kind: "default" } } });
  });

  it("is S3 with everything that is usual, and Amazon's without an endpoint", () => {
    const { account } = config(stored(S3)).regions[0] ?? {};
    const usual = { credential: { kind: "default" }, region: "us-east-1", publicAccess: "blob", conditionalWrites: true, trustEtags: true };
    expect(account).toMatchObject({ storage: { ...usual, endpoint: "https://s3.example.net", bucket: "videos" } });
    expect(config(stored({ kind: "s3" })).regions[0]?.account).toMatchObject({ storage: usual });
  });

  it.each([
    [{ ...S3, prefix: "/vod" }, "storage.prefix", "ends with /"],
    [{ kind: "s3", prefix: "vod/" }, "storage.prefix", "storage.bucket"],
    [{ ...S3, endpoint: "http://s3.example.net" }, "storage.endpoint", "https"],
    [{ ...S3, credential: { kind: "access-key", accessKeyId: "id" } }, "storage.credential.secretAccessKey", ""],
    [{ kind: "ftp" }, "storage", ""],
    [{ ...S3, url: "https://a.example" }, "storage.url", "not a known setting"],
  ])("%o is refused", (storage, path, words) => {
    expect(() => config(stored(storage))).toThrow(new RegExp(`account\\.${path.replaceAll(".", "\\.")}[^\\n]*${words}`));
  });

  it("of both kinds is replicated from one to the other", () => {
    expect(() => config(stored({ url: "https://a.blob.core.windows.net" }), stored(S3))).not.toThrow();
  });
});

describe("a media account", () => {
  it("of MK.IO is one: replicated with others, not with storage", () => {
    expect(config(MKIO, AMS).regions[0]?.account).toMatchObject({ endpoint: "https://api.mk.io", tokenHeader: "authorization" });
    expect(() => config(MKIO, stored(S3))).toThrow(/media accounts and `static` storage/);
    expect(() => config({ ...MKIO, endpoint: "http://api.mk.io" })).toThrow(/account\.endpoint[^\n]*https/);
    const { storage: _storage, ...bare } = MKIO;
    expect(() => config(bare)).toThrow(/account\.storage/);
  });

  it.each([
    { kind: "managed-identity" },
    { kind: "managed-identity", clientId: "c" },
    { kind: "client-secret", tenantId: "t", clientId: "c", clientSecret: "s" },
    { kind: "api-key", apiKey: "k", tokenUrl: "https://tokens.example.net/token" },
    { kind: "bearer", token: "t" },
    { kind: "header", header: "x-api-key", secret: "s" },
  ])("is entered with %o", (credential) => {
    expect(config({ ...AMS, credential }).regions[0]?.account).toMatchObject({ credential });
  });

  it("is not entered with half a credential, or in the clear", () => {
    expect(() => config({ ...AMS, credential: { kind: "client-secret", tenantId: "t" } })).toThrow(/credential\.clientId/);
    expect(() => config({ ...AMS, credential: { kind: "header", header: "x api", secret: "s" } })).toThrow(/name of a header field/);
    const credential = { kind: "api-key", apiKey: "k", tokenUrl: "http://tokens.example.net" };
    expect(() => config({ ...AMS, credential })).toThrow(/credential\.tokenUrl[^\n]*https/);
    expect(() => config({ ...AMS, endpoint: "http://media.example.net" })).toThrow(/account\.endpoint[^\n]*https/);
  });
});
