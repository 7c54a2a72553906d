/** What is remembered of the players that ask: how often, and where they were sent. A bound on memory, oldest forgotten first. */
import { LRUCache } from "lru-cache";
import type { Address } from "../../core/address.ts";
import type { Bucket } from "./bucket.ts";
import type { Given } from "./voice.ts";

/** A few hundred bytes each. One that is forgotten is as good as new. */
const MAX_VIEWERS = 20_000;

export interface KnownViewer {
  bucket: Bucket | null;
  given: Given | null;
  /** Monotonic milliseconds until which `given` is its latest answer: after that it may have asked another gateway. */
  until: number;
}

export class KnownViewers {
  readonly #known = new LRUCache<string, KnownViewer>({ max: MAX_VIEWERS });

  /** `place`: where it asks from; `id`: what tells it from others there. */
  of(place: string, id: string): KnownViewer {
    const key = `${place} ${id}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fresh: KnownViewer = { bucket: null, given: null, until: 0 };
    this.#known.set(key, fresh);
    return fresh;
  }
}

/** IPv4-mapped: RFC 4291 §2.5.5.2. */
const MAPPED_GROUP = 5;
const NETWORK_GROUPS = 4;

/**
 * The part of an address that is one viewer's: all of an IPv4 address; of an IPv6 address the first 64 bits, because whoever has one has all that
 * follow them.
 */
export function viewerPlace(address: Address): string {
  const mapped = address[MAPPED_GROUP] === 0xffff && address.slice(0, MAPPED_GROUP).every((group) => group === 0);
  return (mapped ? address.slice(MAPPED_GROUP + 1) : address.slice(0, NETWORK_GROUPS)).join(".");
}
