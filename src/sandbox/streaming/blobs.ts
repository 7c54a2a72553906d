/** How the streaming endpoint reads an asset: by range and by ETag. Implemented by `blobReader.ts` over blob storage. */

export interface BlobQuestion {
  readonly container: string;
  readonly name: string;
  /** Bytes. A range that reaches past the end gives what there is. */
  readonly offset: number;
  readonly count: number;
  /** Answer `unchanged` when the blob still has this ETag. */
  readonly ifNoneMatch?: string;
  /** Answer `changed` when the blob no longer has this ETag. */
  readonly ifMatch?: string;
}

export type BlobAnswer =
  | { readonly kind: "found"; readonly bytes: Uint8Array; readonly etag: string }
  /** No such container, no such blob, or nothing at that offset. */
  | { readonly kind: "absent" }
  | { readonly kind: "unchanged" }
  | { readonly kind: "changed" };

export interface BlobReader {
  /** Reads a range. Throws `PaircastError` with the code `storage_unreadable` when storage gives no usable answer. */
  read(question: BlobQuestion): Promise<BlobAnswer>;
}
