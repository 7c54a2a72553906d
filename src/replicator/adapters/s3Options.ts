/** Where in S3 a blob container is, and how its blobs are copied and listed. */
import type { S3Conditions, S3Place } from "./s3Conditions.ts";
import type { S3Service } from "./s3Service.ts";

/** How a blob was copied: `service` in one request inside the service, `parts` in several, `stream` its bytes passed through this process. */
export type S3CopyMethod = "service" | "parts" | "stream";

export interface S3Tuning {
  /** Told of each copy that is complete. `reused`: parts that an interrupted one had left. */
  readonly onCopy?: (copy: { readonly method: S3CopyMethod; readonly bytes: number; readonly reused: number }) => void;
  /** Up to this size a blob is copied in one request inside the service, bytes. Default 1 GiB; the service's own limit is 5 GiB. */
  readonly singleCopyLimit?: number;
  /** Smallest part, bytes. Default 8 MiB through this process, 256 MiB inside the service; the service wants at least 5 MiB. */
  readonly partSize?: number;
  /** Takes from the bytes that may be copied to the service; left out: as fast as it can. */
  readonly bandwidth?: { take(bytes: number, signal?: AbortSignal): Promise<void> };
  /** Objects per page of a listing. Default: the service's own, 1000. */
  readonly pageSize?: number;
}

export interface S3BlobContainerOptions extends S3Tuning, S3Place {
  /** For people and errors. */
  readonly label: string;
  readonly service: S3Service;
  readonly conditions: S3Conditions;
}
