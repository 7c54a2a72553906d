/** A media account over `@azure/arm-mediaservices`: Azure's own API, or a compatible one at another endpoint. */
import {
  getContinuationToken,
  type AccountFilter,
  type AssetTrack,
  type AzureMediaServices,
  type ContentKeyPolicy as SdkKeyPolicy,
  type StreamingLocator as SdkLocator,
  type StreamingPolicy as SdkStreamingPolicy,
} from "@azure/arm-mediaservices";
import type { StoragePipelineOptions } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import type {
  AssetSpec,
  ContentKeyPolicy,
  ListPage,
  LocatorSummary,
  MediaAsset,
  MediaFilter,
  MediaTrack,
  StreamingLocator,
  StreamingPath,
  StreamingPolicy,
  TreeObject,
} from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { BlobContainer } from "../../core/ports/storage.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { AzureBlobContainer } from "./azureBlobs.ts";
import { createMediaClient, type MediaClientOptions } from "./azureMediaClient.ts";
import { MediaCalls, type Abortable, type Pager } from "./azureMediaCalls.ts";
import { mediaExists, mediaInUse, noAnswer } from "./azureMediaErrors.ts";
import { fromAsset, fromLocator, toAsset, toLocator, toPath, toSummary, toTrack, toTree } from "./azureMediaMapping.ts";
import { FILTER_FIELDS, KEY_POLICY_FIELDS, STREAMING_POLICY_FIELDS } from "./mediaFields.ts";
import { StorageCalls } from "./storageAnswers.ts";
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

/** How often an operation that runs on in the service is asked for, where the service does not say. */
const POLL_MS = 500;

export class AzureMediaAccount implements MediaAccount {
  readonly region: string;
  readonly #options: AzureMediaAccountOptions;
  readonly #client: AzureMediaServices;
  /** Of all its containers: a busy storage account is busy for all of them. */
  readonly #storage: StorageCalls;
  readonly #account: readonly [resourceGroup: string, accountName: string];
  readonly #calls: MediaCalls;

  constructor(options: AzureMediaAccountOptions) {
    this.region = options.region;
    this.#options = options;
    this.#storage = new StorageCalls(options.clock);
    this.#client = createMediaClient(options);
    this.#account = [options.resourceGroup, options.accountName];
    const { clock, timeoutMs = 90_000 } = options;
    this.#calls = new MediaCalls({ place: `account ${options.accountName} (${options.region})`, clock, timeoutMs });
  }

