/** Packaged videos in S3: a bucket per video, or a prefix of one bucket per video. The storage of a region of the `static` driver. */
import {
  CreateBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type BucketLocationConstraint,
} from "@aws-sdk/client-s3";
import type { ListPage } from "../../core/media.ts";
import type { BlobContainer, PublicAccess, StaticLibrary, StaticManifests } from "../../core/ports/storage.ts";
import { S3Conditions, type S3Place } from "./s3Conditions.ts";
import { s3Error, s3Failure } from "./s3Errors.ts";
import { S3BlobContainer } from "./s3Objects.ts";
import { decodedKey } from "./s3ObjectInfo.ts";
import type { S3Tuning } from "./s3Options.ts";
import { S3Service, type S3ServiceOptions } from "./s3Service.ts";
import { findManifests } from "./staticManifests.ts";

export interface S3StaticLibraryOptions {
  /** The region's name in the configuration. */
  readonly region: string;
  readonly service: S3ServiceOptions;
  /** Holds all videos, each under a prefix of its name; null: each video has a bucket of its own. */
  readonly bucket: string | null;
  /** In that bucket, before the videos' own prefixes: empty, or with a slash at its end. */
  readonly prefix: string;
  /** A video's name, or a prefix with `*` at its end. */
  readonly containers: string;
  /** What the buckets' policies let anybody read. It is believed, not set. */
  readonly publicAccess: PublicAccess;
  /** False: the service ignores the conditions of writes, and the operator knows. */
  readonly conditionalWrites: boolean;
  readonly tuning?: S3Tuning;
}

export class S3StaticLibrary implements StaticLibrary {
  readonly region: string;
  readonly #options: S3StaticLibraryOptions;
  readonly #service: S3Service;
  readonly #conditions: S3Conditions;

  constructor(options: S3StaticLibraryOptions) {
    this.region = options.region;
    this.#options = options;
    this.#service = new S3Service(options.service);
    this.#conditions = new S3Conditions(this.#service, options.conditionalWrites);
  }

  async *videos(signal?: AbortSignal): AsyncGenerator<string> {
    for await (const { items } of this.videoPages(null, signal)) yield* items;
  }

  async *videoPages(from: string | null, signal?: AbortSignal): AsyncGenerator<ListPage<string>> {
    const { containers, bucket } = this.#options;
    if (!containers.endsWith("*")) {
      if (await this.#open(containers).exists(signal)) yield { items: [containers], next: null };
      return;
    }
    const begins = containers.slice(0, -1);
    let next = from;
    do {
      const page = await (bucket === null ? this.#buckets(begins, next, signal) : this.#prefixes(bucket, begins, next, signal));
      next = page.next;
      yield page;
    } while (next !== null);
  }

  container(name: string): BlobContainer {
    return this.#open(name);
  }

  async publicAccess(name: string, signal?: AbortSignal): Promise<PublicAccess | null> {
    return (await this.#open(name).exists(signal)) ? this.#options.publicAccess : null;
  }

  /** `access` is not set: who may read is a matter of the buckets' policies. */
  async createContainer(name: string, _access: PublicAccess, signal?: AbortSignal): Promise<void> {
    const container = this.#open(name);
    if (await container.exists(signal)) return;
    await (this.#options.bucket === null ? this.#createBucket(name, signal) : this.#createPrefix(container.options, signal));
  }

  async manifests(name: string, signal?: AbortSignal): Promise<StaticManifests> {
    const container = this.#open(name);
    const shallow = { list: container.topLevel.bind(container), read: container.read.bind(container) };
    return findManifests(shallow, name, signal);
  }

  #open(name: string): S3BlobContainer {
    const { bucket, prefix, service, tuning = {} } = this.#options;
    const place: S3Place = bucket === null ? { bucket: name, prefix: "" } : { bucket, prefix: `${prefix}${name}/` };
    const label = `${service.endpoint ?? "s3"}/${place.bucket}/${place.prefix}`.replace(/\/$/, "");
    return new S3BlobContainer({ ...tuning, ...place, label, service: this.#service, conditions: this.#conditions });
  }

  async #buckets(begins: string, from: string | null, signal?: AbortSignal): Promise<ListPage<string>> {
    const { tuning } = this.#options;
    const query = { MaxBuckets: tuning?.pageSize, ...(from === null ? {} : { ContinuationToken: from }) };
    const command = new ListBucketsCommand({ ...query, ...(begins === "" ? {} : { Prefix: begins }) });
    const page = await this.#service.run(`list the buckets of ${this.region}`, signal, (abortSignal) =>
      this.#service.client.send(command, { abortSignal }),
    );
    // Services that do not know the prefix list all.
    const names = (page.Buckets ?? []).map(({ Name = "" }) => Name).filter((name) => name !== "" && name.startsWith(begins));
    return { items: names, next: page.ContinuationToken || null };
  }

  async #prefixes(bucket: string, begins: string, from: string | null, signal?: AbortSignal): Promise<ListPage<string>> {
    const { prefix, tuning } = this.#options;
    const input = { Bucket: bucket, Prefix: `${prefix}${begins}`, Delimiter: "/", EncodingType: "url" as const, MaxKeys: tuning?.pageSize };
    const command = new ListObjectsV2Command({ ...input, ...(from === null ? {} : { ContinuationToken: from }) });
    const page = await this.#service.run(`list the videos of ${bucket}/${prefix}`, signal, (abortSignal) =>
      this.#service.client.send(command, { abortSignal }),
    );
    const names = (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => decodedKey(Prefix).slice(prefix.length, -1));
    return { items: names, next: page.NextContinuationToken || null };
  }

  /** Amazon's first region is the one that must not be named. */
  async #createBucket(Bucket: string, signal?: AbortSignal): Promise<void> {
    const { region, endpoint } = this.#options.service;
    const elsewhere = endpoint === null && region !== "us-east-1";
    const place = elsewhere ? { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } } : {};
    await this.#service.run(`create bucket ${Bucket}`, signal, async (abortSignal) => {
      try {
        await this.#service.client.send(new CreateBucketCommand({ Bucket, ...place }), { abortSignal });
      } catch (error) {
        if (s3Failure(error)?.code !== "BucketAlreadyOwnedByYou") throw error;
      }
    });
  }

  /** An empty object under the prefix's own name, as consoles make it for a folder. */
  async #createPrefix({ bucket, prefix }: S3Place, signal?: AbortSignal): Promise<void> {
    const what = `create ${bucket}/${prefix}`;
    await this.#service.run(what, signal, async (abortSignal) => {
      const command = new PutObjectCommand({ Bucket: bucket, Key: prefix, Body: new Uint8Array(), IfNoneMatch: "*" });
      try {
        await this.#service.client.send(command, { abortSignal });
      } catch (error) {
        const failure = s3Failure(error);
        if (failure?.status === 412 || failure?.status === 409) return;
        throw failure?.code === "NoSuchBucket" ? s3Error("container_missing", what, error) : error;
      }
    });
  }
}
