/** Two regions in this process, as the sandbox has them, with every call to them through one gate. The second can be made new at any time. */
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { Hono } from "hono";
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { ArmClient } from "../../src/sandbox/arm.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { keysApp } from "../../src/sandbox/keys/app.ts";
import { createMediaAccount, type MediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { StorageFront } from "../../src/sandbox/storageFront.ts";
import { storageBlobReader } from "../../src/sandbox/streaming/blobReader.ts";
import { streamingApp } from "../../src/sandbox/streaming/app.ts";
import { Gate, type Backend } from "./gate.ts";
import type { Service } from "./operation.ts";

export const SOURCE = "west";
export const TARGET = "north";

const SUBSCRIPTION = "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10";
const RESOURCE_GROUP = "media";
const API_KEY = "the-api-key-of-the-accounts";
const NO_FAULT = { current: () => null };

export interface Region {
  readonly name: string;
  /** Origins of its doors at the gate. */
  readonly urls: Readonly<Record<Service, string>>;
  readonly account: { readonly endpoint: string; readonly accountName: string; readonly apiKey: string } & typeof WHERE;
  readonly arm: ArmClient;
  readonly blobs: BlobServiceClient;
  /** The emulator behind the doors; another one after `renew`. */
  readonly media: () => MediaAccount;
  /** Everything that it holds is gone, as in an account that was just made. */
  readonly renew: () => Promise<void>;
}

const WHERE = { subscriptionId: SUBSCRIPTION, resourceGroup: RESOURCE_GROUP };

export interface Regions extends AsyncDisposable {
  readonly gate: Gate;
  readonly source: Region;
  readonly target: Region;
}

export async function startRegions(): Promise<Regions> {
  await using stack = new AsyncDisposableStack();
  const accounts = [SOURCE, TARGET].map((name, at) => ({ name: `${name}storage`, key: Buffer.alloc(64, at + 1).toString("base64") }));
  const azurite = stack.use(await Azurite.start({ accounts, port: 0, clock, log }));
  const gate = stack.use(new Gate());
  const fronts = new StorageFronts(azurite.url);
  const doors = new Map<string, string>();
  const regions: Region[] = [];
  for (const [at, name] of [SOURCE, TARGET].entries()) {
    const account = accounts[at] ?? { name: "", key: "" };
    const front = stack.use(
      await StorageFront.start({ label: name, host: "127.0.0.1", port: 0, account, fronts, tls: null, clock, random, log }),
    );
    const storage = await gate.open("storage", name, gate.relay(front.server.origin, behindDoors(doors)));
    doors.set(storage, front.server.origin);
    regions.push(await startRegion({ name, gate, account, storage, direct: `${azurite.url}/${account.name}` }, stack));
  }
  const [source, target] = regions;
  if (source === undefined || target === undefined) throw new Error("there are two regions");
  const owned = stack.move();
  return { gate, source, target, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

/** A storage service is told of a copy source by the door; it reads it behind. */
function behindDoors(doors: ReadonlyMap<string, string>): (headers: readonly string[]) => readonly string[] {
  return (headers) =>
    headers.map((value, at) => {
      if (at % 2 === 0 || (headers[at - 1] ?? "").toLowerCase() !== "x-ms-copy-source") return value;
      const origin = new URL(value).origin;
      return value.replace(origin, doors.get(origin) ?? origin);
    });
}

interface RegionParts {
  readonly name: string;
  readonly gate: Gate;
  readonly account: { readonly name: string; readonly key: string };
  /** Its storage as clients know it, and as its own services reach it. */
  readonly storage: string;
  readonly direct: string;
}

interface Apps {
  readonly media: MediaAccount;
  readonly streaming: Hono;
  readonly keys: Hono;
}

async function startRegion(parts: RegionParts, stack: AsyncDisposableStack): Promise<Region> {
  const { name, gate, account, storage, direct } = parts;
  let current: Apps | null = null;
  const origins = { management: "", streaming: "", keys: "" };
  for (const service of ["management", "streaming", "keys"] as const)
    origins[service] = await gate.open(service, name, (call) => {
      const app = service === "management" ? current?.media.app : current?.[service];
      if (app === undefined) throw new Error(`${name} ${service} is not there yet`);
      return hosted(origins[service], app)(call);
    });
  const credential = new StorageSharedKeyCredential(account.name, account.key);
  const blobs = new BlobServiceClient(direct, credential);
  const make = (): Apps => appsOf(parts, origins, blobs);
  current = make();
  stack.defer(async () => current?.media[Symbol.asyncDispose]());
  const address = { ...WHERE, endpoint: origins.management, accountName: `${name}media`, apiKey: API_KEY };
  return {
    name,
    urls: { ...origins, storage },
    account: address,
    arm: new ArmClient(address),
    blobs,
    media: () => (current ?? make()).media,
    renew: async () => {
      for await (const { name: container } of blobs.listContainers()) await blobs.deleteContainer(container);
      await current?.media[Symbol.asyncDispose]();
      current = make();
    },
  };
}

function appsOf({ name, account, storage, direct }: RegionParts, origins: Record<string, string>, blobs: BlobServiceClient): Apps {
  const media: MediaAccount = createMediaAccount({
    account: { ...WHERE, name: `${name}media` },
    location: `${name}europe`,
    storage: { accountName: account.name, accountKey: account.key, url: `${storage}/${account.name}` },
    apiKey: API_KEY,
    clock,
    random,
    containers: {
      create: async (container) => void (await blobs.getContainerClient(container).createIfNotExists()),
      delete: async (container) => void (await blobs.getContainerClient(container).deleteIfExists()),
    },
    hosts: { streaming: new URL(origins["streaming"] ?? "").host, keys: new URL(origins["keys"] ?? "").host },
    manifestName: async (asset) => manifestIn(blobs, media.store.container(asset)),
    encode: () => Promise.resolve(),
  });
  const reader = storageBlobReader({ accountName: account.name, accountKey: account.key, url: direct });
  const { view } = media;
  return {
    media,
    streaming: streamingApp({ account: view, blobs: reader, clock, fault: NO_FAULT, keysUrl: origins["keys"] ?? "", log }),
    keys: keysApp({ account: view, clock, fault: NO_FAULT, log }),
  };
}

async function manifestIn(blobs: BlobServiceClient, container: string | null): Promise<string | null> {
  if (container === null) return null;
  for await (const { name } of blobs.getContainerClient(container).listBlobsFlat())
    if (name.endsWith(".ism")) return name.slice(0, -".ism".length);
  return null;
}

/** An application in this process as a backend. */
function hosted(origin: string, app: Hono): Backend {
  return async ({ method, target, headers, body }) => {
    const sent = new Headers();
    for (let at = 0; at + 1 < headers.length; at += 2) sent.append(headers[at] ?? "", headers[at + 1] ?? "");
    const bodyless = method === "GET" || method === "HEAD";
    const answer = await app.fetch(
      new Request(`${origin}${target}`, { method, headers: sent, ...(bodyless ? {} : { body: Uint8Array.from(body) }) }),
    );
    return { status: answer.status, headers: [...answer.headers].flat(), body: Buffer.from(await answer.arrayBuffer()) };
  };
}
