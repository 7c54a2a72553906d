/**
 * A media account of MK.IO: the resources of AMS under other paths. Written from its SDK and its documentation, and tested against the
 * sandbox's emulator of its surface only: UNTESTED against the live service.
 */
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type {
  AssetSpec,
  ContentKeyPolicy,
  LocatorSummary,
  MediaAsset,
  MediaFilter,
  MediaTrack,
  StreamingLocator,
  StreamingPath,
  StreamingPolicy,
} from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { BlobContainer, BlobUpload } from "../../core/ports/storage.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { AzureBlobRequests } from "./azureBlobRequests.ts";
import { AzureBlobContainer } from "./azureBlobs.ts";
import { mediaExists, mediaInUse } from "./azureMediaErrors.ts";
import { storageError } from "./azureBlobErrors.ts";
import { FILTER_FIELDS, KEY_POLICY_FIELDS, STREAMING_POLICY_FIELDS } from "./mediaFields.ts";
import { isObject, isStatus, MkioClient, type MkioClientOptions, type MkioObject } from "./mkioClient.ts";
import {
  fromAsset,
  fromLocator,
  fromTree,
  hidesSecrets,
  listOf,
  propertiesOf,
  textOf,
  toAsset,
  toLocator,
  toPath,
  toSummary,
  toTree,
} from "./mkioMapping.ts";
import type { BlobService } from "./storageClients.ts";

export interface MkioAccountOptions extends MkioClientOptions {
  /** The storage account of the assets, by the name under which it is registered in the project. */
  readonly storage: { readonly accountName: string; readonly service: BlobService };
  readonly clock: Clock;
}

export class MkioAccount implements MediaAccount {
  readonly region: string;
  readonly #options: MkioAccountOptions;
  readonly #client: MkioClient;

  constructor(options: MkioAccountOptions) {
    this.region = options.region;
    this.#options = options;
    this.#client = new MkioClient(options);
  }

