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
} from "../media.ts";
import type { BlobContainer } from "./storage.ts";

/**
 * The management plane of one media account.
 * - `get…` return null for what is not there. `list…` yield everything, following the service's paging.
 * - `create…` never replace: for what exists already they throw `media_exists` (retry class `conflict`). `put…` create or replace.
 * - `createAsset` creates the container too, and returns the asset as the service now shows it.
 * - `locator` and `locators` differ: only `locator` has content keys with values.
 * - `tracks` are in no promised order; an asset that is not there has none, and so has every asset of a service that knows no tracks. `putTrack`
 *   resolves when the service has taken the track into the asset's manifests, which may take it some seconds; its file must be in the container.
 * - `locatorsUnder` yields every locator of the account that uses a streaming policy. It may cost a listing of all locators.
 * - `deleteLocator` resolves also where there is none; its content key ids can then be used again, as far as the service allows that.
 *   `deleteStreamingPolicy` resolves also where there is none, and throws `media_in_use` (retry class `conflict`) while any locator uses the policy,
 *   whether or not the service would refuse. It is never called for predefined policies.
 * - `deleteAsset` takes an asset away with its container, filters and tracks, and resolves also where there is none. It is never called for an asset
 *   that has locators. Left out: assets of this account are not deleted.
 * - `locatorPages` yields the same as `locators`, page by page as the service gives them, from the beginning (null) or from where an earlier page
 *   said that the list goes on. What was published or taken away meanwhile may be missing or come twice. A place that the service knows no more
 *   is `account_rejected`. Left out: lists of this account cannot be taken up in the middle.
 * - `container` opens the blob container of an asset, for reading or for writing; access is renewed while it is used.
 * - Errors: `account_unavailable` (retry: refused, time-out, 5xx, 429 after the service's own Retry-After was honoured),
 *   `account_denied` (never: 401, 403), `account_rejected` (never: 400 and other answers; the message carries the service's own text).
 */
export interface MediaAccount {
  readonly region: string;
  assets(signal?: AbortSignal): AsyncIterable<MediaAsset>;
  asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null>;
  createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset>;
  deleteAsset?(name: string, signal?: AbortSignal): Promise<void>;
  container(asset: MediaAsset, access: "read" | "write"): BlobContainer;
  assetFilters(assetName: string, signal?: AbortSignal): AsyncIterable<MediaFilter>;
  putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  tracks(assetName: string, signal?: AbortSignal): AsyncIterable<MediaTrack>;
  putTrack(assetName: string, track: MediaTrack, signal?: AbortSignal): Promise<void>;
  accountFilters(signal?: AbortSignal): AsyncIterable<MediaFilter>;
  accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null>;
  putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  /** With secrets. */
  contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null>;
  putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void>;
  streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null>;
  createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void>;
  deleteStreamingPolicy(name: string, signal?: AbortSignal): Promise<void>;
  locators(signal?: AbortSignal): AsyncIterable<LocatorSummary>;
  locatorPages?(from: string | null, signal?: AbortSignal): AsyncIterable<ListPage<LocatorSummary>>;
  locatorsUnder(streamingPolicyName: string, signal?: AbortSignal): AsyncIterable<LocatorSummary>;
  assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]>;
  locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null>;
  createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void>;
  deleteLocator(name: string, signal?: AbortSignal): Promise<void>;
  paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]>;
}