  async *assets(signal?: AbortSignal): AsyncGenerator<MediaAsset> {
    for await (const asset of this.#calls.list("list assets", signal, (call) => this.#client.assets.list(...this.#account, call)))
      yield toAsset(asset);
  }

  async asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null> {
    const asset = await this.#calls.find(`get asset ${name}`, signal, (call) => this.#client.assets.get(...this.#account, name, call));
    return asset === null ? null : toAsset(asset);
  }

  async createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset> {
    const what = `create asset ${spec.name}`;
    if ((await this.asset(spec.name, signal)) !== null) throw mediaExists(this.#calls.at(what));
    await this.#calls.create(what, signal, (call) =>
      this.#client.assets.createOrUpdate(...this.#account, spec.name, fromAsset(spec), call),
    );
    // The answer to the PUT has not always had all that a GET shows.
    return toAsset(await this.#calls.call(what, signal, (call) => this.#client.assets.get(...this.#account, spec.name, call)));
  }

  async deleteAsset(name: string, signal?: AbortSignal): Promise<void> {
    await this.#calls.remove(`delete asset ${name}`, signal, (call) => this.#client.assets.delete(...this.#account, name, call));
  }

  container(asset: MediaAsset, access: "read" | "write"): BlobContainer {
    const permissions = access === "read" ? "Read" : "ReadWrite";
    const { clock, blobs = {}, storagePipeline = {} } = this.#options;
    const issue = async (expiresAt: number): Promise<string> => {
      const input = { permissions, expiryTime: new Date(expiresAt) };
      const what = `get access to the container of asset ${asset.name}`;
      const answer = await this.#calls.call(what, undefined, (call) =>
        this.#client.assets.listContainerSas(...this.#account, asset.name, input, call),
      );
      const [url] = answer.assetContainerSasUrls ?? [];
      if (url === undefined) throw new PaircastError("account_rejected", `${this.#calls.at(what)}: the answer has no URL`);
      return url;
    };
    const label = `${asset.storageAccountName ?? this.region}/${asset.container}`;
    return new AzureBlobContainer({
      ...blobs,
      label,
      clock,
      ...renewedSas({ clock, issue, pipeline: storagePipeline, calls: this.#storage }),
    });
  }

  async *assetFilters(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    const what = `list filters of asset ${assetName}`;
    const filters = this.#ofAsset(assetName, what, signal, (call) => this.#client.assetFilters.list(...this.#account, assetName, call));
    for await (const filter of filters) yield { name: filter.name ?? "", properties: toTree(filter, FILTER_FIELDS) };
  }

  async putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    const body = sdk<AccountFilter>(filter.properties);
    await this.#calls.call(`put filter ${filter.name} of asset ${assetName}`, signal, (call) =>
      this.#client.assetFilters.createOrUpdate(...this.#account, assetName, filter.name, body, call),
    );
  }

  async *tracks(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaTrack> {
    const what = `list tracks of asset ${assetName}`;
    const tracks = this.#ofAsset(assetName, what, signal, (call) => this.#client.tracks.list(...this.#account, assetName, call));
    for await (const track of tracks) yield toTrack(track);
  }

  async putTrack(assetName: string, { name, properties }: MediaTrack, signal?: AbortSignal): Promise<void> {
    const body = sdk<AssetTrack>({ track: properties });
    const what = `put track ${name} of asset ${assetName}`;
    await this.#calls.call(what, signal, async (call) => {
      const options = { ...call, updateIntervalInMs: POLL_MS };
      await this.#calls.finish(what, call, () => this.#client.tracks.beginCreateOrUpdate(...this.#account, assetName, name, body, options));
    });
  }

  async *accountFilters(signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    const filters = this.#calls.list("list filters", signal, (call) => this.#client.accountFilters.list(...this.#account, call));
    for await (const filter of filters) yield { name: filter.name ?? "", properties: toTree(filter, FILTER_FIELDS) };
  }

