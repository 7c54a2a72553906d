import type { ListPage } from "../media.ts";

/** A blob's name and properties as a listing or a HEAD shows them. */
export interface BlobInfo {
  readonly name: string;
  readonly length: number;
  readonly etag: string;
  readonly type: "BlockBlob" | "PageBlob" | "AppendBlob";
  /** Base64, null where the service has none. */
  readonly contentMd5: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly contentLanguage: string | null;
  readonly contentDisposition: string | null;
  readonly cacheControl: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Access tier, null where the account has none. */
  readonly tier: string | null;
  /** Status of the copy that made the blob, null where none did. A blob whose copy is not `success` has no readable content. */
  readonly copyStatus: "pending" | "success" | "aborted" | "failed" | null;
}

/** One version of a blob, as it takes to read it. */
export type BlobVersion = Pick<BlobInfo, "name" | "length" | "etag">;

/**
 * What a copy's own answer says of the blob that it made. `contentMd5` is the source's where the service has compared the content with it, or
 * carries it as a property; only a listing shows what is really there.
 */
export type CopiedBlob = BlobVersion & Pick<BlobInfo, "contentMd5">;

/** Which blob a write may replace: none (`absent`), or exactly the one with this ETag. */
export type WriteCondition = "absent" | { readonly etag: string };

/** Resolves when so many bytes may be moved. */
export type Pace = (bytes: number) => Promise<void>;

/**
 * One blob container.
 * - `list` yields every blob once, with its properties, page by page as they are asked for, and in the order of names where the service has one;
 *   `head` returns null for a blob that is not there.
 * - `read` returns exactly `count` bytes (fewer only at the end of the blob) of the version with `etag`, or throws `blob_changed`.
 * - `copyFrom` copies a blob server-side under its own name, with content type, metadata and the other properties, and resolves when the
 *   copy is complete. When `condition` does not hold it throws `blob_conflict` (retry class `conflict`) and nothing changes. A copy that fails leaves no
 *   readable blob under the name. A pending copy found at the name is waited for, not started again.
 *   `pace`, where it is given, is asked before bytes are moved, with how many, and the copy waits for it; an implementation may leave that to the caller.
 * - `readUrl` is a URL with which the same or another storage service may read the blob for the next while: a secret, never logged.
 * - `write` uploads small content; for the `static` driver's markers and for tests.
 * - `upload` begins a blob that comes in parts. Nothing of it can be read before `commit`, which replaces what is at the name and gives the blob as it
 *   is then; the blob has the parts in the order in which `put` was called with them, also where several are under way. A part has at most
 *   100 MiB, and a blob at most 50,000 parts. An upload that is left lying disappears with its container, or by itself within a week. Left out:
 *   this container gets its content by copies only.
 * - Errors: `storage_unavailable` (retry), `storage_denied` (never), `container_missing` (never), `blob_archived` (never).
 */
export interface BlobContainer {
  /** For people and errors: account and container, no SAS. */
  readonly label: string;
  list(signal?: AbortSignal): AsyncIterable<BlobInfo>;
  head(name: string, signal?: AbortSignal): Promise<BlobInfo | null>;
  read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array>;
  readUrl(name: string): Promise<string>;
  copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal, pace?: Pace): Promise<CopiedBlob>;
  write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo>;
  upload?(name: string, contentType: string): BlobUpload;
}

/** A blob that comes in parts. Both reject with the container's errors, and an upload of which a part has failed is not to be committed. */
export interface BlobUpload {
  put(content: Uint8Array, signal?: AbortSignal): Promise<void>;
  commit(signal?: AbortSignal): Promise<BlobInfo>;
}

/** What anybody may read of a container without a credential: nothing, its blobs, or its blobs and their list. */
export type PublicAccess = "none" | "blob" | "container";

/** Manifests at the top level of a container, as paths to append to the region's streaming URL. */
export interface StaticManifests {
  readonly hls: string | null;
  readonly dash: string | null;
}

/**
 * The storage of a region of the `static` driver: one container per video (S3: a bucket, or a prefix of one), no management API.
 * - `videos` yields the name of every container that the configuration takes for a video, once. `videoPages` the same page by page, from the
 *   beginning (null) or from where an earlier page said that the list goes on; left out: lists cannot be taken up in the middle.
 * - `container` opens one, whether or not it is there.
 * - `publicAccess` is null where the container is not there. `createContainer` leaves an existing container as it is, its access too.
 *   Where access is not a container's own matter (S3: a bucket's policy), `publicAccess` is what the configuration says that it is, and
 *   `createContainer` sets none.
 * - `manifests` names the HLS multivariant playlist and the DASH MPD.
 * - Errors: those of `BlobContainer`.
 */
export interface StaticLibrary {
  readonly region: string;
  videos(signal?: AbortSignal): AsyncIterable<string>;
  videoPages?(from: string | null, signal?: AbortSignal): AsyncIterable<ListPage<string>>;
  container(name: string): BlobContainer;
  publicAccess(name: string, signal?: AbortSignal): Promise<PublicAccess | null>;
  createContainer(name: string, access: PublicAccess, signal?: AbortSignal): Promise<void>;
  manifests(name: string, signal?: AbortSignal): Promise<StaticManifests>;
}
