/** Lists with `$filter`, `$orderby`, `$top` and paging by `@odata.nextLink`, as the service's documentation has them per type of entity. */
import type { JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { asText } from "./fields.ts";
import { compileFilter, sortableValue, type ListedField, type Operator } from "./odataFilter.ts";

/** What a list offers. */
export interface Listing {
  readonly fields: readonly ListedField[];
  readonly top: boolean;
  /** Sorts before the name where no order is asked for: the predefined streaming policies come first. */
  readonly rank?: (name: string) => string;
}

interface Order {
  /** Sort key of an entity; its name decides between equals. */
  readonly key: (body: JsonObject) => string;
  /** The same from a `$skiptoken`. */
  readonly keyOfToken: (token: string) => readonly [string, string];
  readonly token: (body: JsonObject) => string;
  readonly sign: 1 | -1;
}

const ALL: readonly Operator[] = ["eq", "ne", "gt", "ge", "lt", "le"];
const RANGE: readonly Operator[] = ["gt", "ge", "lt", "le"];
const KNOWN = new Set(["$filter", "$orderby", "$top", "$skiptoken"]);

const field = (path: string, kind: ListedField["kind"], operators: readonly Operator[], orderable = true): ListedField => ({
  path,
  kind,
  operators,
  orderable,
});

/** Source: "Filtering, ordering, and paging entities" of the service's documentation. */
export const LISTINGS = {
  plain: { fields: [], top: false },
  assets: {
    fields: [
      field("name", "text", ["eq", ...RANGE]),
      field("properties/alternateId", "text", ["eq"], false),
      field("properties/assetId", "text", ["eq"], false),
      field("properties/created", "time", ["eq", "gt", "lt"]),
    ],
    top: true,
  },
  contentKeyPolicies: {
    fields: [
      field("name", "text", ALL),
      field("properties/created", "time", ALL),
      field("properties/description", "text", ALL, false),
      field("properties/lastModified", "time", ALL),
      field("properties/policyId", "text", ["eq", "ne"], false),
    ],
    top: true,
  },
  streamingPolicies: {
    fields: [field("name", "text", ALL), field("properties/created", "time", ALL)],
    top: true,
    rank: (name: string) => (name.startsWith("Predefined_") ? "0" : "1"),
  },
  streamingLocators: {
    fields: [field("name", "text", ALL), field("properties/created", "time", ALL), field("properties/endTime", "time", ALL)],
    top: true,
  },
  transforms: {
    fields: [field("name", "text", ["eq"]), field("properties/created", "time", RANGE), field("properties/lastModified", "time", RANGE)],
    top: false,
  },
  jobs: {
    fields: [
      field("name", "text", ["eq"]),
      field("properties/state", "state", ["eq", "ne"], false),
      field("properties/created", "time", RANGE),
      field("properties/lastModified", "time", RANGE),
    ],
    top: false,
  },
} as const satisfies Readonly<Record<string, Listing>>;

/** One page of `bodies`. `url` is the absolute URL of the request. 400 for query options that the list does not offer. */
export function page(bodies: readonly JsonObject[], listing: Listing, url: URL, pageSize: number): JsonObject {
  const query = url.searchParams;
  for (const name of query.keys()) {
    if (name.startsWith("$") && !KNOWN.has(name)) throw badRequest(`The query parameter '${name}' is not supported.`);
  }
  const filter = query.get("$filter");
  const keep = filter === null ? () => true : compileFilter(filter, listing.fields);
  const order = orderOf(query.get("$orderby"), listing);
  const top = topOf(query.get("$top"), listing);
  const rest = after(query.get("$skiptoken"), bodies.filter(keep).toSorted(comparator(order)), order);
  const value = rest.slice(0, Math.min(pageSize, top));
  const last = value.at(-1);
  if (last === undefined || value.length === rest.length || value.length === top) return { value };
  return { value, "@odata.nextLink": nextLink(url, order.token(last), top - value.length) };
}

/**
 * The same of entities in the order of their names, at the cost of one page however many there are. Null where the request asks for a filter or
 * an order: then all of them have to be looked at.
 */
export function pageByName<T extends { readonly name: string }>(
  sorted: readonly T[],
  bodyOf: (entity: T) => JsonObject,
  listing: Listing,
  url: URL,
  pageSize: number,
): JsonObject | null {
  const query = url.searchParams;
  if (query.has("$filter") || query.has("$orderby")) return null;
  const token = query.get("$skiptoken");
  const from = token === null ? 0 : placeAfter(sorted, token.toLowerCase());
  const part = sorted.slice(from, from + pageSize + 1);
  return page(part.map(bodyOf), listing, url, pageSize);
}

/** Where the first name stands that comes after this one. */
function placeAfter(sorted: readonly { readonly name: string }[], name: string): number {
  let [from, below] = [0, sorted.length];
  while (from < below) {
    const middle = (from + below) >>> 1;
    if ((sorted[middle]?.name.toLowerCase() ?? "") <= name) from = middle + 1;
    else below = middle;
  }
  return from;
}

function nextLink(url: URL, token: string, top: number): string {
  const next = new URL(url);
  next.searchParams.set("$skiptoken", token);
  if (Number.isFinite(top)) next.searchParams.set("$top", String(top));
  return next.href;
}

const nameOf = (body: JsonObject): string => asText(body["name"]);

function orderOf(orderby: string | null, listing: Listing): Order {
  if (orderby === null || orderby.trim() === "") {
    const rank = listing.rank ?? (() => "");
    return { key: (body) => rank(nameOf(body)), keyOfToken: (token) => [rank(token), token], token: nameOf, sign: 1 };
  }
  const match = /^([A-Za-z][\w/]*)(?: +(asc|desc))?$/.exec(orderby.trim());
  const known = listing.fields.find(({ path, orderable }) => orderable && path.toLowerCase() === match?.[1]?.toLowerCase());
  if (known === undefined)
    throw badRequest(`The query parameter '$orderby' is not supported: this list cannot be ordered by '${orderby}'.`);
  const sign = match?.[2] === "desc" ? -1 : 1;
  if (known.path === "name") return { key: () => "", keyOfToken: (token) => ["", token], token: nameOf, sign };
  const key = (body: JsonObject) => sortableValue(body, known) ?? "";
  return { key, keyOfToken: splitToken, token: (body) => `${key(body)}|${nameOf(body)}`, sign };
}

function splitToken(token: string): readonly [string, string] {
  const at = token.indexOf("|");
  if (at < 0) throw badRequest("The value of '$skiptoken' is not valid.");
  return [token.slice(0, at), token.slice(at + 1)];
}

function topOf(top: string | null, listing: Listing): number {
  if (top === null) return Number.POSITIVE_INFINITY;
  if (!listing.top) throw badRequest("The query parameter '$top' is not supported for this list.");
  if (!/^[1-9]\d{0,8}$/.test(top)) throw badRequest(`The value '${top}' of '$top' is not a positive number.`);
  return Number(top);
}

function after(token: string | null, sorted: readonly JsonObject[], order: Order): readonly JsonObject[] {
  if (token === null) return sorted;
  const [key, name] = order.keyOfToken(token);
  return sorted.filter((body) => order.sign * compareKeys(order.key(body), nameOf(body), key, name) > 0);
}

function comparator(order: Order): (a: JsonObject, b: JsonObject) => number {
  return (a, b) => order.sign * compareKeys(order.key(a), nameOf(a), order.key(b), nameOf(b));
}

function compareKeys(key: string, name: string, otherKey: string, otherName: string): number {
  return compareText(key, otherKey) || compareText(name.toLowerCase(), otherName.toLowerCase());
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
