/** A media account that is gone, as the record of keys knows it: one asset of it, for reading. Its files are elsewhere. */
import { PaircastError } from "../../core/errors.ts";
import type {
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
import type { BlobContainer } from "../../core/ports/storage.ts";
import type { RecordBook } from "./book.ts";
import { filtersRecordId, locatorRecordId, policyRecordId, type RecordedLocator } from "./content.ts";

export interface RecordedAssetOptions {
  readonly book: RecordBook;
  /** What the jobs call it. */
  readonly region: string;
  /** Lower-case ids of locators that publish the asset. */
  readonly locatorIds: readonly string[];
  /** The account whose container has the asset's files. */
  readonly files: MediaAccount;
}

/** Nothing is read before it is needed: whoever asks gets `record_missing` where a locator has no record, and what the book throws. */
export class RecordedAccount implements MediaAccount {
  readonly region: string;
  readonly #options: RecordedAssetOptions;
  #read: Promise<readonly RecordedLocator[]> | null = null;

  constructor(options: RecordedAssetOptions) {
    this.region = options.region;
    this.#options = options;
  }

  async *assets(): AsyncGenerator<MediaAsset> {
    const [recorded] = await this.#recorded();
    if (recorded !== undefined) yield { ...recorded.asset, lastModified: 0 };
  }

  async asset(name: string): Promise<MediaAsset | null> {
    const recorded = await this.#of(name);
    return recorded === null ? null : { ...recorded.asset, lastModified: 0 };
  }

  container(asset: MediaAsset): BlobContainer {
    return this.#options.files.container(asset, "read");
  }

  async *assetFilters(assetName: string): AsyncGenerator<MediaFilter> {
    yield* (await this.#of(assetName))?.assetFilters ?? [];
  }

  async *tracks(assetName: string): AsyncGenerator<MediaTrack> {
    yield* (await this.#of(assetName))?.tracks ?? [];
  }

  async *accountFilters(): AsyncGenerator<MediaFilter> {
    const recorded = await this.#options.book.read("accountFilters", filtersRecordId(await this.#source()));
    yield* recorded?.filters ?? [];
  }

  async accountFilter(name: string): Promise<MediaFilter | null> {
    for await (const filter of this.accountFilters()) if (filter.name === name) return filter;
    return null;
  }

  async contentKeyPolicy(name: string): Promise<ContentKeyPolicy | null> {
    const id = policyRecordId("contentKeyPolicy", await this.#source(), name);
    return (await this.#options.book.read("contentKeyPolicy", id))?.policy ?? null;
  }

  async streamingPolicy(name: string): Promise<StreamingPolicy | null> {
    const id = policyRecordId("streamingPolicy", await this.#source(), name);
    return (await this.#options.book.read("streamingPolicy", id))?.policy ?? null;
  }

  async *locators(): AsyncGenerator<LocatorSummary> {
    for (const { locator } of await this.#recorded()) yield summaryOf(locator);
  }

  async *locatorsUnder(streamingPolicyName: string): AsyncGenerator<LocatorSummary> {
    for (const { locator } of await this.#recorded()) if (locator.streamingPolicyName === streamingPolicyName) yield summaryOf(locator);
  }

  async assetLocators(assetName: string): Promise<readonly LocatorSummary[]> {
    const own = (await this.#recorded()).filter(({ locator }) => locator.assetName === assetName);
    return own.map(({ locator }) => summaryOf(locator));
  }

  async locator(name: string): Promise<StreamingLocator | null> {
    return (await this.#named(name))?.locator ?? null;
  }

  async paths(locatorName: string): Promise<readonly StreamingPath[]> {
    const { hls = null, dash = null } = (await this.#named(locatorName))?.manifests ?? {};
    return [...pathsOf("Hls", hls), ...pathsOf("Dash", dash)];
  }

  async createAsset(): Promise<never> {
    return this.#refuse();
  }

  async putAssetFilter(): Promise<never> {
    return this.#refuse();
  }

  async putTrack(): Promise<never> {
    return this.#refuse();
  }

  async putAccountFilter(): Promise<never> {
    return this.#refuse();
  }

  async putContentKeyPolicy(): Promise<never> {
    return this.#refuse();
  }

  async createStreamingPolicy(): Promise<never> {
    return this.#refuse();
  }

  async deleteStreamingPolicy(): Promise<never> {
    return this.#refuse();
  }

  async createLocator(): Promise<never> {
    return this.#refuse();
  }

  async deleteLocator(): Promise<never> {
    return this.#refuse();
  }

  #refuse(): never {
    throw new PaircastError("account_rejected", `write to ${this.region}: the key record is what an account was, not an account`);
  }

  async #recorded(): Promise<readonly RecordedLocator[]> {
    this.#read ??= this.#readAll();
    return this.#read;
  }

  async #readAll(): Promise<readonly RecordedLocator[]> {
    const { book, locatorIds } = this.#options;
    const locators: RecordedLocator[] = [];
    for (const id of locatorIds) {
      const recorded = await book.read("locator", locatorRecordId(id));
      if (recorded === null) throw new PaircastError("record_missing", `read the key record of locator ${id}: there is none`);
      locators.push(recorded);
    }
    return locators;
  }

  async #of(assetName: string): Promise<RecordedLocator | null> {
    return (await this.#recorded()).find(({ asset }) => asset.name === assetName) ?? null;
  }

  async #named(locatorName: string): Promise<RecordedLocator | null> {
    return (await this.#recorded()).find(({ locator }) => locator.name === locatorName) ?? null;
  }

  /** The same for all of them: a rebuild takes the locators of one publisher at a time. */
  async #source(): Promise<string> {
    return (await this.#recorded())[0]?.source ?? "";
  }
}

function summaryOf({ name, assetName, streamingLocatorId, created }: StreamingLocator): LocatorSummary {
  return { name, assetName, streamingLocatorId, created };
}

function pathsOf(streamingProtocol: StreamingPath["streamingProtocol"], path: string | null): readonly StreamingPath[] {
  return path === null ? [] : [{ streamingProtocol, encryptionScheme: "", paths: [path] }];
}
