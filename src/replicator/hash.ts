/** MD5 of a blob's content by ranged reads: one chunk in memory at a time, and only of the version that was listed. */
import { createHash } from "node:crypto";
import { PaircastError } from "../core/errors.ts";
import type { BlobContainer, BlobInfo } from "../core/ports/storage.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Base64. Throws `blob_changed` (retry) when the blob is replaced meanwhile, or ends before its length. */
export async function contentMd5(container: BlobContainer, blob: BlobInfo, signal?: AbortSignal): Promise<string> {
  const hash = createHash("md5");
  let offset = 0;
  while (offset < blob.length) {
    const chunk = await container.read(blob, offset, Math.min(CHUNK_BYTES, blob.length - offset), signal);
    if (chunk.length === 0)
      throw new PaircastError("blob_changed", `read ${container.label}/${blob.name}: it ended at byte ${offset} of ${blob.length}`, {
        retry: "retry",
      });
    hash.update(chunk);
    offset += chunk.length;
  }
  return hash.digest("base64");
}

export interface PlacedBlob {
  readonly container: BlobContainer;
  readonly blob: BlobInfo;
}

/** The MD5 that both blobs have in common, null where they differ. Their MD5 properties are believed where both have one. */
export async function commonMd5(one: PlacedBlob, other: PlacedBlob, signal?: AbortSignal): Promise<string | null> {
  if (one.blob.length !== other.blob.length) return null;
  const [md5, otherMd5] =
    one.blob.contentMd5 === null || other.blob.contentMd5 === null
      ? await Promise.all([contentMd5(one.container, one.blob, signal), contentMd5(other.container, other.blob, signal)])
      : [one.blob.contentMd5, other.blob.contentMd5];
  return md5 === otherMd5 ? md5 : null;
}
