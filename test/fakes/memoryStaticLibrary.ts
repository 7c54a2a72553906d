/** The storage of a region of the `static` driver, in memory. Keeps the contract of `StaticLibrary`. */
import type { ListPage } from "../../src/core/media.ts";
import type { PublicAccess, StaticLibrary, StaticManifests } from "../../src/core/ports/storage.ts";
import { findManifests } from "../../src/replicator/adapters/staticManifests.ts";
import { Calls } from "./calls.ts";
import { MemoryBlobContainer } from "./memoryBlobContainer.ts";

const PAGE = 3;

export class MemoryStaticLibrary implements StaticLibrary {
  readonly region: string;
  /** Calls for containers. */
  readonly calls = new Calls();
  /** Calls of all containers. */
  readonly blobCalls = new Calls();
  readonly #pattern: string;
  readonly #containers = new Map<string, { readonly blobs: MemoryBlobContainer; readonly access: PublicAccess }>();

  constructor(region = "westeurope", pattern = "*") {
    this.region = region;
    this.#pattern = pattern;
  }

  /** Writes of both kinds since the last `reset` of either. */
  get mutations(): number {
    return this.calls.mutations.length + this.blobCalls.mutations.length;
  }

  async *videos(signal?: AbortSignal): AsyncGenerator<string> {
    signal?.throwIfAborted();
    await this.calls.enter("videos", "*", "reads");
    const prefix = this.#pattern.endsWith("*") ? this.#pattern.slice(0, -1) : null;
    for (const name of [...this.#containers.keys()].sort())
      if (prefix === null ? name === this.#pattern : name.startsWith(prefix)) yield name;
  }

  async *videoPages(from: string | null, signal?: AbortSignal): AsyncGenerator<ListPage<string>> {
    const all = (await Array.fromAsync(this.videos(signal))).filter((name) => from === null || name > from);
    for (let at = 0; at === 0 || at < all.length; at += PAGE) {
      const items = all.slice(at, at + PAGE);
      yield { items, next: at + PAGE < all.length ? (items.at(-1) ?? null) : null };
    }
  }

  container(name: string): MemoryBlobContainer {
    const present = this.#containers.get(name);
    if (present !== undefined) return present.blobs;
    const missing = new MemoryBlobContainer(`${this.region}/${name}`, this.blobCalls);
    missing.exists = false;
    return missing;
  }

  async publicAccess(name: string, signal?: AbortSignal): Promise<PublicAccess | null> {
    signal?.throwIfAborted();
    await this.calls.enter("publicAccess", name, "reads");
    return this.#containers.get(name)?.access ?? null;
  }

  async createContainer(name: string, access: PublicAccess, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.calls.enter("createContainer", name, "writes");
    if (!this.#containers.has(name))
      this.#containers.set(name, { access, blobs: new MemoryBlobContainer(`${this.region}/${name}`, this.blobCalls) });
  }

  async manifests(name: string, signal?: AbortSignal): Promise<StaticManifests> {
    await this.calls.enter("manifests", name, "reads");
    return findManifests(this.container(name), name, signal);
  }
}
