/** A media account in memory, with faults. Keeps the contract of `MediaAccount` and what the service assigns by itself. */
import type { Clock, Random } from "../../src/core/clock.ts";
import { PaircastError } from "../../src/core/errors.ts";
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
} from "../../src/core/media.ts";
import type { MediaAccount } from "../../src/core/ports/media.ts";
import type { BlobContainer } from "../../src/core/ports/storage.ts";
import { Calls } from "./calls.ts";
import { ManualClock, seededRandom } from "./clock.ts";
import { assignKeys } from "./locatorKeys.ts";
import { streamingPaths } from "./locatorPaths.ts";
import { MemoryBlobContainer } from "./memoryBlobContainer.ts";
import { PREDEFINED_POLICIES } from "./predefinedPolicies.ts";

export interface MemoryMediaAccountOptions {
  readonly region?: string;
  readonly clock?: Clock;
  /** Makes the content keys that the service generates for locators that bring none. */
  readonly random?: Random;
}

export class MemoryMediaAccount implements MediaAccount {
  readonly region: string;
  /** Calls of the management plane. */
  readonly calls = new Calls();
  /** Calls of all blob containers of the account. */
  readonly blobCalls = new Calls();
  /** Locators in a page of a list. */
  pageSize = 3;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #containers = new Map<string, MemoryBlobContainer>();
  readonly #assets = new Map<string, MediaAsset>();
  readonly #assetFilters = new Map<string, Map<string, MediaFilter>>();
  readonly #tracks = new Map<string, Map<string, MediaTrack>>();
  readonly #accountFilters = new Map<string, MediaFilter>();
  readonly #keyPolicies = new Map<string, ContentKeyPolicy>();
  readonly #policies = new Map<string, StreamingPolicy>(PREDEFINED_POLICIES.map((policy) => [policy.name, policy]));
  readonly #locators = new Map<string, StreamingLocator>();

  constructor(options: MemoryMediaAccountOptions = {}) {
    this.region = options.region ?? "westeurope";
    this.#clock = options.clock ?? new ManualClock();
    this.#random = options.random ?? seededRandom(1);
  }

  /** Writes of both planes since the last `reset` of either: none after a run that changed nothing. */
  get mutations(): number {
    return this.calls.mutations.length + this.blobCalls.mutations.length;
  }

  /** The container behind an asset, made where it is not there: for putting blobs in place and for looking at them. */
  blobs(container: string): MemoryBlobContainer {
    const present = this.#containers.get(container);
    if (present !== undefined) return present;
    const made = new MemoryBlobContainer(`${this.region}/${container}`, this.blobCalls);
    this.#containers.set(container, made);
    return made;
  }

