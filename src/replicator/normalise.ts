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
    options: list.map((option) => (isObject(option) ? everywhere(without(option, ["policyOptionId"]), policyField) : option)),
  };
}

const DURATIONS: ReadonlySet<string> = new Set(["relativeBeginDate", "relativeExpirationDate", "gracePeriod", "firstPlayExpiration"]);

function policyField(name: string, value: Tree | undefined, within: TreeObject): Tree | undefined {
  // Licences that expire twice have their durations in offlineRentalConfiguration: the service sets this one to 0, whatever it was sent.
  if (name === "rentalDuration" && within["rentalAndLeaseKeyType"] === "DualExpiry") return undefined;
  return DURATIONS.has(name) && typeof value === "string" ? sameDuration(value) : value;
}

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** In seconds where it can be told: `PT24H` is `P1D`. */
function sameDuration(text: string): string {
  const match = DURATION.exec(text);
  if (match === null || !/\d/.test(text)) return text;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part: string | undefined) => Number(part ?? 0));
  return `${((days * 24 + hours) * 60 + minutes) * 60 + seconds} s`;
}

/** What a policy does not switch on is off: services differ in whether they say so. */
export function streamingPolicyTree(properties: TreeObject): TreeObject {
  return everywhere(without(properties, ASSIGNED), (name, value) => {
    if (name === "enabledProtocols" && isObject(value)) return Object.fromEntries(Object.entries(value).filter(([, on]) => on !== false));
    return name === "allowPersistentLicense" && value === false ? undefined : value;
  });
}

/** A filter's conditions hold all together, so their order says nothing; neither does that of its tracks, of which any may fit. */
export function filterTree(properties: TreeObject): TreeObject {
  return everywhere(properties, (name, value) =>
    (name === "tracks" || name === "trackSelections") && value !== undefined && value !== null && typeof value === "object" && isList(value)
      ? value.toSorted((one, other) => (canonicalText(one) < canonicalText(other) ? -1 : 1))
      : value,
  );
}

/** What the service finds out by itself is left out; a text track is visible where nothing else is said. */
export function trackTree(properties: TreeObject): TreeObject {
  const { bitRate: _bitRate, ...kept } = properties;
  if (kept["odataType"] !== "#Microsoft.Media.TextTrack") return kept;
  const { languageCode: _languageCode, ...text } = kept;
  return { ...text, playerVisibility: text["playerVisibility"] ?? "Visible" };
}

/** The tree with every field, at all depths, replaced by what `change` makes of it; undefined takes it away. Inner fields first. */
function everywhere(tree: TreeObject, change: (name: string, value: Tree | undefined, within: TreeObject) => Tree | undefined): TreeObject {
  const inner = (value: Tree | undefined): Tree | undefined => {
    if (isObject(value)) return everywhere(value, change);
    return value !== undefined && value !== null && typeof value === "object" && isList(value)
      ? value.map((item) => inner(item) ?? null)
      : value;
  };
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, change(name, inner(value), tree)]));
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

/** What stands at a path that `differingFields` gave, in its canonical form. Only for trees without secrets. */
export function at(tree: Tree | undefined, path: string): Canonical | undefined {
  let found: Canonical | undefined = canonical(tree);
  for (const name of path === "everything" ? [] : path.split(/\.|\[|\]\.?/).filter((part) => part !== ""))
    found = isBranch(found) ? member(found, name) : undefined;
  return found;
}

/** Bytes and times are leaves. */
function isBranch(tree: Canonical | undefined): tree is readonly Canonical[] | { readonly [name: string]: Canonical } {
  return typeof tree === "object" && tree !== null && !("$bytes" in tree) && !("$time" in tree);
}

function member(tree: readonly Canonical[] | { readonly [name: string]: Canonical }, name: string): Canonical | undefined {
  return (tree as { readonly [name: string]: Canonical | undefined })[name];
}
