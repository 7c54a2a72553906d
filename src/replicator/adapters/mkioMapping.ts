/** Between MK.IO's JSON and the entities of `core/media`: the same names as in AMS, bytes in Base64, times as text, types in `@odata.type`. */
import { PaircastError } from "../../core/errors.ts";
import type {
  AssetSpec,
  ContentKey,
  LocatorSummary,
  MediaAsset,
  StreamingLocator,
  StreamingPath,
  Tree,
  TreeObject,
} from "../../core/media.ts";
import { isList, isObject, type MkioJson, type MkioObject } from "./mkioClient.ts";

const TYPE = "@odata.type";
const BYTES: ReadonlySet<string> = new Set(["ask", "keyValue", "rawBody", "exponent", "modulus"]);
const TIMES: ReadonlySet<string> = new Set(["beginDate", "expirationDate"]);
/** Shown empty to those who may not see them. */
const SECRETS: ReadonlySet<string> = new Set([...BYTES, "fairPlayPfx", "fairPlayPfxPassword"]);
/** Assigned by the service, different in every account. */
const ASSIGNED: ReadonlySet<string> = new Set(["policyId", "policyOptionId", "created", "lastModified"]);

export function toAsset(asset: MkioObject): MediaAsset {
  const properties = propertiesOf(asset);
  return {
    name: required(asset, "name"),
    container: required(properties, "container"),
    storageAccountName: textOf(properties, "storageAccountName"),
    alternateId: textOf(properties, "alternateId"),
    description: textOf(properties, "description"),
    lastModified: time(properties, "lastModified") ?? 0,
  };
}

/** The container stays when the asset is deleted: whoever deletes the files has to mean it. */
export function fromAsset({ container, alternateId, description }: AssetSpec, storageAccountName: string): MkioObject {
  const set = { ...(alternateId === null ? {} : { alternateId }), ...(description === null ? {} : { description }) };
  return { properties: { container, storageAccountName, containerDeletionPolicy: "Retain", ...set } };
}

/** Of a locator, or of one in the list of an asset, which has its properties beside its name. */
export function toSummary(locator: MkioObject, assetName: string | null = null): LocatorSummary {
  const properties = isObject(locator["properties"]) ? locator["properties"] : locator;
  return {
    name: required(locator, "name"),
    assetName: textOf(properties, "assetName") ?? assetName ?? required(properties, "assetName"),
    streamingLocatorId: required(properties, "streamingLocatorId").toLowerCase(),
    created: time(properties, "created") ?? 0,
  };
}

export function toLocator(locator: MkioObject, keys: readonly MkioJson[]): StreamingLocator {
  const properties = propertiesOf(locator);
  const endTime = time(properties, "endTime");
  return {
    ...toSummary(locator),
    streamingPolicyName: required(properties, "streamingPolicyName"),
    defaultContentKeyPolicyName: textOf(properties, "defaultContentKeyPolicyName"),
    alternativeMediaId: textOf(properties, "alternativeMediaId"),
    startTime: time(properties, "startTime"),
    // Without an end it shows the last moment of the year 9999.
    endTime: endTime === null || new Date(endTime).getUTCFullYear() >= 9999 ? null : endTime,
    filters: listOf(properties, "filters").filter((name) => typeof name === "string"),
    contentKeys: keys.filter(isObject).map(toKey),
  };
}

function toKey(key: MkioObject): ContentKey {
  return {
    id: required(key, "id").toLowerCase(),
    type: textOf(key, "type"),
    labelReferenceInStreamingPolicy: textOf(key, "labelReferenceInStreamingPolicy"),
    value: required(key, "value"),
    policyName: textOf(key, "policyName"),
  };
}

const ENCRYPTIONS = [
  ["envelopeEncryption", "EnvelopeEncryption"],
  ["commonEncryptionCenc", "CommonEncryptionCenc"],
  ["commonEncryptionCbcs", "CommonEncryptionCbcs"],
] as const;

/** `policy`: the streaming policy's properties, which say of a key what type it is and which policy it is delivered under. */
export function fromLocator(locator: StreamingLocator, policy: TreeObject): MkioObject {
  const { assetName, streamingPolicyName, streamingLocatorId, defaultContentKeyPolicyName, alternativeMediaId } = locator;
  const fallback = defaultContentKeyPolicyName ?? treeText(policy["defaultContentKeyPolicyName"]);
  const properties = {
    assetName,
    streamingPolicyName,
    streamingLocatorId,
    ...(defaultContentKeyPolicyName === null ? {} : { defaultContentKeyPolicyName }),
    ...(alternativeMediaId === null ? {} : { alternativeMediaId }),
    ...(locator.startTime === null ? {} : { startTime: new Date(locator.startTime).toISOString() }),
    ...(locator.endTime === null ? {} : { endTime: new Date(locator.endTime).toISOString() }),
    ...(locator.filters.length === 0 ? {} : { filters: locator.filters }),
    contentKeys: locator.contentKeys.map((key) => fromKey(key, policy, fallback)),
  };
  return { properties };
}

