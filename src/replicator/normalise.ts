/**
 * Canonical trees, in which two regions' entities are equal exactly when players and key requests cannot tell them apart. The service does
 * not give back what it was given: absent values become null or empty lists, certificates change from PEM to DER, and it assigns ids. Pure.
 */
import type { StreamingLocator, Tree, TreeObject } from "../core/media.ts";

/** Plain JSON with sorted names; bytes as `{$bytes: hex}`, times as `{$time: ms}`. */
export type Canonical = null | boolean | number | string | readonly Canonical[] | { readonly [name: string]: Canonical };

const BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const END_CERTIFICATE = "-----END CERTIFICATE-----";

/** Null, absent and empty lists become undefined; the order of lists is kept. */
export function canonical(tree: Tree | undefined): Canonical | undefined {
  if (tree === null || tree === undefined) return undefined;
  if (typeof tree !== "object") return tree;
  if (tree instanceof Date) return { $time: Number.isNaN(tree.getTime()) ? "invalid" : tree.getTime() };
  if (tree instanceof Uint8Array) return { $bytes: hex(derOf(tree)) };
  if (isList(tree)) return tree.length === 0 ? undefined : tree.map((item) => canonical(item) ?? null);
  return canonicalObject(tree);
}

function canonicalObject(tree: TreeObject): Canonical {
  const result: Record<string, Canonical> = {};
  for (const name of Object.keys(tree).sort()) {
    const value = canonical(tree[name]);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree);
}

export function isObject(tree: Tree | undefined): tree is TreeObject {
  return typeof tree === "object" && tree !== null && !(tree instanceof Date) && !(tree instanceof Uint8Array) && !isList(tree);
}

/** The text that two equal trees share. */
export function canonicalText(tree: Tree | undefined): string {
  return JSON.stringify(canonical(tree) ?? null);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The service takes a certificate as PEM and gives it back as DER. */
function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x2d) return bytes;
  const text = String.fromCharCode(...bytes.subarray(0, 65_536)).trim();
  const end = text.indexOf(END_CERTIFICATE);
  if (!text.startsWith(BEGIN_CERTIFICATE) || end < 0) return bytes;
  const body = text.slice(BEGIN_CERTIFICATE.length, end).replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || body.replace(/=+$/, "").length % 4 === 1) return bytes;
  return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
}

function without(tree: TreeObject, names: readonly string[]): TreeObject {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)));
}

const ASSIGNED = ["policyId", "created", "lastModified", "systemData"];

/** Ids and times that the service assigns are left out; the order of options stays, because the first that fits is used. */
export function contentKeyPolicyTree(properties: TreeObject): TreeObject {
  const { options, ...rest } = properties;
  const list = options !== undefined && options !== null && isList(options) ? options : [];
  return {
    ...without(rest, ASSIGNED),
    options: list.map((option) => (isObject(option) ? without(option, ["policyOptionId"]) : option)),
  };
}

export function streamingPolicyTree(properties: TreeObject): TreeObject {
  return without(properties, ASSIGNED);
}

/** The service shows an unset end as the last moment of the year 9999, in several roundings. */
const NO_END = 253_402_214_400_000;

/** Filters and keys are sets: the service answers them in its own order. Key values are in it: a secret. */
export function locatorTree(locator: StreamingLocator): TreeObject {
  return {
    streamingLocatorId: locator.streamingLocatorId.toLowerCase(),
    assetName: locator.assetName,
    streamingPolicyName: locator.streamingPolicyName,
    defaultContentKeyPolicyName: locator.defaultContentKeyPolicyName,
    alternativeMediaId: locator.alternativeMediaId,
    startTime: locator.startTime,
    endTime: locator.endTime !== null && locator.endTime >= NO_END ? null : locator.endTime,
    filters: [...new Set(locator.filters)].sort(),
    contentKeys: Object.fromEntries(
      locator.contentKeys.map((key) => [key.id.toLowerCase(), { value: key.value, label: key.labelReferenceInStreamingPolicy }]),
    ),
  };
}

/** Paths at which two trees differ, for instance `options[0].restriction.issuer`; at most `limit`. No values: they can be secrets. */
export function differingFields(one: Tree | undefined, other: Tree | undefined, limit = 8): readonly string[] {
  const found: string[] = [];
  compare(canonical(one), canonical(other), "", found, limit);
  return found;
}

function compare(one: Canonical | undefined, other: Canonical | undefined, path: string, found: string[], limit: number): void {
  if (found.length >= limit || JSON.stringify(one) === JSON.stringify(other)) return;
  if (isBranch(one) && isBranch(other) && Array.isArray(one) === Array.isArray(other)) {
    for (const name of [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()) {
      compare(
        member(one, name),
        member(other, name),
        Array.isArray(one) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`,
        found,
        limit,
      );
    }
    return;
  }
  found.push(path === "" ? "everything" : path);
}

/** Bytes and times are leaves. */
function isBranch(tree: Canonical | undefined): tree is readonly Canonical[] | { readonly [name: string]: Canonical } {
  return typeof tree === "object" && tree !== null && !("$bytes" in tree) && !("$time" in tree);
}

function member(tree: readonly Canonical[] | { readonly [name: string]: Canonical }, name: string): Canonical | undefined {
  return (tree as { readonly [name: string]: Canonical | undefined })[name];
}
