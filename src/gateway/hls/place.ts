/** Where a URL of one region lies in another: same path, other origin and base path. Pure. */

/** From one region to another: what stands before the path that both have in common. */
export interface Move {
  readonly origin: string;
  /** Base path without a slash at its end; empty where there is none. */
  readonly path: string;
  /** Origin and base path of the other region. */
  readonly to: string;
}

/** Null where it is no URL. */
export function resolved(uri: string, base: string | URL): URL | null {
  return URL.canParse(uri, base) ? new URL(uri, base) : null;
}

/** The move from a manifest's URL to that of its copy. What the two paths share at their end is the manifest's place in both regions. */
export function moveBetween(from: string, to: string): Move {
  const [one, other] = [new URL(from), new URL(to)];
  const [left, right] = [one.pathname.split("/"), other.pathname.split("/")];
  const shared = Math.max(1, sharedTail(left, right));
  return { origin: one.origin, path: head(left, shared), to: other.origin + head(right, shared) };
}

/** The move from a region to a gateway whose paths are those under the region's base. */
export function moveFromBase(base: string, to: string): Move {
  const { origin, pathname } = new URL(base);
  return { origin, path: pathname.replace(/\/+$/, ""), to };
}

/** The URL at the other end; null where it does not lie under the base that moves. */
export function moved(url: URL, { origin, path, to }: Move): string | null {
  if (url.origin !== origin || url.username !== "" || url.password !== "") return null;
  if (!url.pathname.startsWith(`${path}/`)) return null;
  return to + url.pathname.slice(path.length) + url.search + url.hash;
}

/** A URL as it may be written into a playlist: what looks like a variable reference would be resolved once more by the player. */
export function writable(url: string): string {
  return url.replaceAll("{$", "%7B$").replaceAll('"', "%22");
}

export function isHttp({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "http:";
}

/** For messages: without query and user, which may hold a token. */
export function described(url: URL): string {
  return isHttp(url) ? url.origin + url.pathname : `a ${url.protocol} URI`;
}

function sharedTail(one: readonly string[], other: readonly string[]): number {
  const most = Math.min(one.length, other.length) - 1;
  let shared = 0;
  while (shared < most && one.at(-1 - shared) === other.at(-1 - shared)) shared += 1;
  return shared;
}

function head(segments: readonly string[], shared: number): string {
  return segments.slice(0, segments.length - shared).join("/");
}
