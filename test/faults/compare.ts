/** Compares plain data, and one asset of two accounts. Pure. */
import type { AccountState, Plain } from "./truth.ts";

/** Where two trees differ, as `path: one | other`; at most `limit` of them. */
export function differences(one: Plain, other: Plain, path = "", limit = 20): readonly string[] {
  if (Object.is(one, other)) return [];
  if (isTree(one) && isTree(other)) {
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
    return names
      .flatMap((name) => differences(one[name] ?? null, other[name] ?? null, path === "" ? name : `${path}.${name}`, limit))
      .slice(0, limit);
  }
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length)
    return one
      .flatMap((part: Plain, at) => differences(part, (other[at] as Plain | undefined) ?? null, `${path}[${at}]`, limit))
      .slice(0, limit);
  return [`${path}: ${shown(one)} | ${shown(other)}`];
}

/** What the target of a copy lacks or has otherwise of one asset, with everything that its locators name. Empty: a true copy. */
export function assetDifferences(source: AccountState, target: AccountState, assetName: string): readonly string[] {
  const found: string[] = [];
  const compare = (what: string, there: Plain, here: Plain): void => void found.push(...differences(there, here, what));
  const asset = member(source.assets, assetName);
  compare(`asset ${assetName}`, asset, member(target.assets, assetName));
  const container = text(member(asset, "container"));
  for (const [blob, state] of entries(member(source.blobs, container)))
    compare(`blob ${blob}`, state, member(member(target.blobs, container), blob));
  for (const [name, locator] of entries(source.locators)) {
    if (text(member(locator, "assetName")) !== assetName) continue;
    compare(`locator ${name}`, locator, member(target.locators, name));
    const policy = text(member(locator, "streamingPolicyName"));
    compare(`streaming policy ${policy}`, member(source.streamingPolicies, policy), member(target.streamingPolicies, policy));
    const keys = text(member(locator, "defaultContentKeyPolicyName"));
    compare(`content key policy ${keys}`, member(source.contentKeyPolicies, keys), member(target.contentKeyPolicies, keys));
    for (const filter of list(member(locator, "filters")))
      compare(`filter ${text(filter)}`, member(source.accountFilters, text(filter)), member(target.accountFilters, text(filter)));
  }
  return found;
}

function isTree(value: Plain): value is { readonly [name: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function member(value: Plain, name: string): Plain {
  return isTree(value) ? (value[name] ?? null) : null;
}

function entries(value: Plain): readonly (readonly [string, Plain])[] {
  return isTree(value) ? Object.entries(value) : [];
}

function list(value: Plain): readonly Plain[] {
  return Array.isArray(value) ? (value as readonly Plain[]) : [];
}

function text(value: Plain): string {
  return typeof value === "string" ? value : "";
}

/** Hashes and key values are cut short: they only have to be told apart. */
function shown(value: Plain): string {
  const whole = JSON.stringify(value);
  return whole.length > 60 ? `${whole.slice(0, 57)}…` : whole;
}

/** The value of a content key, base64; null where no locator of the account has it. */
export function contentKeyIn(account: AccountState, keyId: string): string | null {
  for (const [, locator] of entries(account.locators))
    for (const key of list(member(locator, "contentKeys"))) if (text(member(key, "id")) === keyId) return text(member(key, "value"));
  return null;
}

/** Name of the container of an asset; null where there is no such asset. */
export function containerOf(account: AccountState, assetName: string): string | null {
  const container = member(member(account.assets, assetName), "container");
  return typeof container === "string" ? container : null;
}
