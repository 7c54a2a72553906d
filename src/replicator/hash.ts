/** MD5 of a blob's content by ranged reads: one chunk in memory at a time, and only of the version that was listed. */
import { createHash } from "node:crypto";
import { PaircastError } from "../core/errors.ts";
import type { BlobContainer, BlobVersion, CopiedBlob } from "../core/ports/storage.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** Base64. Throws `blob_changed` (retry) when the blob is replaced meanwhile, or ends before its length. */
export async function contentMd5(container: BlobContainer, blob: BlobVersion, signal?: AbortSignal): Promise<string> {
  const hash = createHash("md5");
  let offset = 0;
  while (offset < blob.length) {
    const chunk = await container.read(blob, offset, Math.min(CHUNK_BYTES, blob.length - offset), signal);
    if (chunk.length === 0) throw endedEarly(container, blob, offset);
    hash.update(chunk);
    offset += chunk.length;
  }
  return hash.digest("base64");
}

function endedEarly({ label }: BlobContainer, { name, length }: BlobVersion, at: number): PaircastError {
  return new PaircastError("blob_changed", `read ${label}/${name}: it ended at byte ${at} of ${length}`, { retry: "retry" });
}

export interface PlacedBlob {
  readonly container: BlobContainer;
  readonly blob: CopiedBlob;
}

/** Whether both blobs have the same bytes in a range of at most a few MiB. Throws as `contentMd5` does. */
export async function sameRange(
  one: PlacedBlob,
  other: PlacedBlob,
  range: { readonly offset: number; readonly length: number },
  signal?: AbortSignal,
): Promise<boolean> {
  const [bytes, others] = await Promise.all([readRange(one, range, signal), readRange(other, range, signal)]);
  return Buffer.compare(bytes, others) === 0;
}

async function readRange(
  { container, blob }: PlacedBlob,
  { offset, length }: { readonly offset: number; readonly length: number },
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await container.read(blob, offset, length, signal);
  if (bytes.length === length) return bytes;
  throw endedEarly(container, blob, offset + bytes.length);
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
