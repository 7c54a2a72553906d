/** A media account over `@azure/arm-mediaservices`: Azure's own API, or a compatible one at another endpoint. */
import type {
  AccountFilter,
  AzureMediaServices,
  ContentKeyPolicy as SdkKeyPolicy,
  StreamingPolicy as SdkStreamingPolicy,
} from "@azure/arm-mediaservices";
import type { StoragePipelineOptions } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type {
  AssetSpec,
  ContentKeyPolicy,
  LocatorSummary,
  MediaAsset,
  MediaFilter,
  StreamingLocator,
  StreamingPath,
  StreamingPolicy,
  TreeObject,
} from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { BlobContainer } from "../../core/ports/storage.ts";
import { AzureBlobContainer, type AzureBlobContainerOptions } from "./azureBlobs.ts";
import { createMediaClient, type MediaClientOptions } from "./azureMediaClient.ts";
import { isAbsent, mediaError, mediaExists, noAnswer, statusOf } from "./azureMediaErrors.ts";
import { fromAsset, fromLocator, toAsset, toLocator, toPath, toSummary, toTree } from "./azureMediaMapping.ts";
import { renewedSas } from "./storageClients.ts";

export interface AzureMediaAccountOptions extends MediaClientOptions {
  /** The region's name in the configuration. */
  readonly region: string;
  readonly resourceGroup: string;
  readonly accountName: string;
  readonly clock: Clock;
  /** Time for one call including the SDK's retries. Default 90 s. */
  readonly timeoutMs?: number;
  /** How the account's blob containers copy and report; see `AzureBlobContainerOptions`. */
  readonly blobs?: Partial<Omit<AzureBlobContainerOptions, "label" | "clock" | "open" | "signRead">>;
  readonly storagePipeline?: StoragePipelineOptions;
}

const FILTER_FIELDS = ["presentationTimeRange", "firstQuality", "tracks"];
const KEY_POLICY_FIELDS = ["description", "options"];
const STREAMING_POLICY_FIELDS = [
  "defaultContentKeyPolicyName",
  "envelopeEncryption",
  "commonEncryptionCenc",
  "commonEncryptionCbcs",
  "noEncryption",
];

interface Abortable {
  readonly abortSignal: AbortSignal;
}

/** The part of the SDK's pagers that is used. */
interface Pager<T> {
  byPage(): AsyncIterator<readonly T[]>;
}

export class AzureMediaAccount implements MediaAccount {
  readonly region: string;
  readonly #options: AzureMediaAccountOptions;
  readonly #client: AzureMediaServices;
  readonly #account: readonly [resourceGroup: string, accountName: string];

  constructor(options: AzureMediaAccountOptions) {
    this.region = options.region;
    this.#options = options;
    this.#client = createMediaClient(options);
    this.#account = [options.resourceGroup, options.accountName];
  }

  async *assets(signal?: AbortSignal): AsyncGenerator<MediaAsset> {
    for await (const asset of this.#list("list assets", signal, (call) => this.#client.assets.list(...this.#account, call)))
      yield toAsset(asset);
  }

  async asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null> {
    const asset = await this.#find(`get asset ${name}`, signal, (call) => this.#client.assets.get(...this.#account, name, call));
    return asset === null ? null : toAsset(asset);
  }

  async createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset> {
    const what = `create asset ${spec.name}`;
    if ((await this.asset(spec.name, signal)) !== null) throw mediaExists(this.#at(what));
    await this.#create(what, signal, (call) => this.#client.assets.createOrUpdate(...this.#account, spec.name, fromAsset(spec), call));
    // The answer to the PUT has not always had all that a GET shows.
    return toAsset(await this.#call(what, signal, (call) => this.#client.assets.get(...this.#account, spec.name, call)));
  }

  container(asset: MediaAsset, access: "read" | "write"): BlobContainer {
    const permissions = access === "read" ? "Read" : "ReadWrite";
    const { clock, blobs = {}, storagePipeline = {} } = this.#options;
    const issue = async (expiresAt: number): Promise<string> => {
      const input = { permissions, expiryTime: new Date(expiresAt) };
      const what = `get access to the container of asset ${asset.name}`;
      const answer = await this.#call(what, undefined, (call) =>
        this.#client.assets.listContainerSas(...this.#account, asset.name, input, call),
      );
      const [url] = answer.assetContainerSasUrls ?? [];
      if (url === undefined) throw new PaircastError("account_rejected", `${this.#at(what)}: the answer has no URL`);
      return url;
    };
    const label = `${asset.storageAccountName ?? this.region}/${asset.container}`;
    return new AzureBlobContainer({ ...blobs, label, clock, ...renewedSas({ clock, issue, pipeline: storagePipeline }) });
  }

  async *assetFilters(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    const what = `list filters of asset ${assetName}`;
    if ((await this.asset(assetName, signal)) === null) return;
    const filters = this.#list(what, signal, (call) => this.#client.assetFilters.list(...this.#account, assetName, call));
    for await (const filter of filters) yield { name: filter.name ?? "", properties: toTree(filter, FILTER_FIELDS) };
  }

  async putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    const body = sdk<AccountFilter>(filter.properties);
    await this.#call(`put filter ${filter.name} of asset ${assetName}`, signal, (call) =>
      this.#client.assetFilters.createOrUpdate(...this.#account, assetName, filter.name, body, call),
    );
  }