  async *assets(signal?: AbortSignal): AsyncGenerator<MediaAsset> {
    for await (const asset of this.#client.list("list assets", "assets", signal)) yield toAsset(asset);
  }

  async asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null> {
    const asset = await this.#client.find(`get asset ${name}`, `assets/${part(name)}`, signal);
    return asset === null ? null : toAsset(asset);
  }

  /** The container is created here: whether the service would do so is not known. */
  async createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset> {
    const what = `create asset ${spec.name}`;
    if ((await this.asset(spec.name, signal)) !== null) throw mediaExists(this.#client.at(what));
    const { accountName } = this.#options.storage;
    const container = new AzureBlobRequests(this.#blobs(spec.container));
    await container.request(`create container ${spec.container}`, signal, async (client, abortSignal) => {
      await client.createIfNotExists({ abortSignal });
    });
    await this.#create(what, `assets/${part(spec.name)}`, fromAsset(spec, accountName), signal);
    const created = await this.asset(spec.name, signal);
    if (created === null) throw new PaircastError("account_unavailable", `${this.#client.at(what)}: it is not there`, { retry: "retry" });
    return created;
  }

  container(asset: MediaAsset, access: "read" | "write"): BlobContainer {
    const { accountName } = this.#options.storage;
    if (asset.storageAccountName !== null && asset.storageAccountName !== accountName) {
      const advice = `account.storage is of ${accountName}, and a region has one`;
      throw new PaircastError(
        "account_rejected",
        `open asset ${asset.name}: it is in the storage account ${asset.storageAccountName}: ${advice}`,
      );
    }
    const options = this.#blobs(asset.container);
    return access === "read" ? new ReadOnlyContainer(options) : new AzureBlobContainer(options);
  }

  async *assetFilters(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    if ((await this.asset(assetName, signal)) === null) return;
    yield* this.#filters(`list filters of asset ${assetName}`, `assets/${part(assetName)}/assetFilters`, signal);
  }

  async putAssetFilter(assetName: string, { name, properties }: MediaFilter, signal?: AbortSignal): Promise<void> {
    await this.#put(`put filter ${name} of asset ${assetName}`, `assets/${part(assetName)}/assetFilters/${part(name)}`, properties, signal);
  }

  /** The service knows no tracks. To list none of an asset asks it all the same: one that is down must not look like one without tracks. */
  async *tracks(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaTrack> {
    await this.asset(assetName, signal);
    yield* [];
  }

  async putTrack(assetName: string, track: MediaTrack, signal?: AbortSignal): Promise<void> {
    await this.asset(assetName, signal);
    const advice = "MK.IO knows no tracks: add the track to the asset before it is encoded, or leave the asset's locators to other regions";
    throw new PaircastError("account_rejected", `${this.#client.at(`put track ${track.name} of asset ${assetName}`)}: ${advice}`);
  }

  accountFilters(signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    return this.#filters("list filters", "accountFilters", signal);
  }

  async accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null> {
    const filter = await this.#client.find(`get filter ${name}`, `accountFilters/${part(name)}`, signal);
    return filter === null ? null : { name, properties: toTree(propertiesOf(filter), FILTER_FIELDS) };
  }

  async putAccountFilter({ name, properties }: MediaFilter, signal?: AbortSignal): Promise<void> {
    await this.#put(`put filter ${name}`, `accountFilters/${part(name)}`, properties, signal);
  }

  /** With secrets where the service gives them out; versions differ. */
  async contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null> {
    const what = `get content key policy ${name}`;
    const path = `contentKeyPolicies/${part(name)}`;
    const plain = await this.#client.find(what, path, signal);
    if (plain === null) return null;
    const properties = (await this.#withSecrets(what, path, signal)) ?? propertiesOf(plain);
    const policy = { name, properties: toTree(properties, KEY_POLICY_FIELDS) };
    return hidesSecrets(properties) ? { ...policy, secretsHidden: true } : policy;
  }

  async putContentKeyPolicy({ name, properties }: ContentKeyPolicy, signal?: AbortSignal): Promise<void> {
    await this.#put(`put content key policy ${name}`, `contentKeyPolicies/${part(name)}`, properties, signal);
  }

  async streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null> {
    const policy = await this.#client.find(`get streaming policy ${name}`, `streamingPolicies/${part(name)}`, signal);
    return policy === null ? null : { name, properties: toTree(propertiesOf(policy), STREAMING_POLICY_FIELDS) };
  }

  async createStreamingPolicy({ name, properties }: StreamingPolicy, signal?: AbortSignal): Promise<void> {
    const what = `create streaming policy ${name}`;
    if ((await this.streamingPolicy(name, signal)) !== null) throw mediaExists(this.#client.at(what));
    await this.#create(what, `streamingPolicies/${part(name)}`, { properties: fromTree(properties) }, signal);
  }

  async deleteStreamingPolicy(name: string, signal?: AbortSignal): Promise<void> {
    const what = `delete streaming policy ${name}`;
    // Whether the service refuses to delete one that is used is not known.
    for await (const locator of this.locatorsUnder(name, signal))
      throw mediaInUse(this.#client.at(what), `locator ${locator.name} uses it`);
    await this.#client.remove(what, `streamingPolicies/${part(name)}`, signal);
  }

  async *locators(signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    for await (const locator of this.#client.list("list locators", "streamingLocators", signal)) yield toSummary(locator);
  }

  async *locatorsUnder(streamingPolicyName: string, signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    const wanted = streamingPolicyName.toLowerCase();
    for await (const locator of this.#client.list("list locators", "streamingLocators", signal))
      if (textOf(propertiesOf(locator), "streamingPolicyName")?.toLowerCase() === wanted) yield toSummary(locator);
  }

  async assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]> {
    const path = `assets/${part(assetName)}/listStreamingLocators`;
    const answer = await this.#client.find(`list locators of asset ${assetName}`, path, signal, "POST");
    const locators = answer === null ? [] : listOf(answer, "streamingLocators");
    return locators.filter(isObject).map((locator) => toSummary(locator, assetName));
  }

  async locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null> {
    const what = `get locator ${name}`;
    const path = `streamingLocators/${part(name)}`;
    const locator = await this.#client.find(what, path, signal);
    if (locator === null) return null;
    const keys = await this.#client.find(`${what} with its content keys`, `${path}/listContentKeys`, signal, "POST");
    return keys === null ? null : toLocator(locator, listOf(keys, "contentKeys"));
  }

  async createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void> {
    const what = `create locator ${locator.name}`;
    const path = `streamingLocators/${part(locator.name)}`;
    if ((await this.#client.find(what, path, signal)) !== null) throw mediaExists(this.#client.at(what));
    const policy = await this.streamingPolicy(locator.streamingPolicyName, signal);
    await this.#create(what, path, fromLocator(locator, policy?.properties ?? {}), signal);
  }

  async deleteLocator(name: string, signal?: AbortSignal): Promise<void> {
    await this.#client.remove(`delete locator ${name}`, `streamingLocators/${part(name)}`, signal);
  }

  async paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]> {
    const path = `streamingLocators/${part(locatorName)}/listPaths`;
    const answer = await this.#client.find(`list paths of locator ${locatorName}`, path, signal, "POST");
    const paths = answer === null ? [] : listOf(answer, "streamingPaths");
    return paths
      .filter(isObject)
      .map(toPath)
      .filter((each) => each !== null);
  }

  async *#filters(what: string, path: string, signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    for await (const filter of this.#client.list(what, path, signal))
      yield { name: textOf(filter, "name") ?? "", properties: toTree(propertiesOf(filter), FILTER_FIELDS) };
  }

  /** Null where the service does not know the question. */
  async #withSecrets(what: string, path: string, signal?: AbortSignal): Promise<MkioObject | null> {
    try {
      const request = { method: "POST", path: `${path}/getPolicyPropertiesWithSecrets` } as const;
      const answer = await this.#client.call(`${what} with its secrets`, request, signal);
      return isObject(answer["properties"]) ? answer["properties"] : answer;
    } catch (error) {
      if (isStatus(error, 403, 404, 405, 501)) return null;
      throw error;
    }
  }

  async #put(what: string, path: string, properties: ContentKeyPolicy["properties"], signal?: AbortSignal): Promise<void> {
    await this.#client.call(what, { method: "PUT", path, body: { properties: fromTree(properties) } }, signal);
  }

  /** There are no conditional writes: the look before and the 409 after leave a gap only for what somebody creates in between. */
  async #create(what: string, path: string, body: MkioObject, signal?: AbortSignal): Promise<void> {
    try {
      await this.#client.call(what, { method: "PUT", path, body }, signal);
    } catch (error) {
      throw isStatus(error, 409, 412) ? mediaExists(this.#client.at(what), (error as Error).cause) : error;
    }
  }

  #blobs(container: string): AzureBlobContainerOptions {
    const { storage, clock } = this.#options;
    return { label: `${storage.accountName}/${container}`, clock, ...storage.service.access(container) };
  }
}

/** The credential of a storage account opens everything; what is only to be read is not written with it. */
class ReadOnlyContainer extends AzureBlobContainer {
  override copyFrom(): Promise<never> {
    return this.#denied("copy to");
  }

  override write(): Promise<never> {
    return this.#denied("write to");
  }

  override upload(): BlobUpload {
    return { put: () => this.#denied("upload to"), commit: () => this.#denied("upload to") };
  }

  #denied(what: string): Promise<never> {
    return Promise.reject(storageError("storage_denied", `${what} ${this.label}, which was opened for reading`));
  }
}

function part(name: string): string {
  return encodeURIComponent(name);
}
