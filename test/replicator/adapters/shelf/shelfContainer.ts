/** Packaged videos in shelves of an imagined service. */
import type { Clock } from "../../../../src/core/clock.ts";
import type { BlobContainer, BlobInfo, BlobVersion, CopiedBlob, WriteCondition } from "../../../../src/core/ports/storage.ts";
import { advised } from "../../../../src/replicator/adapters/storageAdvice.ts";

export interface ShelfQuestion {
  readonly method: "LIST" | "HEAD" | "GET" | "PUT" | "COPY";
  readonly shelf: string;
  /** Beside a name, say. */
  readonly fields: Readonly<Record<string, string | number>>;
  readonly content?: Uint8Array;
}

export interface ShelfAnswer {
  readonly status: number;
  /** JSON, but for GET. */
  readonly body: Uint8Array;
}

/** Sends one request; rejects where there is no answer. */
export type Ask = (question: ShelfQuestion, signal: AbortSignal) => Promise<ShelfAnswer>;

const TIMEOUT_MS = 60_000;

/** What each status means to the replicator. A read that finds another version is `blob_changed`, a write that does is `blob_conflict`. */
const CODES: Readonly<Record<number, string>> = {
  401: "storage_denied",
  403: "storage_denied",
  404: "container_missing",
  409: "blob_archived",
  410: "blob_changed",
  412: "blob_conflict",
  429: "storage_unavailable",
  503: "storage_unavailable",
};

export class ShelfContainer implements BlobContainer {
  readonly label: string;
  readonly #ask: Ask;
  readonly #clock: Clock;

  constructor(label: string, ask: Ask, clock: Clock) {
    this.label = label;
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Page by page as they are asked for, in the order of names. */
  async *list(signal?: AbortSignal): AsyncGenerator<BlobInfo> {
    for (let after = ""; ;) {
      const page = json(await this.#request(`list ${this.label}`, { method: "LIST", fields: { after } }, signal));
      // A login page answers 200 too. Read as an empty list, it would say that every video was withdrawn.
      if (!isPage(page)) throw advised("storage_unavailable", `list ${this.label}`, " (it answered something else)", undefined);
      yield* page.blobs;
      if (page.next === null) return;
      after = page.next;
    }
  }

  async head(name: string, signal?: AbortSignal): Promise<BlobInfo | null> {
    return json(await this.#request(`look at ${this.label}/${name}`, { method: "HEAD", fields: { name } }, signal)) as BlobInfo | null;
  }

  async read({ name, etag }: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    const fields = { name, etag, offset, count };
    return this.#request(`read ${this.label}/${name}`, { method: "GET", fields }, signal);
  }

  /** A secret: it goes to the service that copies, and into no message. */
  async readUrl(name: string): Promise<string> {
    const { url } = json(await this.#request(`sign ${this.label}/${name}`, { method: "HEAD", fields: { name, sign: 1 } })) as {
      url: string;
    };
    return url;
  }

  /** ONE request makes the whole blob readable, under the caller's condition; it is answered when the copy is complete. */
  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal): Promise<CopiedBlob> {
    signal?.throwIfAborted();
    const fields = { name: blob.name, from: await source.readUrl(blob.name), etag: blob.etag, ...conditionFields(condition) };
    return json(await this.#request(`copy ${this.label}/${blob.name}`, { method: "COPY", fields }, signal)) as CopiedBlob;
  }

  async write(
    name: string,
    content: Uint8Array,
    { contentType, condition }: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    const fields = { name, contentType, ...conditionFields(condition) };
    return json(await this.#request(`write ${this.label}/${name}`, { method: "PUT", fields, content }, signal)) as BlobInfo;
  }

  /** One request: bounded in time, its refusals translated. */
  async #request(what: string, question: Omit<ShelfQuestion, "shelf">, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    using deadline = this.#clock.deadline(TIMEOUT_MS);
    let answer: ShelfAnswer;
    try {
      const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
      answer = await this.#ask({ ...question, shelf: this.label }, either);
    } catch (cause) {
      signal?.throwIfAborted();
      throw advised("storage_unavailable", what, "", cause);
    }
    if (answer.status < 300) return answer.body;
    throw advised(CODES[answer.status] ?? "storage_rejected", what, ` (${answer.status})`, undefined);
  }
}

function conditionFields(condition: WriteCondition): { readonly replaces: string } {
  return { replaces: condition === "absent" ? "nothing" : condition.etag };
}

function json(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

function isPage(page: unknown): page is { readonly blobs: readonly BlobInfo[]; readonly next: string | null } {
  return typeof page === "object" && page !== null && "blobs" in page && Array.isArray(page.blobs) && "next" in page;
}
