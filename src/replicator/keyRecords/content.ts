/** What the record of keys holds of each entity, and how it becomes text. Secrets are in it. Pure. */
import { PaircastError } from "../../core/errors.ts";
import type {
  ContentKeyPolicy,
  MediaAsset,
  MediaFilter,
  MediaTrack,
  StreamingLocator,
  StreamingPolicy,
  Tree,
  TreeObject,
} from "../../core/media.ts";

/** A published locator with its keys, and the asset that it publishes. */
export interface RecordedLocator {
  readonly kind: "locator";
  /** The region that publishes it; its policies and filters are recorded under it. */
  readonly source: string;
  readonly asset: Omit<MediaAsset, "lastModified">;
  readonly assetFilters: readonly MediaFilter[];
  /** Those that were added to the asset. */
  readonly tracks: readonly MediaTrack[];
  readonly locator: StreamingLocator;
  /** Paths as the source has them. */
  readonly manifests: { readonly hls: string | null; readonly dash: string | null };
}

export type RecordedContent =
  | RecordedLocator
  | { readonly kind: "contentKeyPolicy"; readonly policy: ContentKeyPolicy }
  | { readonly kind: "streamingPolicy"; readonly policy: StreamingPolicy }
  | { readonly kind: "accountFilters"; readonly filters: readonly MediaFilter[] };

export type RecordedKind = RecordedContent["kind"];
export type ContentOf<K extends RecordedKind> = Extract<RecordedContent, { readonly kind: K }>;

export const LOCATOR_PREFIX = "locator/";

export function locatorRecordId(locatorId: string): string {
  return `${LOCATOR_PREFIX}${locatorId.toLowerCase()}`;
}

/** Policies are shared by many locators, and have names that only their region knows. */
export function policyRecordId(kind: "contentKeyPolicy" | "streamingPolicy", source: string, name: string): string {
  return `${kind}/${source}/${name}`;
}

/** All filters of an account are one record: a player may name any of them. */
export function filtersRecordId(source: string): string {
  return `accountFilters/${source}/all`;
}

/** By the service: they cannot be given to it, and change without the policy. */
const ASSIGNED = ["policyId", "policyOptionId", "created", "lastModified", "systemData"];

/** The properties of a policy as they can be given to a service again: unlike the trees that are compared, with everything that it has set. */
export function withoutAssigned(properties: TreeObject): TreeObject {
  return settable(properties) as TreeObject;
}

function settable(tree: Tree): Tree {
  if (tree === null || typeof tree !== "object" || tree instanceof Date || tree instanceof Uint8Array) return tree;
  if (isList(tree)) return tree.map(settable);
  const entries = Object.entries(tree).filter(([name]) => !ASSIGNED.includes(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value === undefined ? undefined : settable(value)]));
}

/** Of what is inside a record. A change that older releases would misread makes it another number. */
const FORMAT = 1;

/** Equal contents have equal texts: names are sorted, so are keys and filters, which the service answers in its own order. */
export function recordText(content: RecordedContent): string {
  return JSON.stringify({ format: FORMAT, content: encoded(ordered(content) as unknown as Tree) });
}

/** Throws `key_record_newer` for what a later release wrote, `key_record_damaged` for what is no content. */
export function recordFrom(text: string, id: string): RecordedContent {
  const read = parsed(text, id);
  if (read.format !== FORMAT)
    throw new PaircastError(
      "key_record_newer",
      `read key record ${id}: its format ${String(read.format)} is not this release's; use the newer release`,
    );
  return decoded(read.content) as unknown as RecordedContent;
}

function parsed(text: string, id: string): { readonly format?: unknown; readonly content: Encoded } {
  try {
    return JSON.parse(text) as { format: unknown; content: Encoded };
  } catch {
    throw new PaircastError("key_record_damaged", `read key record ${id}: it is no record of ours`);
  }
}

function ordered(content: RecordedContent): RecordedContent {
  if (content.kind === "accountFilters") return { ...content, filters: content.filters.toSorted(byName) };
  return content.kind === "locator" ? orderedLocator(content) : content;
}

function orderedLocator(recorded: RecordedLocator): RecordedLocator {
  const { locator, assetFilters, tracks } = recorded;
  return {
    ...recorded,
    assetFilters: assetFilters.toSorted(byName),
    tracks: tracks.toSorted(byName),
    locator: {
      ...locator,
      filters: locator.filters.toSorted(),
      contentKeys: locator.contentKeys.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    },
  };
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}

/** JSON has neither bytes nor times: a list whose first item says what follows stands for them, and for lists. */
type Encoded = null | boolean | number | string | readonly ["list", ...Encoded[]] | readonly ["bytes" | "time", string] | EncodedObject;
interface EncodedObject {
  readonly [name: string]: Encoded;
}

function encoded(tree: Tree): Encoded {
  if (tree === null || typeof tree !== "object") return tree;
  if (tree instanceof Date) return ["time", Number.isNaN(tree.getTime()) ? "" : tree.toISOString()];
  if (tree instanceof Uint8Array) return ["bytes", Buffer.from(tree).toString("base64")];
  if (isList(tree)) return ["list", ...tree.map(encoded)];
  return encodedObject(tree);
}

function encodedObject(tree: TreeObject): EncodedObject {
  const entries = Object.entries(tree).flatMap(([name, value]) => (value === undefined ? [] : [[name, encoded(value)] as const]));
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function decoded(value: Encoded): Tree {
  if (value === null || typeof value !== "object") return value;
  if (!isTagged(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, decoded(inner)]));
  const [tag, ...rest] = value;
  const [text] = rest;
  if (tag === "list" || typeof text !== "string") return rest.map((item) => decoded(item));
  return tag === "time" ? new Date(text === "" ? Number.NaN : text) : new Uint8Array(Buffer.from(text, "base64"));
}

function isTagged(value: Encoded): value is Extract<Encoded, readonly unknown[]> {
  return Array.isArray(value);
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree);
}