  async accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null> {
    const filter = await this.#calls.find(`get filter ${name}`, signal, (call) =>
      this.#client.accountFilters.get(...this.#account, name, call),
    );
    return filter === null ? null : { name, properties: toTree(filter, FILTER_FIELDS) };
  }

  async putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    const body = sdk<AccountFilter>(filter.properties);
    await this.#calls.call(`put filter ${filter.name}`, signal, (call) =>
      this.#client.accountFilters.createOrUpdate(...this.#account, filter.name, body, call),
    );
  }

  async contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null> {
    const policy = await this.#calls.find(`get content key policy ${name}`, signal, (call) =>
      this.#client.contentKeyPolicies.getPolicyPropertiesWithSecrets(...this.#account, name, call),
    );
    return policy === null ? null : { name, properties: toTree(policy, KEY_POLICY_FIELDS) };
  }

  async putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void> {
    const body = sdk<SdkKeyPolicy>(policy.properties);
    await this.#calls.call(`put content key policy ${policy.name}`, signal, (call) =>
      this.#client.contentKeyPolicies.createOrUpdate(...this.#account, policy.name, body, call),
    );
  }

  async streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null> {
    const policy = await this.#calls.find(`get streaming policy ${name}`, signal, (call) =>
      this.#client.streamingPolicies.get(...this.#account, name, call),
    );
    return policy === null ? null : { name, properties: toTree(policy, STREAMING_POLICY_FIELDS) };
  }

  async createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void> {
    const what = `create streaming policy ${policy.name}`;
    if ((await this.streamingPolicy(policy.name, signal)) !== null) throw mediaExists(this.#calls.at(what));
    const body = sdk<SdkStreamingPolicy>(policy.properties);
    await this.#calls.create(what, signal, (call) => this.#client.streamingPolicies.create(...this.#account, policy.name, body, call));
  }

  async deleteStreamingPolicy(name: string, signal?: AbortSignal): Promise<void> {
    const what = `delete streaming policy ${name}`;
    // Whether the service refuses to delete one that is used is not known of all services.
    for await (const locator of this.locatorsUnder(name, signal)) throw mediaInUse(this.#calls.at(what), `locator ${locator.name} uses it`);
    await this.#calls.remove(what, signal, (call) => this.#client.streamingPolicies.delete(...this.#account, name, call));
  }

  async *locators(signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    for await (const locator of this.#listLocators(signal)) yield toSummary(locator);
  }

  /** The list cannot be filtered by policy. */
  async *locatorsUnder(streamingPolicyName: string, signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    const wanted = streamingPolicyName.toLowerCase();
    for await (const locator of this.#listLocators(signal))
      if (locator.streamingPolicyName?.toLowerCase() === wanted) yield toSummary(locator);
  }

  async *locatorPages(from: string | null, signal?: AbortSignal): AsyncGenerator<ListPage<LocatorSummary>> {
    const list = (call: Abortable) => this.#client.streamingLocators.list(...this.#account, call);
    for await (const page of this.#calls.pages("list locators", signal, list, from))
      yield { items: page.map(toSummary), next: getContinuationToken(page) ?? null };
  }

  async assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]> {
    const answer = await this.#calls.find(`list locators of asset ${assetName}`, signal, (call) =>
      this.#client.assets.listStreamingLocators(...this.#account, assetName, call),
    );
    return (answer?.streamingLocators ?? []).map((locator) => toSummary({ assetName, ...locator }));
  }

  async locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null> {
    const what = `get locator ${name}`;
    const locator = await this.#calls.find(what, signal, (call) => this.#client.streamingLocators.get(...this.#account, name, call));
    if (locator === null) return null;
    const keys = await this.#calls.call(`${what} with its content keys`, signal, (call) =>
      this.#client.streamingLocators.listContentKeys(...this.#account, name, call),
    );
    return toLocator(locator, keys.contentKeys ?? []);
  }

  async createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void> {
    const what = `create locator ${locator.name}`;
    const present = await this.#calls.find(what, signal, (call) =>
      this.#client.streamingLocators.get(...this.#account, locator.name, call),
    );
    if (present !== null) throw mediaExists(this.#calls.at(what));
    await this.#calls.create(what, signal, (call) =>
      this.#client.streamingLocators.create(...this.#account, locator.name, fromLocator(locator), call),
    );
  }

  async deleteLocator(name: string, signal?: AbortSignal): Promise<void> {
    await this.#calls.remove(`delete locator ${name}`, signal, (call) =>
      this.#client.streamingLocators.delete(...this.#account, name, call),
    );
  }

  async paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]> {
    const answer = await this.#calls.find(`list paths of locator ${locatorName}`, signal, (call) =>
      this.#client.streamingLocators.listPaths(...this.#account, locatorName, call),
    );
    // A locator has paths, for whatever files: an answer with none of either kind is somebody else's.
    if (answer !== null && answer.streamingPaths === undefined && answer.downloadPaths === undefined)
      throw noAnswer(this.#calls.at(`list paths of locator ${locatorName}`), new Error("the answer has no paths"));
    return (answer?.streamingPaths ?? []).map(toPath).filter((path) => path !== null);
  }

  /** A list under an asset. Only where the service refuses it is it asked whether there is such an asset, which without one has nothing. */
  async *#ofAsset<T>(
    assetName: string,
    what: string,
    signal: AbortSignal | undefined,
    list: (call: Abortable) => Pager<T>,
  ): AsyncGenerator<T> {
    let isListed = false;
    try {
      for await (const page of this.#calls.pages(what, signal, list, null)) {
        isListed = true;
        yield* page;
      }
    } catch (error) {
      if (isListed || errorCode(error) !== "account_rejected" || (await this.asset(assetName, signal)) !== null) throw error;
    }
  }

  #listLocators(signal: AbortSignal | undefined): AsyncGenerator<SdkLocator> {
    return this.#calls.list("list locators", signal, (call) => this.#client.streamingLocators.list(...this.#account, call));
  }
}

/** A tree that came from the SDK, or has the SDK's form, on its way back: its serialiser checks it field by field. */
function sdk<T>(properties: TreeObject): T {
  return { ...properties } as T;
}
