/** References of an MPD and what they mean at each region. Template tokens (`$Number%05d$`) come through untouched. Pure. */

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const AUTHORITY = /^(?:[a-z][a-z0-9+.-]*:)?(?:[/\\]{2}[^/\\?#]*)?/i;
const TOKEN = /\$[^$]*\$/g;

/** A URL's directory: what relative references are resolved against. Its query goes, and with it any token. */
export function directoryOf(url: string): string {
  return new URL(".", url).href;
}

/** The absolute URL, or null where there is none. */
export function resolve(reference: string, base: string): string | null {
  return URL.parse(reference, base)?.href ?? null;
}

/** True for `https://…` and the like, also for `urn:` and `data:`. */
export function hasScheme(reference: string): boolean {
  return SCHEME.test(reference);
}

export function isHttp(reference: string): boolean {
  return /^https?:/i.test(reference);
}

/** True for an absolute reference, with or without its scheme. */
export function namesHost(reference: string): boolean {
  return hasScheme(reference) || /^[/\\]{2}/.test(reference);
}

/** True where the reference says nothing about the host or the root of the path, so that it follows its base. */
export function followsBase(reference: string): boolean {
  return !hasScheme(reference) && !/^[/\\]/.test(reference);
}

/** True for a URL at or below a directory. Both are absolute and in the URL standard's spelling. */
export function isBelow(url: string, directory: string): boolean {
  return url.startsWith(directory);
}

/**
 * What is left of a URL's path when the end that all copies share is taken off: the root of the region, below which everything has the
 * same path everywhere.
 */
export function rootOf(url: string, copies: readonly string[]): string {
  const steps = stepsOf(url);
  const shared = Math.min(...copies.map((copy) => sharedEnd(steps, stepsOf(copy))));
  const root = steps.slice(0, steps.length - shared);
  return new URL(["", ...root, ""].join("/"), url).href;
}

function stepsOf(url: string): string[] {
  return new URL(".", url).pathname.split("/").slice(1, -1);
}

function sharedEnd(one: readonly string[], other: readonly string[]): number {
  let count = 0;
  while (count < one.length && count < other.length && one.at(-1 - count) === other.at(-1 - count)) count += 1;
  return count;
}

/** An absolute or rooted reference, said relative to a base with the same origin; null where that cannot be said. */
export function relativeTo(base: string, reference: string): string | null {
  const meant = resolve(reference, base);
  const [path, rest] = cutAtQuery(reference.replace(AUTHORITY, ""));
  const relative = stepsBetween(new URL(base).pathname, path.startsWith("/") ? path : `/${path}`) + rest;
  return meant !== null && resolve(relative, base) === meant ? relative : null;
}

function cutAtQuery(text: string): [string, string] {
  const at = text.search(/[?#]/);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

function stepsBetween(from: string, to: string): string {
  const here = from.split("/").slice(0, -1);
  const there = to.split("/");
  let shared = 0;
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared += 1;
  const relative = "../".repeat(here.length - shared) + there.slice(shared).join("/");
  // RFC 3986 §4.2: a first step that is empty or holds a colon would be read as a root or as a scheme.
  return relative === "" || /^(?:\/|[^/]*:)/.test(relative) ? `./${relative}` : relative;
}

/** A template as it might read for one segment (ISO/IEC 23009-1 §5.3.9.4.4). */
export function sampleOf(template: string): string {
  return template.replaceAll(TOKEN, (token) => (token === "$$" ? "$" : "1"));
}

/** True where every template token of the one text is in the other. */
export function keepsTokens(before: string, after: string): boolean {
  return (before.match(TOKEN) ?? []).every((token) => after.includes(token));
}

/** A URL as it may stand in a log: without its user, password and query. */
export function named(reference: string): string {
  return reference.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
}
