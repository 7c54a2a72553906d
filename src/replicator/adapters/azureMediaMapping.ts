/** Between the SDK's shapes of media entities and the ones of `core/media`. Fresh objects both ways: read-only fields stay behind. */
import type {
  Asset,
  AssetStreamingLocator,
  AssetTrack,
  StreamingLocator as SdkLocator,
  StreamingLocatorContentKey,
  StreamingPath as SdkPath,
} from "@azure/arm-mediaservices";
import { PaircastError } from "../../core/errors.ts";
import type {
  AssetSpec,
  ContentKey,
  LocatorSummary,
  MediaAsset,
  MediaTrack,
  StreamingLocator,
  StreamingPath,
  Tree,
  TreeObject,
} from "../../core/media.ts";

/** Assigned by the service, different in every account. */
const ASSIGNED = new Set(["policyId", "policyOptionId", "created", "lastModified"]);

export function toAsset(asset: Asset): MediaAsset {
  const { name, container, assetId } = asset;
  return {
    name: present(name, "an asset without a name"),
    // API versions before 2022 left out the container's name where it is the default one.
    container: container ?? `asset-${present(assetId, "an asset without container and id")}`,
    storageAccountName: asset.storageAccountName ?? null,
    alternateId: asset.alternateId ?? null,
    description: asset.description ?? null,
    lastModified: asset.lastModified?.getTime() ?? 0,
  };
}

export function fromAsset({ container, alternateId, description }: AssetSpec): Asset {
  return { container, ...(alternateId === null ? {} : { alternateId }), ...(description === null ? {} : { description }) };
}

export function toSummary(locator: SdkLocator | AssetStreamingLocator): LocatorSummary {
  return {
    name: present(locator.name, "a locator without a name"),
    assetName: present(locator.assetName, "a locator without an asset"),
    streamingLocatorId: present(locator.streamingLocatorId, "a locator without an id").toLowerCase(),
    created: locator.created?.getTime() ?? 0,
  };
}

export function toLocator(locator: SdkLocator, keys: readonly StreamingLocatorContentKey[]): StreamingLocator {
  return {
    ...toSummary(locator),
    streamingPolicyName: present(locator.streamingPolicyName, "a locator without a streaming policy"),
    defaultContentKeyPolicyName: locator.defaultContentKeyPolicyName ?? null,
    alternativeMediaId: locator.alternativeMediaId ?? null,
    startTime: locator.startTime?.getTime() ?? null,
    endTime: endTime(locator.endTime),
    filters: [...(locator.filters ?? [])],
    contentKeys: keys.map(toKey),
  };
}

/** A locator without an end shows the last moment of the year 9999, with digits that a JavaScript date cannot keep. */
function endTime(end: Date | undefined): number | null {
  return end === undefined || end.getUTCFullYear() >= 9999 ? null : end.getTime();
}

function toKey(key: StreamingLocatorContentKey): ContentKey {
  return {
    id: key.id.toLowerCase(),
    type: key.type ?? null,
    labelReferenceInStreamingPolicy: key.labelReferenceInStreamingPolicy ?? null,
    value: present(key.value, `content key ${key.id} without its value`),
    policyName: key.policyName ?? null,
  };
}

export function fromLocator(locator: StreamingLocator): SdkLocator {
  const { assetName, streamingPolicyName, streamingLocatorId, defaultContentKeyPolicyName, alternativeMediaId } = locator;
  return {
    assetName,
    streamingPolicyName,
    streamingLocatorId,
    ...(defaultContentKeyPolicyName === null ? {} : { defaultContentKeyPolicyName }),
    ...(alternativeMediaId === null ? {} : { alternativeMediaId }),
    ...(locator.startTime === null ? {} : { startTime: new Date(locator.startTime) }),
    ...(locator.endTime === null ? {} : { endTime: new Date(locator.endTime) }),
    ...(locator.filters.length === 0 ? {} : { filters: [...locator.filters] }),
    contentKeys: locator.contentKeys.map(fromKey),
  };
}

function fromKey({ id, labelReferenceInStreamingPolicy, value }: ContentKey): StreamingLocatorContentKey {
  return { id, value, ...(labelReferenceInStreamingPolicy === null ? {} : { labelReferenceInStreamingPolicy }) };
}

/** What is `track` in the API; how far the service has come with it is left out. */
export function toTrack({ name, track }: AssetTrack): MediaTrack {
  const own = present(track, "a track without its description");
  return { name: present(name, "a track without a name"), properties: toTree(own, Object.keys(own)) };
}

const PROTOCOLS: readonly string[] = ["Hls", "Dash", "SmoothStreaming", "Download"];

export function toPath(path: SdkPath): StreamingPath | null {
  if (!isProtocol(path.streamingProtocol)) return null;
  return { streamingProtocol: path.streamingProtocol, encryptionScheme: path.encryptionScheme, paths: [...(path.paths ?? [])] };
}

function isProtocol(text: string): text is StreamingPath["streamingProtocol"] {
  return PROTOCOLS.includes(text);
}

/** The named fields of an SDK object as a plain tree, without what the service assigned. Fields that are unset or null are left out at the top. */
export function toTree(source: object, fields: readonly string[]): TreeObject {
  const own = new Map<string, unknown>(Object.entries(source));
  const kept = fields.map((name) => [name, own.get(name)] as const).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(kept.map(([name, value]) => [name, tree(value, name)]));
}

function tree(value: unknown, where: string): Tree {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Date) return new Date(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((item) => tree(item, where));
  if (typeof value === "object") return branch(value, where);
  throw unexpected(`a value of type ${typeof value} at ${where}`);
}

function branch(value: object, where: string): TreeObject {
  const kept = Object.entries(value).filter(([name, item]) => item !== undefined && !ASSIGNED.has(name));
  return Object.fromEntries(kept.map(([name, item]) => [name, tree(item, `${where}.${name}`)]));
}

function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw unexpected(what);
  return value;
}

function unexpected(what: string): PaircastError {
  return new PaircastError("account_rejected", `the management API answered with ${what}`);
}
