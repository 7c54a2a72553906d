/** Assets as the streaming endpoint knows them: server manifests and track indexes, cached by the ETag of their blobs. */
import { LRUCache } from "lru-cache";
import type { BlobReader } from "./blobs.ts";
import { OriginError } from "./originErrors.ts";
import { type Rendition, type ServerManifest, parseServerManifest } from "./serverManifest.ts";
import { type TrackIndex, parseTrackIndex } from "./trackIndex.ts";

/** A rendition with its index. */
export interface IndexedTrack {
  readonly rendition: Rendition;
  readonly index: TrackIndex;
}

/** A part of one media file, chosen by its index. */
export type PartOf = (index: TrackIndex) => { readonly offset: number; readonly size: number };

export interface Assets {
  /** What an asset is made of, checked against storage. Throws `OriginError` 404 where there is no such server manifest. */
  manifest(container: string, name: string): Promise<ServerManifest>;
  track(container: string, rendition: Rendition): Promise<IndexedTrack>;
  /** Bytes of one media file; safe against a file that is replaced between two requests. */
  part(container: string, rendition: Rendition, choose: PartOf): Promise<Uint8Array>;
}

interface Cached<Value> {
  readonly etag: string;
  readonly value: Value;
}

const SERVER_MANIFEST_LIMIT = 1024 * 1024;
/** Holds the movie box, the index of an hour and the first fragment's header; doubled where it does not. */
const HEAD_BYTES = 64 * 1024;
const HEAD_LIMIT = 8 * 1024 * 1024;

/** One per streaming endpoint. `entries` bounds both caches. */
export class CachedAssets implements Assets {
  readonly #blobs: BlobReader;
  readonly #manifests: LRUCache<string, Cached<ServerManifest>>;
  readonly #indexes: LRUCache<string, Cached<TrackIndex>>;

  constructor(blobs: BlobReader, entries = 500) {
    this.#blobs = blobs;
    this.#manifests = new LRUCache({ max: entries });
    this.#indexes = new LRUCache({ max: entries });
  }

  async manifest(container: string, name: string): Promise<ServerManifest> {
    const key = `${container}/${name}`;
    const known = this.#manifests.get(key);
    const answer = await this.#blobs.read({ container, name, offset: 0, count: SERVER_MANIFEST_LIMIT, ...unless(known) });
    if (known !== undefined && answer.kind === "unchanged") return known.value;
    if (answer.kind !== "found") throw new OriginError("MPE_RESOURCE_NOT_FOUND", `the asset has no ${name}`);
    const value = parseServerManifest(new TextDecoder().decode(answer.bytes), name);
    this.#manifests.set(key, { etag: answer.etag, value });
    return value;
  }

  async track(container: string, rendition: Rendition): Promise<IndexedTrack> {
    return { rendition, index: (await this.#index(container, rendition.file)).value };
  }

  async part(container: string, rendition: Rendition, choose: PartOf): Promise<Uint8Array> {
    const name = rendition.file;
    const known = this.#indexes.get(`${container}/${name}`);
    const first = known ?? (await this.#index(container, name));
    // A cached index is used unasked, for speed; the ETag catches a file that was replaced since.
    return (await this.#read(container, name, first, choose)) ?? (await this.#readAgain(container, name, choose));
  }

  async #readAgain(container: string, name: string, choose: PartOf): Promise<Uint8Array> {
    const bytes = await this.#read(container, name, await this.#index(container, name), choose);
    if (bytes === null) throw new OriginError("asset_unusable", `${name} is being replaced`);
    return bytes;
  }

  async #read(container: string, name: string, { etag, value }: Cached<TrackIndex>, choose: PartOf): Promise<Uint8Array | null> {
    const { offset, size } = choose(value);
    const answer = await this.#blobs.read({ container, name, offset, count: size, ifMatch: etag });
    if (answer.kind !== "found") return null;
    if (answer.bytes.length !== size) throw new OriginError("asset_unusable", `${name} is shorter than its index says`);
    return answer.bytes;
  }

  async #index(container: string, name: string): Promise<Cached<TrackIndex>> {
    const key = `${container}/${name}`;
    const known = this.#indexes.get(key);
    for (let count = HEAD_BYTES; count <= HEAD_LIMIT; count *= 2) {
      const answer = await this.#blobs.read({ container, name, offset: 0, count, ...unless(known) });
      if (known !== undefined && answer.kind === "unchanged") return known;
      if (answer.kind !== "found") throw new OriginError("MPE_RESOURCE_NOT_FOUND", `the asset has no ${name}`);
      const value = parseTrackIndex(new Uint8Array(answer.bytes), name);
      if (value !== null) return this.#remember(key, { etag: answer.etag, value });
      if (answer.bytes.length < count) break;
    }
    throw new OriginError("asset_unusable", `${name} has no movie box with a global sidx at its start`);
  }

  #remember(key: string, entry: Cached<TrackIndex>): Cached<TrackIndex> {
    this.#indexes.set(key, entry);
    return entry;
  }
}

function unless(known: Cached<unknown> | undefined): { ifNoneMatch?: string } {
  return known === undefined ? {} : { ifNoneMatch: known.etag };
}
