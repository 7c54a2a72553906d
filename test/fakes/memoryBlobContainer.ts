/** A blob container in memory, with faults. Keeps the contract of `BlobContainer`; ETags change with every write, as in the real service. */
import { createHash } from "node:crypto";
import { PaircastError } from "../../src/core/errors.ts";
import type { BlobContainer, BlobInfo, BlobUpload, BlobVersion, WriteCondition } from "../../src/core/ports/storage.ts";
import { Calls } from "./calls.ts";

interface Stored {
  readonly info: BlobInfo;
  readonly content: Uint8Array;
}

type Settled = "success" | "aborted" | "failed";
export type BlobProperties = Partial<Omit<BlobInfo, "name" | "length" | "etag">>;

let lastEtag = 0;

export class MemoryBlobContainer implements BlobContainer {
  readonly label: string;
  readonly calls: Calls;
  /** False: the container is not there, and every call says `container_missing`. */
  exists = true;
  readonly #blobs = new Map<string, Stored>();
  readonly #waiters = new Map<string, (() => void)[]>();
  readonly #halves = new Map<string, "failed" | "pending">();

  constructor(label: string, calls: Calls = new Calls()) {
    this.label = label;
    this.calls = calls;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<BlobInfo> {
    await this.#enter("list", this.label, "reads", signal);
    const names = [...this.#blobs.keys()].sort((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      signal?.throwIfAborted();
      const stored = this.#blobs.get(name);
      if (stored !== undefined) yield stored.info;
    }
  }

  async head(name: string, signal?: AbortSignal): Promise<BlobInfo | null> {
    await this.#enter("head", name, "reads", signal);
    return this.#blobs.get(name)?.info ?? null;
  }

  async read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    await this.#enter("read", blob.name, "reads", signal);
    return this.#readable(blob).content.slice(offset, offset + count);
  }

