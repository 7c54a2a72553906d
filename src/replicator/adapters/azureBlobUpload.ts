/** A blob that comes in parts: each is a block, and the list of them is committed at the end. */
import { createHash } from "node:crypto";
import type { BlobInfo, BlobUpload } from "../../core/ports/storage.ts";
import type { AzureBlobRequests } from "./azureBlobRequests.ts";

/** Time for one part. */
const PART_TIMEOUT_MS = 60_000;

export class AzureBlobUpload implements BlobUpload {
  readonly #requests: AzureBlobRequests;
  readonly #name: string;
  readonly #contentType: string;
  readonly #ids: string[] = [];

  constructor(requests: AzureBlobRequests, name: string, contentType: string) {
    this.#requests = requests;
    this.#name = name;
    this.#contentType = contentType;
  }

  async put(content: Uint8Array, signal?: AbortSignal): Promise<void> {
    // All ids of a blob have one length.
    const id = Buffer.from(`part-${String(this.#ids.length).padStart(5, "0")}`).toString("base64");
    this.#ids.push(id);
    const body = Buffer.from(content.buffer, content.byteOffset, content.length);
    const transactionalContentMD5 = createHash("md5").update(body).digest();
    await this.#requests.requestBlob(
      `upload a part of ${this.#place}`,
      this.#name,
      signal,
      async (client, abortSignal) => client.stageBlock(id, body, body.length, { transactionalContentMD5, abortSignal }),
      PART_TIMEOUT_MS,
    );
  }

  async commit(signal?: AbortSignal): Promise<BlobInfo> {
    const what = `upload ${this.#place}`;
    await this.#requests.requestBlob(what, this.#name, signal, async (client, abortSignal) => {
      await client.commitBlockList([...this.#ids], { blobHTTPHeaders: { blobContentType: this.#contentType }, abortSignal });
    });
    return this.#requests.written(this.#name, what, signal);
  }

  get #place(): string {
    return `${this.#requests.label}/${this.#name}`;
  }
}
