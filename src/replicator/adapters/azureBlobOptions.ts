/** How a blob container is opened, and how its blobs are copied and listed. */
import type { ContainerClient } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import type { PagedContainerClient } from "./pagedContainer.ts";

/** How a blob was copied: `url` Copy Blob From URL, `put` Put Blob From URL, `blocks` Put Block From URL, `stream` its bytes passed through this process. */
export type CopyMethod = "url" | "put" | "blocks" | "stream";

export interface AzureBlobContainerOptions {
  /** For people and errors: account and container, no SAS. */
  readonly label: string;
  readonly clock: Clock;
  /** Opens the container. Called for every request; `refused` is a client whose access the service has just refused as expired. */
  readonly open: (refused?: ContainerClient) => Promise<PagedContainerClient>;
  /** A URL with which the blob can be read. Default: the URL of the client, where that has a SAS. */
  readonly signRead?: (client: ContainerClient, name: string) => Promise<string>;
  /** Told of each copy that is complete; `tags` says whether the source's tags, if any could be read, were carried. */
  readonly onCopy?: (copy: { readonly method: CopyMethod; readonly bytes: number; readonly tags: "none" | "kept" | "lost" }) => void;
  /** Time for one request including the SDK's retries. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** Time for one copy request by URL, or one block. Default 5 min. */
  readonly transferTimeoutMs?: number;
  /** How long a pending copy of somebody else is waited for. Default 1 h. */
  readonly pendingTimeoutMs?: number;
  /** Up to this size a blob is copied in one request; the service's limit is the default, 256 MiB. */
  readonly singleCopyLimit?: number;
  /** The same for Put Blob From URL. Default 1 GiB. */
  readonly singlePutLimit?: number;
  /** Smallest block, bytes. Default 8 MiB when streaming, 64 MiB by URL. */
  readonly blockSize?: number;
  /** Blobs per page of a listing. Default 1000. */
  readonly pageSize?: number;
}