  async *assets(signal?: AbortSignal): AsyncGenerator<MediaAsset> {
    await this.#enter("assets", "*", "reads", signal);
    yield* sorted(this.#assets);
  }

  async asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null> {
    await this.#enter("asset", name, "reads", signal);
    return this.#assets.get(name) ?? null;
  }

  async createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset> {
    await this.#enter("createAsset", spec.name, "writes", signal);
    if (this.#assets.has(spec.name)) throw exists("asset", spec.name, this.region);
    const owner = [...this.#assets.values()].find((asset) => asset.container === spec.container);
    if (owner !== undefined) throw rejected(`create asset ${spec.name}`, `container ${spec.container} belongs to asset ${owner.name}`);
    const asset: MediaAsset = {
      name: spec.name,
      container: spec.container,
      alternateId: spec.alternateId,
      description: spec.description,
      storageAccountName: `${this.region}storage`,
      lastModified: this.#clock.now(),
    };
    this.#assets.set(spec.name, asset);
    this.blobs(spec.container).exists = true;
    return asset;
  }

  async deleteAsset(name: string, signal?: AbortSignal): Promise<void> {
    await this.#enter("deleteAsset", name, "writes", signal);
    const asset = this.#assets.get(name);
    this.#assets.delete(name);
    this.#assetFilters.delete(name);
    this.#tracks.delete(name);
    if (asset !== undefined) this.#containers.delete(asset.container);
  }

  container(asset: MediaAsset, access: "read" | "write"): BlobContainer {
    const container = this.#containers.get(asset.container);
    if (container === undefined) {
      const missing = new MemoryBlobContainer(`${this.region}/${asset.container}`, this.blobCalls);
      missing.exists = false;
      return missing;
    }
    return access === "write" ? container : readOnly(container);
  }

  async *assetFilters(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    await this.#enter("assetFilters", assetName, "reads", signal);
    yield* sorted(this.#assetFilters.get(assetName) ?? new Map<string, MediaFilter>());
  }

  async putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    await this.#enter("putAssetFilter", `${assetName}/${filter.name}`, "writes", signal);
    if (!this.#assets.has(assetName)) throw rejected(`put filter ${filter.name}`, `there is no asset ${assetName}`);
    const filters = this.#assetFilters.get(assetName) ?? new Map<string, MediaFilter>();
    this.#assetFilters.set(assetName, filters.set(filter.name, structuredClone(filter)));
  }

  async *tracks(assetName: string, signal?: AbortSignal): AsyncGenerator<MediaTrack> {
    await this.#enter("tracks", assetName, "reads", signal);
    yield* sorted(this.#tracks.get(assetName) ?? new Map<string, MediaTrack>());
  }

  async putTrack(assetName: string, track: MediaTrack, signal?: AbortSignal): Promise<void> {
    await this.#enter("putTrack", `${assetName}/${track.name}`, "writes", signal);
    const file = track.properties["fileName"];
    const asset = this.#assets.get(assetName);
    if (asset === undefined || typeof file !== "string" || !this.blobs(asset.container).names().includes(file))
      throw rejected(`put track ${track.name}`, "Target resource file does not exist.");
    const tracks = this.#tracks.get(assetName) ?? new Map<string, MediaTrack>();
    this.#tracks.set(assetName, tracks.set(track.name, structuredClone({ ...track, properties: asKept(track.properties) })));
  }

  async *accountFilters(signal?: AbortSignal): AsyncGenerator<MediaFilter> {
    await this.#enter("accountFilters", "*", "reads", signal);
    yield* sorted(this.#accountFilters);
  }

  async accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null> {
    await this.#enter("accountFilter", name, "reads", signal);
    return copyOf(this.#accountFilters.get(name));
  }

  async putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void> {
    await this.#enter("putAccountFilter", filter.name, "writes", signal);
    this.#accountFilters.set(filter.name, structuredClone(filter));
  }

  async contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null> {
    await this.#enter("contentKeyPolicy", name, "reads", signal);
    return copyOf(this.#keyPolicies.get(name));
  }

  async putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void> {
    await this.#enter("putContentKeyPolicy", policy.name, "writes", signal);
    this.#keyPolicies.set(policy.name, structuredClone(policy));
  }

  async streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null> {
    await this.#enter("streamingPolicy", name, "reads", signal);
    return copyOf(this.#policies.get(name));
  }

  async createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void> {
    await this.#enter("createStreamingPolicy", policy.name, "writes", signal);
    if (this.#policies.has(policy.name)) throw exists("streaming policy", policy.name, this.region);
    this.#policies.set(policy.name, structuredClone(policy));
  }

  async deleteStreamingPolicy(name: string, signal?: AbortSignal): Promise<void> {
    await this.#enter("deleteStreamingPolicy", name, "writes", signal);
    const user = [...this.#locators.values()].find(({ streamingPolicyName }) => streamingPolicyName === name);
    if (user !== undefined)
      throw new PaircastError("media_in_use", `delete streaming policy ${name} in ${this.region}: locator ${user.name} uses it`, {
        retry: "conflict",
      });
    this.#policies.delete(name);
  }

  async *locators(signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    await this.#enter("locators", "*", "reads", signal);
    for (const locator of sorted(this.#locators)) yield summary(locator);
  }

  async *locatorsUnder(streamingPolicyName: string, signal?: AbortSignal): AsyncGenerator<LocatorSummary> {
    await this.#enter("locatorsUnder", streamingPolicyName, "reads", signal);
    for (const locator of sorted(this.#locators)) if (locator.streamingPolicyName === streamingPolicyName) yield summary(locator);
  }

  /** A place in the list is the last name before it, as the service has it. */
  async *locatorPages(from: string | null, signal?: AbortSignal): AsyncGenerator<ListPage<LocatorSummary>> {
    for (let after = from; ;) {
      await this.#enter("locatorPages", after ?? "*", "reads", signal);
      const rest = sorted(this.#locators).filter(({ name }) => after === null || name > after);
      const items = rest.slice(0, this.pageSize).map(summary);
      after = items.length < rest.length ? (items.at(-1)?.name ?? null) : null;
      yield { items, next: after };
      if (after === null) return;
    }
  }

  async assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]> {
    await this.#enter("assetLocators", assetName, "reads", signal);
    const own = sorted(this.#locators).filter((locator) => locator.assetName === assetName);
    return own.map(summary);
  }

  async locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null> {
    await this.#enter("locator", name, "reads", signal);
    return copyOf(this.#locators.get(name));
  }

  async createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void> {
    await this.#enter("createLocator", locator.name, "writes", signal);
    const present = [...this.#locators.values()];
    if (present.some((other) => other.name === locator.name || other.streamingLocatorId === locator.streamingLocatorId.toLowerCase()))
      throw exists("locator", `${locator.name} (${locator.streamingLocatorId})`, this.region);
    const policy = this.#policies.get(locator.streamingPolicyName);
    if (policy === undefined || !this.#assets.has(locator.assetName))
      throw rejected(`create locator ${locator.name}`, `its asset or its streaming policy ${locator.streamingPolicyName} is not there`);
    const contentKeys = assignKeys(locator, policy, this.#random);
    const taken = contentKeys.find((key) => present.some((other) => other.contentKeys.some(({ id }) => id === key.id)));
    if (taken !== undefined)
      throw rejected(`create locator ${locator.name}`, `Content key id '${taken.id}' already exists, please choose another one.`);
    const id = locator.streamingLocatorId.toLowerCase();
    this.#locators.set(locator.name, {
      ...structuredClone(locator),
      streamingLocatorId: id,
      contentKeys,
      created: this.#clock.now(),
    });
  }

  async deleteLocator(name: string, signal?: AbortSignal): Promise<void> {
    await this.#enter("deleteLocator", name, "writes", signal);
    this.#locators.delete(name);
  }

  async paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]> {
    await this.#enter("paths", locatorName, "reads", signal);
    const locator = this.#locators.get(locatorName);
    const policy = this.#policies.get(locator?.streamingPolicyName ?? "");
    const asset = this.#assets.get(locator?.assetName ?? "");
    if (locator === undefined || policy === undefined || asset === undefined) return [];
    return streamingPaths(locator, policy, this.blobs(asset.container).names());
  }

  /** Takes a locator away as an operator would, also to give it other keys. */
  removeLocator(name: string): void {
    this.#locators.delete(name);
  }

  /** Takes a content key policy away as an operator would. */
  removeContentKeyPolicy(name: string): void {
    this.#keyPolicies.delete(name);
  }

  async #enter(operation: string, subject: string, kind: "reads" | "writes", signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.calls.enter(operation, subject, kind);
    signal?.throwIfAborted();
  }
}

function exists(what: string, name: string, region: string): PaircastError {
  return new PaircastError("media_exists", `create ${what} ${name} in ${region}: it exists already`, { retry: "conflict" });
}

function rejected(what: string, why: string): PaircastError {
  return new PaircastError("account_rejected", `${what}: the service refused: ${why}`);
}

function sorted<T>(entries: ReadonlyMap<string, T>): T[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => structuredClone(value));
}

function copyOf<T>(value: T | undefined): T | null {
  return value === undefined ? null : structuredClone(value);
}

function summary({ name, assetName, streamingLocatorId, created }: StreamingLocator): LocatorSummary {
  return { name, assetName, streamingLocatorId, created };
}

/** The service finds out a text track's language and an audio track's bitrate by itself. */
function asKept(properties: TreeObject): TreeObject {
  const { bitRate: _bitRate, ...kept } = properties;
  if (kept["odataType"] !== "#Microsoft.Media.TextTrack") return kept;
  const { languageCode: _languageCode, ...text } = kept;
  return { playerVisibility: "Visible", ...text };
}

/** The container as a SAS with read and list opens it. */
function readOnly(container: MemoryBlobContainer): BlobContainer {
  const denied = (name: string): Promise<never> =>
    Promise.reject(new PaircastError("storage_denied", `write ${container.label}/${name}: it was opened for reading`));
  return {
    label: container.label,
    list: (signal) => container.list(signal),
    head: (name, signal) => container.head(name, signal),
    read: (blob, offset, count, signal) => container.read(blob, offset, count, signal),
    readUrl: (name) => container.readUrl(name),
    copyFrom: (_source, blob) => denied(blob.name),
    write: (name) => denied(name),
    upload: (name) => ({ put: () => denied(name), commit: () => denied(name) }),
  };
}
