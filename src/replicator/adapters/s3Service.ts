/** One S3 service, or one compatible with it: its client, its credentials, its limits. */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import { isLoopbackUrl } from "../../core/config/units.ts";
import { FOREIGN_ANSWER, translatedS3 } from "./s3Errors.ts";
import { encodedKey, presignedGet } from "./s3Presign.ts";
import { Slots } from "./slots.ts";

/** As in the configuration file. */
export type S3CredentialConfig =
  /** The SDK's chain: environment, profile, web identity, container and instance roles. */
  | { readonly kind: "default" }
  | {
      readonly kind: "access-key";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string | undefined;
    };

export interface S3ServiceOptions {
  /** Base URL of the service; null: Amazon's own. Plain http only on a loopback address. */
  readonly endpoint: string | null;
  /** The service's region: `eu-west-1`. */
  readonly region: string;
  /** `https://host/bucket/key` in the place of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  readonly credential: S3CredentialConfig;
  readonly clock: Clock;
  /** Whether ETags of objects written in one part are their MD5 unless the service says how they are encrypted. Default true. */
  readonly trustEtags?: boolean;
  /** Whether the service keeps CRC32 checksums of whole objects. Default: for Amazon's own. */
  readonly checksums?: boolean;
  /** Tries of the SDK, the first included. Default 4; it slows down where the service says SlowDown, and waits as long as Retry-After says. */
  readonly maxAttempts?: number;
  /** Time for one request including the SDK's retries. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** Time for one part of an upload, or one copy inside the service. Default 5 min. */
  readonly transferTimeoutMs?: number;
  /** Parts that pass through this process at a time, of all uploads to the service together. Default 8. */
  readonly transfers?: number;
}

const REQUEST_TIMEOUT_MS = 60_000;
const TRANSFER_TIMEOUT_MS = 300_000;
/** Seconds. As long as a SAS of an Azure container. */
const PRESIGNED_S = 4 * 3600;
const CONNECTIONS = 64;

export class S3Service {
  readonly options: S3ServiceOptions;
  readonly client: S3Client;
  /** Bounds the memory that uploads take. */
  readonly transfers: Slots;

  /** Throws `insecure_endpoint` for plain http on any other than a loopback address. */
  constructor(options: S3ServiceOptions) {
    const { endpoint, region, pathStyle, credential, maxAttempts = 4, transfers = 8 } = options;
    if (endpoint?.startsWith("http:") === true && !isLoopbackUrl(endpoint))
      throw new PaircastError("insecure_endpoint", `S3 endpoint ${endpoint}: use https; plain http is for loopback addresses only`);
    this.options = options;
    this.transfers = new Slots(transfers);
    this.client = new S3Client({
      region,
      ...(endpoint === null ? {} : { endpoint }),
      forcePathStyle: pathStyle,
      ...credentialsOf(credential),
      maxAttempts,
      retryMode: "adaptive",
      // Services that are only compatible refuse what they do not know: checksums are asked for where they are wanted.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: { connectionTimeout: 5_000, httpAgent: { maxSockets: CONNECTIONS }, httpsAgent: { maxSockets: CONNECTIONS } },
      followRegionRedirects: true,
    });
    this.client.middlewareStack.add(onlyS3Answers, { step: "deserialize", name: "paircastOnlyS3Answers", priority: "low" });
  }

  /** Whether whole objects get checksums that the service itself computes and keeps. */
  get checksums(): boolean {
    return this.options.checksums ?? this.options.endpoint === null;
  }

  /** True where one request can read from the other and write here. */
  reaches(other: S3Service): boolean {
    return this.options.endpoint === other.options.endpoint;
  }

  /** One request: bounded in time, its errors translated. Rejects with the reason of `signal` where that aborts. */
  async run<T>(what: string, signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#bounded(what, signal, this.options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS, send);
  }

  /** As `run`, for requests that move content. */
  async transfer<T>(what: string, signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#bounded(what, signal, this.options.transferTimeoutMs ?? TRANSFER_TIMEOUT_MS, send);
  }

  /** A URL with which the object can be read for four hours, or as long as the credential lives. */
  async presigned(bucket: string, key: string): Promise<string> {
    const { region, clock, endpoint, pathStyle } = this.options;
    const { accessKeyId, secretAccessKey, sessionToken = null } = await this.client.config.credentials();
    const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
    const root = base.pathname.replace(/\/+$/, "");
    const url = pathStyle
      ? new URL(`${base.origin}${root}/${bucket}/${encodedKey(key)}`)
      : new URL(`${base.protocol}//${bucket}.${base.host}${root}/${encodedKey(key)}`);
    return presignedGet({ url, region, accessKeyId, secretAccessKey, sessionToken, now: clock.now(), expiresIn: PRESIGNED_S });
  }

  async #bounded<T>(
    what: string,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    using deadline = this.options.clock.deadline(timeoutMs);
    try {
      return await send(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
    } catch (error) {
      signal?.throwIfAborted();
      throw translatedS3(deadline.signal.aborted ? deadline.signal.reason : error, what);
    }
  }
}

function credentialsOf(credential: S3CredentialConfig): Pick<S3ClientConfig, "credentials"> {
  if (credential.kind === "default") return {};
  const { accessKeyId, secretAccessKey, sessionToken } = credential;
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } };
}

type AnyMiddleware = Parameters<S3Client["middlewareStack"]["add"]>[0];

/**
 * Refuses answers that are not an S3 service's. A login page or a captive portal answers 200 with HTML to everything: as a listing it is empty,
 * as an object's properties it is an object of the page's length, and as the answer to a write it is a success.
 */
const onlyS3Answers: AnyMiddleware = (next) => async (args) => {
  const result = await next(args as Parameters<typeof next>[0]);
  const { response } = result as { readonly response?: { readonly statusCode?: number; readonly headers?: Record<string, string> } };
  const headers = response?.headers ?? {};
  const isHtml = headers["content-type"]?.toLowerCase().includes("html") === true;
  if (!isHtml || Object.keys(headers).some((name) => /^x-(amz|goog)-/i.test(name))) return result;
  const advice = "is something between here and the S3 service, a login page for instance?";
  const error = new Error(`answered ${response?.statusCode ?? 0} with a page of HTML: ${advice}`);
  error.name = FOREIGN_ANSWER;
  throw error;
};