  async readUrl(name: string): Promise<string> {
    await this.#enter("readUrl", name, "reads");
    return `memory://${encodeURIComponent(this.label)}/${encodeURIComponent(name)}?sig=secret-of-${encodeURIComponent(this.label)}`;
  }

  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal): Promise<BlobInfo> {
    await this.#enter("copyFrom", blob.name, "writes", signal);
    const finished = await this.#awaitPending(blob, signal);
    if (finished !== null) return finished;
    this.#check(blob.name, condition);
    const content = await source.read(blob, 0, blob.length, signal);
    this.#breakOff(blob);
    signal?.throwIfAborted();
    this.#check(blob.name, condition);
    return this.put(blob.name, content, { ...blob, copyStatus: "success" });
  }

  async write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    await this.#enter("write", name, "writes", signal);
    this.#check(name, options.condition);
    return this.put(name, content, { contentType: options.contentType });
  }

  upload(name: string, contentType: string): BlobUpload {
    const parts: Uint8Array[] = [];
    return {
      put: async (content, signal) => {
        const at = parts.push(new Uint8Array()) - 1;
        await this.#enter("upload", name, "writes", signal);
        parts[at] = content.slice();
      },
      commit: async (signal) => {
        await this.#enter("commit", name, "writes", signal);
        return this.put(name, new Uint8Array(Buffer.concat(parts)), { contentType, contentMd5: null });
      },
    };
  }

  /** Puts a blob in place as somebody else would: unconditional, not counted. */
  put(name: string, content: Uint8Array, properties: BlobProperties = {}): BlobInfo {
    lastEtag += 1;
    const info: BlobInfo = {
      type: "BlockBlob",
      contentMd5: createHash("md5").update(content).digest("base64"),
      contentType: "application/octet-stream",
      contentEncoding: null,
      contentLanguage: null,
      contentDisposition: null,
      cacheControl: null,
      metadata: {},
      tier: "Hot",
      copyStatus: null,
      ...properties,
      name,
      length: content.length,
      etag: `"0x8D${lastEtag.toString(16).toUpperCase().padStart(12, "0")}"`,
    };
    this.#blobs.set(name, { info, content: content.slice() });
    return info;
  }

  /** Other bytes lie there all at once, and nothing that the service lists tells: a disk that rots, or a service that mixes blobs up. */
  rot(name: string, change: (content: Uint8Array) => Uint8Array): void {
    const stored = this.#blobs.get(name);
    if (stored === undefined) throw new Error(`no blob ${name} in ${this.label}`);
    this.#blobs.set(name, { ...stored, content: change(stored.content.slice()) });
  }

  /** Takes a blob away as somebody else would. */
  remove(name: string): void {
    this.#blobs.delete(name);
    this.#wake(name);
  }

  /** The content as it lies there, whatever its state. */
  content(name: string): Uint8Array | undefined {
    return this.#blobs.get(name)?.content;
  }

  /** Every blob's name, sorted. */
  names(): readonly string[] {
    return [...this.#blobs.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  /** A server-side copy that somebody (an earlier run) has started and that runs until `settlePending`. */
  putPending(name: string, content: Uint8Array, properties: BlobProperties = {}): BlobInfo {
    return this.put(name, content, { ...properties, copyStatus: "pending" });
  }

  settlePending(name: string, status: Settled): void {
    const stored = this.#blobs.get(name);
    if (stored?.info.copyStatus !== "pending") throw new Error(`no pending copy of ${name} in ${this.label}`);
    const { length: _length, etag: _etag, name: _name, ...properties } = stored.info;
    const content = status === "success" ? stored.content : new Uint8Array();
    this.put(name, content, { ...properties, contentMd5: status === "success" ? properties.contentMd5 : null, copyStatus: status });
    this.#wake(name);
  }

  /** The next copy to `name` breaks off in the middle and leaves a blob without readable content: `pending` as after a crash, or `failed`. */
  leaveHalf(name: string, state: "failed" | "pending"): void {
    this.#halves.set(name, state);
  }

  async #enter(operation: string, subject: string, kind: "reads" | "writes", signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.calls.enter(operation, subject, kind);
    signal?.throwIfAborted();
    if (!this.exists) throw new PaircastError("container_missing", `${operation} ${subject}: there is no container ${this.label}`);
  }

  #readable(blob: BlobVersion): Stored {
    const stored = this.#blobs.get(blob.name);
    if (stored === undefined || stored.info.etag !== blob.etag)
      throw new PaircastError("blob_changed", `read ${this.label}/${blob.name}: it has changed since it was listed`, { retry: "retry" });
    if (stored.info.tier === "Archive")
      throw new PaircastError("blob_archived", `read ${this.label}/${blob.name}: it is in the archive tier; rehydrate it first`);
    if (stored.info.copyStatus !== null && stored.info.copyStatus !== "success")
      throw new PaircastError(
        "storage_unavailable",
        `read ${this.label}/${blob.name}: the copy that makes it is ${stored.info.copyStatus}`,
        {
          retry: "retry",
        },
      );
    return stored;
  }

  #check(name: string, condition: WriteCondition): void {
    const present = this.#blobs.get(name)?.info.etag;
    const holds = condition === "absent" ? present === undefined : present === condition.etag;
    if (!holds)
      throw new PaircastError("blob_conflict", `write ${this.label}/${name}: the blob there is not the one expected`, {
        retry: "conflict",
      });
  }

  /** Waits for a pending copy; its result if it holds the content of `blob`. */
  async #awaitPending(blob: BlobInfo, signal?: AbortSignal): Promise<BlobInfo | null> {
    if (this.#blobs.get(blob.name)?.info.copyStatus !== "pending") return null;
    await this.#woken(blob.name, signal);
    const now = this.#blobs.get(blob.name)?.info;
    const same = now?.copyStatus === "success" && now.length === blob.length && now.contentMd5 === blob.contentMd5;
    return same ? now : null;
  }

  async #woken(name: string, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      reject(signal?.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
    };
    this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), resolve]);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #wake(name: string): void {
    for (const resolve of this.#waiters.get(name) ?? []) resolve();
    this.#waiters.delete(name);
  }

  #breakOff(blob: BlobInfo): void {
    const state = this.#halves.get(blob.name);
    if (state === undefined) return;
    this.#halves.delete(blob.name);
    const { length: _length, etag: _etag, name, ...properties } = blob;
    this.put(name, new Uint8Array(), { ...properties, contentMd5: null, copyStatus: state });
    throw new PaircastError("storage_unavailable", `copy ${this.label}/${name}: the service went away during the copy`, { retry: "retry" });
  }
}
