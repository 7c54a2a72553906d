/** Requests to the service and to buckets: lists. */
import type { S3Answer, S3Context, S3Request } from "./api.ts";
import { Bucket } from "./store.ts";
import { S3Error, xmlDocument, type XmlTree } from "./xml.ts";

const NAME = /^(?=.{3,63}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

export function xmlAnswer(root: string, tree: XmlTree): S3Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body: xmlDocument(root, tree) };
}

export const notKnown = (what: string): S3Error => new S3Error(501, "NotImplemented", `The stand-in does not know ${what}.`);

export function serviceAnswer({ buckets, behaviour }: S3Context, { method, query }: S3Request): S3Answer {
  if (method !== "GET") throw notKnown(`${method} of the service`);
  const prefix = query.get("prefix") ?? "";
  const after = query.get("continuation-token") ?? "";
  const names = [...buckets.keys()].sort().filter((name) => name.startsWith(prefix) && name > after);
  const page = names.slice(0, Math.min(Number(query.get("max-buckets") ?? 10_000), behaviour.pageSize ?? 10_000));
  return xmlAnswer("ListAllMyBucketsResult", {
    Owner: { ID: "stand-in" },
    Buckets: { Bucket: page.map((Name) => ({ Name, CreationDate: new Date(0).toISOString() })) },
    Prefix: prefix,
    ContinuationToken: page.length < names.length ? page.at(-1) : undefined,
  });
}

export function bucketAnswer(context: S3Context, request: S3Request): S3Answer {
  const { method, bucket: name, query } = request;
  if (method === "PUT" && query.size === 0) return created(context, name);
  const bucket = context.bucket(name);
  if (method === "HEAD") return { status: 200, headers: { "x-amz-bucket-region": "eu-west-1" } };
  if (method === "GET" && query.has("uploads")) return uploads(context, request, bucket);
  if (method === "GET" && query.get("list-type") === "2") return list(context, request, bucket);
  throw notKnown(`${method} of a bucket with ${query.toString()}`);
}

function created({ buckets }: S3Context, name: string): S3Answer {
  if (!NAME.test(name)) throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
  if (buckets.has(name)) throw new S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded.");
  buckets.set(name, new Bucket());
  return { status: 200, headers: { location: `/${name}` } };
}

function encoded(query: URLSearchParams, text: string): string {
  return query.get("encoding-type") === "url" ? encodeURIComponent(text).replaceAll("%2F", "/") : text;
}

function list({ behaviour }: S3Context, { bucket: name, query }: S3Request, bucket: Bucket): S3Answer {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const most = Math.min(Number(query.get("max-keys") ?? 1000), behaviour.pageSize ?? 1000);
  const after = Buffer.from(query.get("continuation-token") ?? "", "base64").toString();
  const rows = rowsOf(bucket, prefix, delimiter).filter(
    ({ last }) => after === "" || Buffer.compare(Buffer.from(last), Buffer.from(after)) > 0,
  );
  const page = rows.slice(0, most);
  const truncated = page.length < rows.length;
  const contents = page.filter(({ common }) => !common).map(({ shown }) => ({ shown, object: bucket.object(shown) }));
  return xmlAnswer("ListBucketResult", {
    Name: name,
    Prefix: encoded(query, prefix),
    KeyCount: page.length,
    MaxKeys: most,
    IsTruncated: truncated,
    NextContinuationToken: truncated ? Buffer.from(page.at(-1)?.last ?? "").toString("base64") : undefined,
    Contents: contents.map(({ shown, object }) => ({
      Key: encoded(query, shown),
      LastModified: object.modified.toISOString(),
      ETag: object.etag,
      Size: object.content.length,
      StorageClass: object.storageClass,
    })),
    CommonPrefixes: page.filter(({ common }) => common).map(({ shown }) => ({ Prefix: encoded(query, shown) })),
  });
}

interface Row {
  readonly shown: string;
  readonly common: boolean;
  /** The last key that it stands for. */
  readonly last: string;
}

function rowsOf(bucket: Bucket, prefix: string, delimiter: string): Row[] {
  const rows: Row[] = [];
  for (const key of bucket.keys(prefix)) {
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const shown = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    if (cut >= 0 && rows.at(-1)?.shown === shown) rows.pop();
    rows.push({ shown, common: cut >= 0, last: key });
  }
  return rows;
}

function uploads({ behaviour }: S3Context, { query }: S3Request, bucket: Bucket): S3Answer {
  if (behaviour.hideUploads === true) throw new S3Error(403, "AccessDenied", "Access Denied");
  const prefix = query.get("prefix") ?? "";
  const found = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix));
  return xmlAnswer("ListMultipartUploadsResult", {
    IsTruncated: false,
    Upload: found.map(({ key, id, initiated, storageClass }) => ({
      Key: encoded(query, key),
      UploadId: id,
      Initiated: initiated.toISOString(),
      StorageClass: storageClass,
    })),
  });
}
