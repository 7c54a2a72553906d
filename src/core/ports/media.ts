import type {
  AssetSpec,
  ContentKeyPolicy,
  LocatorSummary,
  MediaAsset,
  MediaFilter,
  StreamingLocator,
  StreamingPath,
  StreamingPolicy,
} from "../media.ts";
import type { BlobContainer } from "./storage.ts";

/**
 * The management plane of one media account.
 * - `get…` return null for what is not there. `list…` yield everything, following the service's paging.
 * - `create…` never replace: for what exists already they throw `media_exists` (retry class `conflict`). `put…` create or replace.
 * - `createAsset` creates the container too, and returns the asset as the service now shows it.
 * - `locator` and `locators` differ: only `locator` has content keys with values.
 * - `container` opens the blob container of an asset, for reading or for writing; access is renewed while it is used.
 * - Errors: `account_unavailable` (retry: refused, time-out, 5xx, 429 after the service's own Retry-After was honoured),
 *   `account_denied` (never: 401, 403), `account_rejected` (never: 400 and other answers; the message carries the service's own text).
 */
export interface MediaAccount {
  readonly region: string;
  assets(signal?: AbortSignal): AsyncIterable<MediaAsset>;
  asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null>;
  createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset>;
  container(asset: MediaAsset, access: "read" | "write"): BlobContainer;
  assetFilters(assetName: string, signal?: AbortSignal): AsyncIterable<MediaFilter>;
  putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null>;
  putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  /** With secrets. */
  contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null>;
  putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void>;
  streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null>;
  createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void>;
  locators(signal?: AbortSignal): AsyncIterable<LocatorSummary>;
  assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]>;
  locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null>;
  createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void>;
  paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]>;
}
