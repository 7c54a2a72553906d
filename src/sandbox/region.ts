/** One complete region: blob storage behind a front of its own, media account, streaming endpoint, key delivery, each with faults. */
import type { RequestListener } from "node:http";
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Clock, Random } from "../core/clock.ts";
import { errorChain } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { ArmClient } from "./arm.ts";
import type { CertificateAuthority, ServerCertificates } from "./certificates.ts";
import type { SandboxService, StorageAddress } from "./contracts.ts";
import { FaultServer } from "./faultServer.ts";
import { keysApp } from "./keys/app.ts";
import type { RegionLayout } from "./layout.ts";
import type { Containers, ManifestTrack } from "./management/emulator.ts";
import { createMediaAccount, type MediaAccount } from "./management/mediaAccount.ts";
import { uploadSample, type SampleFile } from "./sample.ts";
import { StorageFront } from "./storageFront.ts";
import type { StorageFronts } from "./storage/storageFronts.ts";
import { storageBlobReader } from "./streaming/blobReader.ts";
import { streamingApp } from "./streaming/app.ts";
import { OriginError } from "./streaming/originErrors.ts";
import { parseServerManifest } from "./streaming/serverManifest.ts";

export interface RegionOptions {
  readonly layout: RegionLayout;
  readonly accountKey: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly apiKey: string;
  readonly fronts: StorageFronts;
  readonly sample: readonly SampleFile[];
  /** For what players talk to, streaming and keys. Null: these speak plain HTTP, as the others always do. */
  readonly authority: CertificateAuthority | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Dispose it to close everything. */
export interface SandboxRegion extends AsyncDisposable {
  readonly name: string;
  readonly mediaAccount: string;
  /** Base URLs, without a trailing slash. */
  readonly urls: Readonly<Record<SandboxService, string>>;
  readonly servers: Readonly<Record<SandboxService, FaultServer>>;
  readonly arm: ArmClient;
}

export async function startRegion(options: RegionOptions): Promise<SandboxRegion> {
  const { layout, clock, random, log, subscriptionId, resourceGroup, apiKey } = options;
  await using stack = new AsyncDisposableStack();
  const tls = options.authority === null ? null : await options.authority.issue([layout.host]);
  const front = stack.use(await startStorage(options));
  const storage = front.address;
  const management = stack.use(await LateServer.start("management", options, null));
  const streaming = stack.use(await LateServer.start("streaming", options, tls));
  const keys = stack.use(await LateServer.start("keys", options, tls));
  const blobs = new AssetContainers(storage);
  const account: MediaAccount = stack.use(
    createMediaAccount({
      account: { subscriptionId, resourceGroup, name: layout.mediaAccount },
      location: layout.location,
      storage,
      containers: blobs,
      clock,
      random,
      hosts: { streaming: new URL(streaming.server.origin).host, keys: new URL(keys.server.origin).host },
      manifestName: async (assetName): Promise<string | null> => blobs.manifestName(account.view.container(assetName)),
      manifestTracks: async (assetName) => blobs.manifestTracks(account.view.container(assetName)),
      fileExists: async (assetName, fileName) => blobs.has(account.view.container(assetName), fileName),
      // Without an encoder a job's output is what an encoder would have made of the sample.
      encode: async (_job, output, signal) => uploadSample(blobs.client(output.container), options.sample, signal),
      apiKey,
      failed: (error) => {
        log.error("sandbox.management_failed", { region: layout.name, error: errorChain(error) });
      },
    }),
  );
  const { view } = account;
  management.app = account.app;
  const reader = storageBlobReader(storage);
  streaming.app = streamingApp({ account: view, blobs: reader, clock, fault: streaming.server, keysUrl: keys.server.origin, log });
  keys.app = keysApp({ account: view, clock, fault: keys.server, log });
  const servers = { streaming: streaming.server, keys: keys.server, management: management.server, storage: front.server };
  const urls = { streaming: streaming.server.origin, keys: keys.server.origin, management: management.server.origin, storage: storage.url };
  const arm = new ArmClient({ endpoint: urls.management, subscriptionId, resourceGroup, accountName: layout.mediaAccount, apiKey });
  const owned = stack.move();
  return {
    name: layout.name,
    mediaAccount: layout.mediaAccount,
    urls,
    servers,
    arm,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function startStorage({ layout, accountKey, fronts, clock, random, log }: RegionOptions): Promise<StorageFront> {
  const { name, host, ports, storageAccount } = layout;
  const account = { name: storageAccount, key: accountKey };
  return StorageFront.start({ label: `${name} storage`, host, port: ports.storage, account, fronts, tls: null, clock, random, log });
}

/** A server whose application comes after it: the applications of a region need to know one another's ports. */
class LateServer implements AsyncDisposable {
  readonly server: FaultServer;
  readonly #listener: { listen: RequestListener };

  private constructor(server: FaultServer, listener: { listen: RequestListener }) {
    this.server = server;
    this.#listener = listener;
  }

  static async start(service: SandboxService, { layout, clock }: RegionOptions, tls: ServerCertificates | null): Promise<LateServer> {
    const late: { listen: RequestListener } = { listen: (_req, res) => res.writeHead(503).end() };
    const listener: RequestListener = (req, res) => {
      late.listen(req, res);
    };
    const label = `${layout.name} ${service}`;
    return new LateServer(await FaultServer.start({ label, host: layout.host, port: layout.ports[service], listener, tls, clock }), late);
  }

  set app(app: Hono) {
    const listener = getRequestListener(app.fetch);
    this.#listener.listen = (req, res) => {
      void listener(req, res);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

/** The account's containers, reached with its key: what the media account does in storage on its own behalf. */
class AssetContainers implements Containers {
  readonly #storage: StorageAddress;
  readonly #credential: StorageSharedKeyCredential;

  constructor(storage: StorageAddress) {
    this.#storage = storage;
    this.#credential = new StorageSharedKeyCredential(storage.accountName, storage.accountKey);
  }

  client(container: string): ContainerClient {
    return new ContainerClient(`${this.#storage.url}/${container}`, this.#credential, { retryOptions: { maxTries: 1 } });
  }

  async create(name: string): Promise<void> {
    await this.client(name).createIfNotExists();
  }

  async delete(name: string): Promise<void> {
    await this.client(name).deleteIfExists();
  }

  /** Name of the server manifest without `.ism`; null while there is none. */
  async manifestName(container: string | null): Promise<string | null> {
    if (container === null) return null;
    for await (const { name } of this.client(container).listBlobsFlat()) if (name.endsWith(".ism")) return name.slice(0, -".ism".length);
    return null;
  }

  /** The tracks that the server manifest names; none for one that cannot be read. */
  async manifestTracks(container: string | null): Promise<readonly ManifestTrack[]> {
    const name = await this.manifestName(container);
    if (container === null || name === null) return [];
    const content = await this.client(container).getBlobClient(`${name}.ism`).downloadToBuffer();
    try {
      const { renditions } = parseServerManifest(content.toString("utf8"), name);
      return [...new Map(renditions.map(({ track, kind }) => [track, { name: track, kind }])).values()];
    } catch (error) {
      if (error instanceof OriginError) return [];
      throw error;
    }
  }

  async has(container: string | null, file: string): Promise<boolean> {
    return container !== null && (await this.client(container).getBlobClient(file).exists());
  }
}
