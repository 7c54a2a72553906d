/**
 * Finds out whether a service keeps the conditions of writes. Amazon's keeps them since 2024 (copies: 2025); a compatible service that does not
 * know If-Match ignores it, and would let one writer overwrite another unnoticed. So a write that can only fail is tried first.
 */
import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { PaircastError } from "../../core/errors.ts";
import { isNotFound, s3Failure } from "./s3Errors.ts";
import { encodedKey } from "./s3Presign.ts";
import type { S3Service } from "./s3Service.ts";

/** Never there but for the moment in which a service that ignores conditions is found out. */
const PROBE = ".paircast-condition-probe";
const NOBODYS_ETAG = `"${"0".repeat(32)}"`;

export interface S3Place {
  readonly bucket: string;
  /** Begins the keys of all blobs: empty, or with a slash at its end. */
  readonly prefix: string;
}

export interface S3ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

export class S3Conditions {
  readonly #service: S3Service;
  readonly required: boolean;
  #writes: boolean | null = null;
  #copies: boolean | null = null;

  /** `required`: a service that ignores conditions is refused. Else all there is is a look before each write. */
  constructor(service: S3Service, required: boolean) {
    this.#service = service;
    this.required = required;
  }

  /** Throws `storage_rejected` where writes would be unsafe. */
  async assertKept({ bucket, prefix }: S3Place, signal?: AbortSignal): Promise<void> {
    if (!this.required) return;
    const probe = { Bucket: bucket, Key: `${prefix}${PROBE}`, IfMatch: NOBODYS_ETAG };
    this.#writes ??= await this.#isRefused(probe.Bucket, probe.Key, signal, (abortSignal) =>
      this.#service.client.send(new PutObjectCommand({ ...probe, Body: new Uint8Array() }), { abortSignal }),
    );
    if (this.#writes) return;
    const advice =
      "use a version of the service that keeps them, or set storage.conditionalWrites to false and see that nobody else writes there";
    throw new PaircastError(
      "storage_rejected",
      `write to ${bucket}: the service ignores If-Match, so that one writer would overwrite another unnoticed: ${advice}`,
    );
  }

  /** Whether a copy inside the service can be told what it may replace. */
  async keptByCopies({ bucket, prefix }: S3Place, source: S3ObjectAddress, signal?: AbortSignal): Promise<boolean> {
    if (!this.required) return true;
    const probe = { Bucket: bucket, Key: `${prefix}${PROBE}`, IfMatch: NOBODYS_ETAG, CopySource: copySource(source) };
    this.#copies ??= await this.#isRefused(probe.Bucket, probe.Key, signal, (abortSignal) =>
      this.#service.client.send(new CopyObjectCommand(probe), { abortSignal }),
    );
    return this.#copies;
  }

  async #isRefused(
    bucket: string,
    key: string,
    signal: AbortSignal | undefined,
    write: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<boolean> {
    const what = `find out whether ${bucket} keeps the conditions of writes`;
    const refused = await this.#service.run(what, signal, async (abortSignal) => {
      try {
        await write(abortSignal);
        return false;
      } catch (error) {
        if (isCondition(error)) return true;
        if (s3Failure(error)?.status === 501) return null;
        throw error;
      }
    });
    if (refused === false)
      await this.#service.run(what, signal, (abortSignal) =>
        this.#service.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }),
      );
    return refused === true;
  }
}

/** Of a version that is not there, some services say that it is another one (412), some that it is not there (404). */
function isCondition(error: unknown): boolean {
  const failure = s3Failure(error);
  return failure?.status === 412 || failure?.status === 409 || (isNotFound(error) && failure?.code !== "NoSuchBucket");
}

/** The form of `x-amz-copy-source`. */
export function copySource({ bucket, key }: S3ObjectAddress): string {
  return `${bucket}/${encodedKey(key)}`;
}
