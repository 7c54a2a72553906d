/** What the real service gave back for what it was sent, through the real SDK: equal after normalisation, or each replication would write it again. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { TreeObject } from "../../src/core/media.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { canonicalText, contentKeyPolicyTree, differingFields, filterTree, streamingPolicyTree } from "../../src/replicator/normalise.ts";
import { startHttpServer } from "../harness/httpServer.ts";

const FOLDER = new URL("../../../shared/ams/recordings/", import.meta.url);

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

interface Exchange {
  readonly request: { readonly method: string; readonly uri: string; readonly body: Json };
  readonly response: { readonly status: number; readonly body: Json };
}

interface Kind {
  readonly name: string;
  readonly path: RegExp;
  /** Reads the properties that the server has. */
  readonly read: (account: AzureMediaAccount) => Promise<TreeObject | null>;
  readonly tree: (properties: TreeObject) => TreeObject;
}

const KINDS: readonly Kind[] = [
  {
    name: "content key policies",
    path: /\/contentKeyPolicies\/[^/?]+\?/i,
    read: async (account) => (await account.contentKeyPolicy("it"))?.properties ?? null,
    tree: contentKeyPolicyTree,
  },
  {
    name: "streaming policies",
    path: /\/streamingPolicies\/[^/?]+\?/i,
    read: async (account) => (await account.streamingPolicy("it"))?.properties ?? null,
    tree: streamingPolicyTree,
  },
  {
    name: "filters",
    path: /\/(?:accountFilters|assetFilters)\/[^/?]+\?/i,
    read: async (account) => (await account.accountFilter("it"))?.properties ?? null,
    tree: filterTree,
  },
];

const available = existsSync(FOLDER);
const exchanges = available ? readExchanges() : [];
const servers = new AsyncDisposableStack();

afterAll(async () => {
  await servers.disposeAsync();
});

describe.skipIf(!available)("recordings of the real service (../shared/ams/recordings)", () => {
  it.each(KINDS)("$name that were put are equal to what came back", async ({ path, read, tree }) => {
    const account = await accountThatHas();
    const writes = exchanges.filter(({ request, response }) => request.method === "PUT" && response.status < 300 && path.test(request.uri));
    expect(writes.length).toBeGreaterThan(4);
    for (const { request, response } of writes) {
      const sent = await account.reading(propertiesOf(request.body), read);
      const kept = await account.reading(propertiesOf(response.body), read);
      expect(differingFields(tree(sent), tree(kept)), request.uri).toEqual([]);
      expect(canonicalText(tree(sent))).toBe(canonicalText(tree(kept)));
    }
  });

  it("content key policies with their secrets are equal to what was put", async () => {
    const account = await accountThatHas();
    const shown = exchanges.flatMap(({ request, response }, at) => {
      if (!/getPolicyPropertiesWithSecrets/i.test(request.uri) || response.status !== 200) return [];
      const name = /contentKeyPolicies\/([^/?]+)/i.exec(request.uri)?.[1] ?? "";
      const put = exchanges
        .slice(0, at)
        .findLast((other) => /^PUT|^PATCH/.test(other.request.method) && other.request.uri.includes(`/contentKeyPolicies/${name}?`));
      return put === undefined ? [] : [{ put, shown: response.body as JsonObject }];
    });
    expect(shown.length).toBeGreaterThan(0);
    for (const { put, shown: properties } of shown) {
      const read = KINDS[0]?.read ?? (() => Promise.resolve(null));
      const sent = await account.reading(propertiesOf(put.request.body, true), read);
      const kept = await account.reading(properties, read);
      expect(differingFields(contentKeyPolicyTree(sent), contentKeyPolicyTree(kept)), put.request.uri).toEqual([]);
    }
  });
});

function readExchanges(): Exchange[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json") && !name.includes("condensed"));
  return files.toSorted().flatMap((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Exchange[]);
}

/** Secrets come back as null from all calls but one: they are taken out of both sides, unless they are wanted. */
function propertiesOf(body: Json, withSecrets = false): JsonObject {
  const parsed = typeof body === "string" ? (JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1)) as Json) : body;
  const { properties } = parsed as { readonly properties: JsonObject };
  return withSecrets ? properties : (blanked(properties) as JsonObject);
}

const SECRETS = new Set(["ask", "fairPlayPfx", "fairPlayPfxPassword", "keyValue", "rawBody", "exponent", "modulus"]);

function blanked(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(blanked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => (SECRETS.has(name) ? [] : [[name, blanked(item)]])));
}

interface Answering {
  /** What `read` makes of an entity with these properties. */
  readonly reading: (properties: JsonObject, read: Kind["read"]) => Promise<TreeObject>;
}

async function accountThatHas(): Promise<Answering> {
  let properties: JsonObject = {};
  const server = await startHttpServer((request, response) => {
    const isBare = /getPolicyPropertiesWithSecrets/i.test(request.url ?? "");
    const body = isBare ? properties : { name: "it", id: "/it", type: "it", properties };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  servers.use(server);
  const credential = { getToken: () => Promise.resolve({ token: "token", expiresOnTimestamp: systemClock.now() + 3_600_000 }) };
  const account = new AzureMediaAccount({
    region: "westeurope",
    subscriptionId: "s",
    resourceGroup: "g",
    accountName: "acc",
    endpoint: server.url,
    credential,
    clock: systemClock,
    maxRetries: 0,
  });
  return {
    reading: async (now, read) => {
      properties = now;
      const found = await read(account);
      if (found === null) throw new Error("the account has nothing");
      return found;
    },
  };
}