  async accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null> {
    const filter = await this.#find(`get filter ${name}`, signal, (call) => this.#client.accountFilters.get(...this.#account, name, call));
    return filter === null ? null : { name, properties: toTree(filter, FILTER_FIELDS) };
  }

  async putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    const body = sdk<AccountFilter>(filter.properties);
    await this.#call(`put filter ${filter.name}`, signal, (call) =>
      this.#client.accountFilters.createOrUpdate(...this.#account, filter.name, body, call),
    );
  }

  async contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null> {
    const policy = await this.#find(`get content key policy ${name}`, signal, (call) =>
      this.#client.contentKeyPolicies.getPolicyPropertiesWithSecrets(...this.#account, name, call),
    );
    return policy === null ? null : { name, properties: toTree(policy, KEY_POLICY_FIELDS) };
  }

  async putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void> {
    const body = sdk<SdkKeyPolicy>(policy.properties);
    await this.#call(`put content key policy ${policy.name}`, signal, (call) =>
      this.#client.contentKeyPolicies.createOrUpdate(...this.#account, policy.name, body, call),
    );
  }

  async streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null> {
    const policy = await this.#find(`get streaming policy ${name}`, signal, (call) =>
      this.#client.streamingPolicies.get(...this.#account, name, call),
    );
    return policy === null ? null : { name, properties: toTree(policy, STREAMING_POLICY_FIELDS) };
  }

  async createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void> {
    const what = `create streaming policy ${policy.name}`;
    if ((await this.streamingPolicy(policy.name, signal)) !== null) throw mediaExists(this.#at(what));
    const body = sdk<SdkStreamingPolicy>(policy.properties);
    await this.#create(what, signal, (call) => this.#client.streamingPolicies.create(...this.#account, policy.name, body, call));
  }

  async *locators(signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    for await (const locator of this.#list("list locators", signal, (call) => this.#client.streamingLocators.list(...this.#account, call)))
      yield toSummary(locator);
  }

  async assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]> {
    const answer = await this.#find(`list locators of asset ${assetName}`, signal, (call) =>
      this.#client.assets.listStreamingLocators(...this.#account, assetName, call),
    );
    return (answer?.streamingLocators ?? []).map((locator) => toSummary({ assetName, ...locator }));
  }

  async locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null> {
    const what = `get locator ${name}`;
    const locator = await this.#find(what, signal, (call) => this.#client.streamingLocators.get(...this.#account, name, call));
    if (locator === null) return null;
    const keys = await this.#call(`${what} with its content keys`, signal, (call) =>
      this.#client.streamingLocators.listContentKeys(...this.#account, name, call),
    );
    return toLocator(locator, keys.contentKeys ?? []);
  }

  async createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void> {
    const what = `create locator ${locator.name}`;
    const present = await this.#find(what, signal, (call) => this.#client.streamingLocators.get(...this.#account, locator.name, call));
    if (present !== null) throw mediaExists(this.#at(what));
    await this.#create(what, signal, (call) =>
      this.#client.streamingLocators.create(...this.#account, locator.name, fromLocator(locator), call),
    );
  }

  async paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]> {
    const answer = await this.#find(`list paths of locator ${locatorName}`, signal, (call) =>
      this.#client.streamingLocators.listPaths(...this.#account, locatorName, call),
    );
    return (answer?.streamingPaths ?? []).map(toPath).filter((path) => path !== null);
  }

  #at(what: string): string {
    return `${what} in account ${this.#options.accountName} (${this.region})`;
  }

  /** What is asked for, or null where it is not there. */
  async #find<T>(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<T>): Promise<T | null> {
    return this.#call<T | null>(what, signal, async (call) => {
      try {
        return await send(call);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
  }

  /** The service has no conditional writes. The look before and the 409 after leave a gap only for what somebody creates in between. */
  async #create(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<unknown>): Promise<void> {
    await this.#call(what, signal, async (call) => {
      try {
        await send(call);
      } catch (error) {
        const status = statusOf(error);
        throw status === 409 || status === 412 ? mediaExists(this.#at(what), error) : error;
      }
    });
  }

  /** One call: bounded in time, its errors translated. */
  async #call<T>(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    using deadline = this.#options.clock.deadline(this.#options.timeoutMs ?? 90_000);
    const abortSignal = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      return await send({ abortSignal });
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) throw noAnswer(this.#at(what), deadline.signal.reason);
      throw mediaError(error, this.#at(what));
    }
  }

  /** All pages, each bounded in time. */
  async *#list<T>(what: string, signal: AbortSignal | undefined, start: (call: Abortable) => Pager<T>): AsyncGenerator<T> {
    const stop = new AbortController();
    const pages = start({ abortSignal: stop.signal }).byPage();
    for (;;) {
      const page = await this.#call(what, signal, ({ abortSignal }) => onAbort(abortSignal, stop, () => pages.next()));
      if (page.done === true) return;
      yield* page.value;
    }
  }
}

/** A pager takes one signal for all its pages: `stop` ends it when the signal of the page at hand aborts. */
async function onAbort<T>(signal: AbortSignal, stop: AbortController, run: () => Promise<T>): Promise<T> {
  const abort = (): void => {
    stop.abort(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await run();
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A tree that came from the SDK, or has the SDK's form, on its way back: its serialiser checks it field by field. */
function sdk<T>(properties: TreeObject): T {
  return { ...properties } as T;
}
