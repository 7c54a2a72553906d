/**
 * STABLE-VARIANT-ID and STABLE-RENDITION-ID for playlists that have none: from the address relative to the manifest, thus equal in every
 * region and at every download. Players match a variant across pathways by them. Tokens in a query stay out of them. Pure.
 */
import { hashText } from "../order/hash.ts";

/** Longer ones are cut and told apart by a hash. */
const MAX_LENGTH = 64;

export class StableIds {
  readonly #byUri = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();
  readonly #manifest: URL;

  constructor(manifest: string) {
    this.#manifest = new URL(manifest);
  }

  /** An id that the playlist itself gives. */
  keep(url: URL, id: string): void {
    this.#byUri.set(url.href, id);
    this.#taken.add(id);
  }

  /** The same for the same URL, distinct for distinct ones. */
  of(url: URL): string {
    const known = this.#byUri.get(url.href);
    if (known !== undefined) return known;
    const id = this.#free(written(relativePath(this.#manifest, url)));
    this.keep(url, id);
    return id;
  }

  #free(id: string): string {
    if (!this.#taken.has(id)) return id;
    for (let number = this.#next.get(id) ?? 2; ; number += 1) {
      if (this.#taken.has(`${id}-${number}`)) continue;
      this.#next.set(id, number + 1);
      return `${id}-${number}`;
    }
  }
}

/** `[A-Za-z0-9+/=.-_]` is what the specification allows. */
function written(path: string): string {
  const plain = path.replace(/[^\w+/=.-]+/g, "_");
  if (plain === path && plain !== "" && plain.length <= MAX_LENGTH) return plain;
  const hash = hashText(path).toString(16).padStart(8, "0");
  return `${plain.slice(0, MAX_LENGTH - hash.length - 1)}-${hash}`;
}

function relativePath(manifest: URL, url: URL): string {
  const [from, to] = [manifest.pathname.split("/").slice(0, -1), url.pathname.split("/")];
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared += 1;
  return [...from.slice(shared).map(() => ".."), ...to.slice(shared)].join("/");
}
