/** ARM's paths: compared without regard to case, names given back as they were written. */
import { ArmError, badRequest, parentNotFound, resourceNotFound } from "./errors.ts";
import type { AccountIdentity } from "./resources.ts";
import { same } from "./store.ts";

const PROVIDER = "providers/microsoft.media/mediaservices";

/** Decoded segments. 400 for a path that cannot be decoded and for names with slashes or control characters. */
export function decodedPath(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  try {
    const names = parts.map(decodeURIComponent);
    if (names.every(isName)) return names;
  } catch {
    // Falls through to the same answer: the path cannot be read.
  }
  throw badRequest("The path of the request is not valid.");
}

/** What follows the account's name; null for the lists of accounts. 404 in ARM's words for another subscription, group or account. */
export function pathInAccount(account: AccountIdentity, path: readonly string[]): string[] | null {
  const [, subscription = "", ...scoped] = path;
  if (!same(subscription, account.subscriptionId)) {
    throw new ArmError(404, "SubscriptionNotFound", `The subscription '${subscription}' could not be found.`, "arm");
  }
  const grouped = same(scoped[0] ?? "", "resourceGroups");
  const below = grouped ? groupPath(account, scoped) : scoped;
  if (!same(below.slice(0, 3).join("/"), PROVIDER)) {
    throw new ArmError(404, "InvalidResourceType", "The resource type could not be found.", "arm");
  }
  const [name, ...rest] = below.slice(3);
  if (name === undefined) return null;
  if (grouped && same(name, account.name)) return rest;
  throw rest.length === 0 ? resourceNotFound(`mediaServices/${name}`, account.resourceGroup) : parentNotFound(name);
}

function groupPath(account: AccountIdentity, scoped: readonly string[]): readonly string[] {
  const [, group = "", ...rest] = scoped;
  if (same(group, account.resourceGroup)) return rest;
  throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`, "arm");
}

/** Segments of a route's pattern. */
export function patternOf(path: string): string[] {
  return path === "" ? [] : path.split("/");
}

/** Null where the path is another one; else the variable segments. */
export function matchPath(pattern: readonly string[], path: readonly string[]): Map<string, string> | null {
  if (pattern.length !== path.length) return null;
  const params = new Map<string, string>();
  for (const [at, part] of pattern.entries()) {
    const segment = path[at] ?? "";
    if (part.startsWith(":")) params.set(part.slice(1), segment);
    else if (part !== segment.toLowerCase()) return null;
  }
  return params;
}

function isName(text: string): boolean {
  return !/[/\\\p{Cc}]/u.test(text);
}
