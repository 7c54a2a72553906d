/** An emulated media account on a clock that tests move by hand, with containers that are only a set of names. */
import type { JsonObject } from "../../../src/sandbox/contracts.ts";
import { createMediaAccount, type MediaAccount, type MediaAccountOptions } from "../../../src/sandbox/management/mediaAccount.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";

export const START = Date.parse("2026-03-01T12:00:00Z");
export const ACCOUNT = { subscriptionId: "11111111-2222-3333-4444-555555555555", resourceGroup: "rg", name: "media1" } as const;
export const API_KEY = "test-api-key";
export const STORAGE_KEY = Buffer.from("storage account key of the tests").toString("base64");
const API_VERSION = "2022-08-01";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Null where there is no body. */
  readonly body: JsonObject | null;
}

export interface Fixture extends AsyncDisposable {
  readonly account: MediaAccount;
  readonly clock: ManualClock;
  readonly containers: Set<string>;
  /** Assets whose container holds a server manifest, with its name. */
  readonly manifests: Map<string, string>;
  /** Failures that the emulator reports as its own. */
  readonly failures: unknown[];
  /** A call with a valid token. `path` below the account unless it begins with `/`. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<Answer>;
}

export async function fixture(options: Partial<MediaAccountOptions> = {}, clock = new ManualClock(START)): Promise<Fixture> {
  const containers = new Set<string>();
  const manifests = new Map<string, string>();
  const failures: unknown[] = [];
  const account = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "storage1", accountKey: STORAGE_KEY, url: "http://127.0.0.1:10000/storage1" },
    containers: {
      create: async (name) => {
        containers.add(name);
      },
      delete: async (name) => {
        containers.delete(name);
      },
    },
    clock,
    random: seededRandom(42),
    apiKey: API_KEY,
    hosts: { streaming: "127.0.0.1:8081", keys: "127.0.0.1:8082" },
    manifestName: async (asset) => manifests.get(asset) ?? null,
    encode: async () => undefined,
    failed: (error) => {
      failures.push(error);
    },
    ...options,
  });
  const identity = options.account ?? ACCOUNT;
  const { subscriptionId, resourceGroup, name } = identity;
  const prefix = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${name}`;
  let token = "";
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const full = path.startsWith("/") ? path : `${prefix}/${path}`;
    const url = full.includes("api-version=") ? full : `${full}${full.includes("?") ? "&" : "?"}api-version=${API_VERSION}`;
    const headers = { authorization: `Bearer ${token}` };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const answer = await account.app.request(`http://management.test${url}`, init);
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: text === "" ? null : (JSON.parse(text) as JsonObject) };
  };
  const request = { method: "POST", body: JSON.stringify({ subscriptionId, apiKey: API_KEY }) };
  const issued = await account.app.request("http://management.test/auth/token", request);
  token = await issued.text();
  return {
    account,
    clock,
    containers,
    manifests,
    failures,
    call,
    [Symbol.asyncDispose]: async () => account[Symbol.asyncDispose](),
  };
}