/** AMS finds type and policy out by itself; here both have to be said. */
function fromKey(key: ContentKey, policy: TreeObject, fallback: string | null): MkioObject {
  const { id, value, labelReferenceInStreamingPolicy: label } = key;
  const slots = ENCRYPTIONS.flatMap(([section, type]) => slotsOf(policy[section]).map((slot) => ({ ...slot, type })));
  const slot = slots.find((each) => each.label === label);
  const type = key.type ?? slot?.type;
  const policyName = key.policyName ?? slot?.policyName ?? fallback;
  return {
    id,
    value,
    ...(label === null ? {} : { labelReferenceInStreamingPolicy: label }),
    ...(type === undefined ? {} : { type }),
    ...(policyName === null ? {} : { policyName }),
  };
}

function slotsOf(section: Tree | undefined): { readonly label: string | null; readonly policyName: string | null }[] {
  const contentKeys = branchOf(branchOf(section)["contentKeys"]);
  const mappings = contentKeys["keyToTrackMappings"];
  const keys = [contentKeys["defaultKey"], ...(Array.isArray(mappings) ? (mappings as readonly Tree[]) : [])];
  return keys.map(branchOf).map((key) => ({ label: treeText(key["label"]), policyName: treeText(key["policyName"]) }));
}

function branchOf(tree: Tree | undefined): TreeObject {
  const isBranch =
    typeof tree === "object" && tree !== null && !Array.isArray(tree) && !(tree instanceof Date) && !(tree instanceof Uint8Array);
  return isBranch ? (tree as TreeObject) : {};
}

function treeText(tree: Tree | undefined): string | null {
  return typeof tree === "string" && tree !== "" ? tree : null;
}

const PROTOCOLS: readonly string[] = ["Hls", "Dash", "SmoothStreaming", "Download"];

export function toPath(path: MkioObject): StreamingPath | null {
  const streamingProtocol = textOf(path, "streamingProtocol");
  if (streamingProtocol === null || !PROTOCOLS.includes(streamingProtocol)) return null;
  return {
    streamingProtocol: streamingProtocol as StreamingPath["streamingProtocol"],
    encryptionScheme: textOf(path, "encryptionScheme") ?? "",
    paths: listOf(path, "paths").filter((each) => typeof each === "string"),
  };
}

/** The named properties as a plain tree. What is null, empty where a secret belongs, or assigned by the service is left out. */
export function toTree(properties: MkioObject, fields: readonly string[]): TreeObject {
  const kept = Object.entries(properties).filter(([name, value]) => fields.includes(name) && value !== "");
  return branch(Object.fromEntries(kept));
}

function branch(value: MkioObject): TreeObject {
  const kept = Object.entries(value).filter(([name, item]) => item !== null && !ASSIGNED.has(name) && !(SECRETS.has(name) && item === ""));
  return Object.fromEntries(kept.map(([name, item]) => [name === TYPE ? "odataType" : name, leaf(name, item)]));
}

function leaf(name: string, value: MkioJson): Tree {
  if (typeof value === "string" && BYTES.has(name)) return new Uint8Array(Buffer.from(value, "base64"));
  if (typeof value === "string" && TIMES.has(name)) return new Date(value);
  if (isList(value)) return value.map((item) => leaf(name, item));
  return isObject(value) ? branch(value) : value;
}

/** Back from a tree. */
export function fromTree(tree: TreeObject): MkioObject {
  const set = Object.entries(tree).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, value] as const]));
  return Object.fromEntries(set.map(([name, value]) => [name === "odataType" ? TYPE : name, wire(value)]));
}

function wire(value: Tree): MkioJson {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return (value as readonly Tree[]).map(wire);
  return typeof value === "object" && value !== null ? fromTree(value as TreeObject) : (value as MkioJson);
}

/** Whether a secret is there and not shown. */
export function hidesSecrets(value: MkioJson): boolean {
  if (isList(value)) return value.some(hidesSecrets);
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, item]) => (SECRETS.has(name) ? item === "" : hidesSecrets(item)));
}

export function propertiesOf(entity: MkioObject): MkioObject {
  const { properties } = entity;
  if (isObject(properties)) return properties;
  throw unexpected("an entity without properties");
}

export function listOf(from: MkioObject, name: string): readonly MkioJson[] {
  const value = from[name];
  return isList(value) ? value : [];
}

/** Empty texts stand for what is not set. */
export function textOf(from: MkioObject, name: string): string | null {
  const value = from[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function required(from: MkioObject, name: string): string {
  const value = textOf(from, name);
  if (value === null) throw unexpected(`an entity without ${name}`);
  return value;
}

function time(from: MkioObject, name: string): number | null {
  const at = Date.parse(textOf(from, name) ?? "");
  return Number.isNaN(at) ? null : at;
}

function unexpected(what: string): PaircastError {
  return new PaircastError("account_rejected", `MK.IO answered with ${what}`);
}
