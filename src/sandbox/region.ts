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
import type { EncodingDesk } from "./encoding/control.ts";
import { encoder } from "./encoding/encoder.ts";
import type { Programs } from "./encoding/programs.ts";
import { EventGrid } from "./events/eventGrid.ts";
import { JobEvents } from "./events/jobEvents.ts";
import { FaultServer } from "./faultServer.ts";
import { keysApp } from "./keys/app.ts";
import type { RegionLayout } from "./layout.ts";
import type { Containers, LiveSignal, ManifestTrack } from "./management/emulator.ts";
import type { Places } from "./management/jobPlaces.ts";
import type { Encode } from "./management/jobRunner.ts";
import { createMediaAccount, type MediaAccount, type MediaAccountOptions } from "./management/mediaAccount.ts";
import { resourceId } from "./management/resources.ts";
import type { EmulatorSwitches } from "./management/switches.ts";
import { instantNow } from "./management/times.ts";
import { liveSample, namedSample, uploadSample, type SampleFile } from "./sample.ts";
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
  /** What encodes jobs; null: outputs are copies of the sample. */
  readonly programs: Programs | null;
  /** How many encoders there may be at a time, of all regions. */
  readonly encoders: Places;
  /** How the media account differs from the service. */
  readonly switches?: Partial<EmulatorSwitches>;
  /** For temporary files. */
  readonly folder: string;
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
  readonly encoding: EncodingDesk;
}

const MAX_INPUT_BYTES = 2 * 1024 ** 3;

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
  const identity = { subscriptionId, resourceGroup, name: layout.mediaAccount };
  const events = stack.use(new EventGrid({ topic: resourceId(identity), clock, random, log }));
  const { jobChanged, jobProgressed } = published(events, new JobEvents(identity, random), options);
  const account: MediaAccount = stack.use(
    createMediaAccount({
      account: identity,
      location: layout.location,
      storage,
      containers: blobs,
      clock,
      random,
      hosts: { streaming: new URL(streaming.server.origin).host, keys: new URL(keys.server.origin).host },
      manifestName: async (assetName): Promise<string | null> => blobs.manifestName(account.view.container(assetName)),
      manifestTracks: async (assetName) => blobs.manifestTracks(account.view.container(assetName)),
      fileExists: async (assetName, fileName) => blobs.has(account.view.container(assetName), fileName),
      liveSignal: testSignal(blobs, options.sample),
      encode: regionEncoder(options, blobs, (assetName) => account.view.container(assetName)),
      jobChanged,
      jobProgressed,
      apiKey,
      ...(options.switches === undefined ? {} : { switches: options.switches }),
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
    encoding: { behaviour: account.behaviour, events },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

function regionEncoder(
  { programs, sample, folder, encoders, clock }: RegionOptions,
  blobs: AssetContainers,
  containerOf: (assetName: string) => string | null,
): Encode {
  return encoder({
    container: (assetName) => blobs.of(containerOf(assetName)),
    output: (container) => blobs.client(container),
    maxBytes: MAX_INPUT_BYTES,
    places: encoders,
    programs,
    sample,
    folder,
    clock,
  });
}

/** The sample, broadcast over and over; all regions are aligned by the clock. */
function testSignal(blobs: AssetContainers, sample: readonly SampleFile[]): LiveSignal {
  const put = async (container: string | null, files: readonly SampleFile[], manifestName: string): Promise<void> => {
    const client = blobs.of(container);
    if (client !== null) await uploadSample(client, namedSample(files, manifestName));
  };
  return {
    begin: async (container, manifestName) => put(container, liveSample(sample), manifestName),
    end: async (container, manifestName) =>
      put(
        container,
        sample.filter(({ name }) => name.endsWith(".ism")),
        manifestName,
      ),
  };
}

/** Every change of a job goes to those who have subscribed. */
function published(
  grid: EventGrid,
  events: JobEvents,
  { clock, random }: RegionOptions,
): Required<Pick<MediaAccountOptions, "jobChanged" | "jobProgressed">> {
  return {
    jobChanged: (change) => {
      for (const event of events.changed(change, instantNow(clock, random))) grid.publish(event);
    },
    jobProgressed: (job, output) => {
      grid.publish(events.progressed(job, output, instantNow(clock, random)));
    },
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

  of(container: string | null): ContainerClient | null {
    return container === null ? null : this.client(container);
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
