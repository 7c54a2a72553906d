/** Requests to objects: reads, conditional writes, copies, tags. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { notKnown, xmlAnswer } from "./buckets.ts";
import type { S3Answer, S3Context, S3Request } from "./api.ts";
import { etagOf, KEPT, type Bucket, type Properties, type StoredObject } from "./store.ts";
import { elements, S3Error } from "./xml.ts";

const ARCHIVED = ["GLACIER", "DEEP_ARCHIVE"];

export function objectAnswer(context: S3Context, request: S3Request, key: string): S3Answer {
  const bucket = context.bucket(request.bucket);
  const { method, query } = request;
  if (query.has("tagging")) return tagging(request, bucket, key);
  if (method === "HEAD" || method === "GET") return read(context, request, bucket.object(key));
  if (method === "DELETE") return deleted(bucket, key);
  if (method !== "PUT") throw notKnown(`${method} of an object`);
  return request.headers["x-amz-copy-source"] === undefined ? put(context, request, bucket, key) : copied(context, request, bucket, key);
}

function deleted(bucket: Bucket, key: string): S3Answer {
  bucket.objects.delete(key);
  return { status: 204 };
}

function header({ headers }: S3Request, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

export function propertiesOf(request: S3Request): Properties {
  const own = Object.entries(request.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  const metadata = own.filter(([name]) => name.startsWith("x-amz-meta-")).map(([name, value]) => [name.slice("x-amz-meta-".length), value]);
  return {
    headers: Object.fromEntries(own.filter(([name]) => (KEPT as readonly string[]).includes(name))),
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    storageClass: header(request, "x-amz-storage-class") ?? "STANDARD",
  };
}

/** Throws 412 (404 where a version is wanted and nothing is there) unless what is there is what the writer expects. */
export function checkConditions(request: S3Request, present: StoredObject | undefined): void {
  if (header(request, "if-none-match") === "*" && present !== undefined) throw preconditionFailed();
  const wanted = header(request, "if-match");
  if (wanted === undefined) return;
  if (present === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
  if (present.etag !== wanted) throw preconditionFailed();
}

export function preconditionFailed(): S3Error {
  return new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
}

/** Content-MD5 and x-amz-checksum-crc32, where the client sent them. */
export function checkDigests(request: S3Request): void {
  const md5 = header(request, "content-md5");
  if (md5 !== undefined && md5 !== createHash("md5").update(request.body).digest("base64"))
    throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  const crc = header(request, "x-amz-checksum-crc32");
  if (crc !== undefined && crc !== crc32Of(request.body)) throw new S3Error(400, "BadDigest", "The CRC32 you specified did not match.");
}

export function crc32Of(content: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return bytes.toString("base64");
}

function put({ behaviour }: S3Context, request: S3Request, bucket: Bucket, key: string): S3Answer {
  if (behaviour.conditions !== false) checkConditions(request, bucket.objects.get(key));
  checkDigests(request);
  const crc = header(request, "x-amz-checksum-crc32");
  const etag = etagOf(request.body, behaviour.kms === true);
  const object = {
    ...propertiesOf(request),
    content: request.body,
    etag,
    modified: new Date(),
    tags: header(request, "x-amz-tagging") ?? "",
  };
  bucket.objects.set(key, { ...object, ...(crc === undefined ? {} : { crc32: crc }) });
  return { status: 200, headers: { etag, ...encryption(behaviour.kms) } };
}

function encryption(kms: boolean | undefined): Record<string, string> {
  return { "x-amz-server-side-encryption": kms === true ? "aws:kms" : "AES256" };
}

function read({ behaviour }: S3Context, request: S3Request, object: StoredObject): S3Answer {
  const { content, etag } = object;
  const wanted = header(request, "if-match");
  if (wanted !== undefined && wanted !== etag) throw preconditionFailed();
  const headers = { ...shown(object), ...encryption(behaviour.kms) };
  if (request.method === "HEAD") return { status: 200, headers: { ...headers, "content-length": String(content.length) } };
  if (ARCHIVED.includes(object.storageClass)) throw archived();
  const range = /^bytes=(\d+)-(\d*)$/.exec(header(request, "range") ?? "");
  if (range === null) return { status: 200, headers, body: content };
  const start = Number(range[1]);
  const end = range[2] === "" ? content.length - 1 : Math.min(Number(range[2]), content.length - 1);
  if (start >= content.length) throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable");
  const slice = content.subarray(start, end + 1);
  return { status: 206, headers: { ...headers, "content-range": `bytes ${start}-${end}/${content.length}` }, body: slice };
}

function shown({ headers, metadata, storageClass, crc32: crc, etag, modified }: StoredObject): Record<string, string> {
  return {
    ...headers,
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...(storageClass === "STANDARD" ? {} : { "x-amz-storage-class": storageClass }),
    ...(crc === undefined ? {} : { "x-amz-checksum-crc32": crc, "x-amz-checksum-type": "FULL_OBJECT" }),
    etag,
    "last-modified": modified.toUTCString(),
    "accept-ranges": "bytes",
  };
}

function archived(): S3Error {
  return new S3Error(403, "InvalidObjectState", "The operation is not valid for the object's storage class");
}

/** The object that a copy names, checked against the copy's conditions on it. */
export function copySource(context: S3Context, request: S3Request): StoredObject {
  const [name = "", ...rest] = decodeURIComponent(header(request, "x-amz-copy-source") ?? "")
    .replace(/^\//, "")
    .split("/");
  const source = context.bucket(name).object(rest.join("/"));
  const wanted = header(request, "x-amz-copy-source-if-match");
  if (wanted !== undefined && wanted !== source.etag) throw preconditionFailed();
  if (ARCHIVED.includes(source.storageClass)) throw archived();
  return source;
}

function copied(context: S3Context, request: S3Request, bucket: Bucket, key: string): S3Answer {
  const { behaviour } = context;
  const source = copySource(context, request);
  if (behaviour.conditions === undefined || behaviour.conditions === true) checkConditions(request, bucket.objects.get(key));
  const replaced = header(request, "x-amz-metadata-directive") === "REPLACE";
  const storageClass = header(request, "x-amz-storage-class") ?? "STANDARD";
  const properties = replaced ? propertiesOf(request) : { headers: source.headers, metadata: source.metadata };
  const etag = etagOf(source.content, behaviour.kms === true);
  const modified = new Date();
  bucket.objects.set(key, { content: source.content, tags: source.tags, ...properties, storageClass, etag, modified });
  return xmlAnswer("CopyObjectResult", { ETag: etag, LastModified: modified.toISOString() });
}

function tagging({ method, body }: S3Request, bucket: Bucket, key: string): S3Answer {
  const object = bucket.object(key);
  if (method === "GET") {
    const tags = [...new URLSearchParams(object.tags)].map(([Key, Value]) => ({ Key, Value }));
    return xmlAnswer("Tagging", { TagSet: { Tag: tags } });
  }
  if (method !== "PUT") throw notKnown(`${method} of tags`);
  const [names, values] = [elements(body.toString(), "Key"), elements(body.toString(), "Value")];
  const tags = new URLSearchParams(names.map((name, at) => [name, values[at] ?? ""])).toString();
  bucket.objects.set(key, { ...object, tags });
  return { status: 200 };
}
