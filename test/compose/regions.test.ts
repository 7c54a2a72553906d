import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { mediaAccounts, staticLibraries } from "../../src/compose/regions.ts";
import { systemClock } from "../../src/core/clock.ts";
import { parseConfig } from "../../src/core/config/load.ts";
import type { RegionConfig } from "../../src/core/config/schema.ts";
import { silentLog, type LogFields } from "../../src/core/log.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { MkioAccount } from "../../src/replicator/adapters/mkioAccount.ts";
import { S3StaticLibrary } from "../../src/replicator/adapters/s3Library.ts";
import { AzureStaticLibrary } from "../../src/replicator/adapters/staticAccount.ts";

const KEY = { kind: "account-key", accountName: "a", accountKey: "a2V5" };
const ACCOUNTS = {
  ams: { driver: "ams", subscriptionId: "s", resourceGroup: "r", accountName: "a", credential: { kind: "bearer", token: "t" } },
  mkio: {
    driver: "mkio",
    project: "p",
    token: "t",
    storage: { accountName: "a", url: "https://a.blob.core.windows.net", credential: KEY },
  },
  azure: { driver: "static", storage: { url: "https://a.blob.core.windows.net", credential: KEY } },
  s3: { driver: "static", storage: { kind: "s3", bucket: "videos", region: "eu-west-1" } },
  plain: { driver: "static" },
};

function regions(): readonly RegionConfig[] {
  const all = Object.entries(ACCOUNTS).map(([name, account]) => ({ name, streaming: `https://${name}.example.net`, account }));
  const rest = { gateway: { prefixes: ["/"] }, replication: { enabled: false } };
  return parseConfig("paircast.yaml", stringify({ regions: all, ...rest }), { env: {}, readFile: () => "" }).regions;
}

describe("the adapters of regions", () => {
  it("are those of their drivers, and that one of them is untested is said at the start", async () => {
    const said: { event: string; fields: LogFields | undefined }[] = [];
    const log = { ...silentLog, warn: (event: string, fields?: LogFields) => void said.push({ event, fields }) };
    const accounts = await mediaAccounts(regions(), systemClock, log);
    expect([...accounts.keys()]).toEqual(["ams", "mkio"]);
    expect(accounts.get("ams")).toBeInstanceOf(AzureMediaAccount);
    expect(accounts.get("mkio")).toBeInstanceOf(MkioAccount);
    expect(said).toMatchObject([{ event: "driver.untested", fields: { region: "mkio", driver: "mkio" } }]);
    expect(JSON.stringify(said)).not.toContain("a2V5");
  });

  it("are storage of either kind for static regions that have it", async () => {
    const libraries = await staticLibraries(regions(), systemClock);
    expect([...libraries.keys()]).toEqual(["azure", "s3"]);
    expect(libraries.get("azure")).toBeInstanceOf(AzureStaticLibrary);
    expect(libraries.get("s3")).toBeInstanceOf(S3StaticLibrary);
  });
});
