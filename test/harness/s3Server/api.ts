/** What the parts of the stand-in tell one another. */
import type { IncomingHttpHeaders } from "node:http";
import type { Bucket } from "./store.ts";
import type { S3Error } from "./xml.ts";

export interface S3Behaviour {
  /** Objects are encrypted with KMS: ETags are not MD5. */
  kms?: boolean;
  /** False: conditions of writes are ignored, as services do that do not know them. `not-copies`: only those of CopyObject. */
  conditions?: boolean | "not-copies";
  /** Least size of a part that is not the last, bytes. Default: the service's own, 5 MiB. */
  leastPart?: number;
  /** Keys and uploads in a page. */
  pageSize?: number;
  /** Uploads are not listed for anybody (403). */
  hideUploads?: boolean;
  /** Answers instead of the next requests: true for those that it takes. */
  fault?: ((request: S3Request) => S3Error | "drop" | null) | undefined;
}

export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  /** Null for requests to a bucket or to the service. */
  readonly key: string | null;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface S3Context {
  readonly buckets: Map<string, Bucket>;
  readonly behaviour: S3Behaviour;
  bucket(name: string): Bucket;
}
