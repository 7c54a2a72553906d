/** Multipart uploads. */
import { notKnown, xmlAnswer } from "./buckets.ts";
import { checkConditions, checkDigests, copySource, crc32Of, propertiesOf } from "./objects.ts";
import type { S3Answer, S3Context, S3Request } from "./api.ts";
import { compositeEtag, etagOf, type Bucket, type Part, type Upload } from "./store.ts";
import { elements, S3Error } from "./xml.ts";

const LEAST_PART = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;
let lastUpload = 0;

export function multipartAnswer(context: S3Context, request: S3Request, bucket: Bucket, key: string): S3Answer {
  const { method, query } = request;
  if (method === "POST" && query.has("uploads")) return created(request, bucket, key);
  const upload = bucket.upload(key, query.get("uploadId") ?? "");
  switch (method) {
    case "PUT":
      return part(context, request, upload);
    case "GET":
      return parts(context, request, upload);
    case "POST":
      return completed(context, request, bucket, upload);
    case "DELETE":
      bucket.uploads.delete(upload.id);
      return { status: 204 };
    default:
      throw notKnown(`${method} of an upload`);
  }
}

function created(request: S3Request, bucket: Bucket, key: string): S3Answer {
  lastUpload += 1;
  const id = `upload-${lastUpload}`;
  const fullCrc32 = request.headers["x-amz-checksum-type"] === "FULL_OBJECT" && request.headers["x-amz-checksum-algorithm"] === "CRC32";
  bucket.uploads.set(id, { ...propertiesOf(request), id, key, initiated: new Date(), fullCrc32, parts: new Map() });
  return xmlAnswer("InitiateMultipartUploadResult", { Bucket: request.bucket, Key: key, UploadId: id });
}

function part(context: S3Context, request: S3Request, upload: Upload): S3Answer {
  const number = Number(request.query.get("partNumber"));
  if (!(number >= 1 && number <= MOST_PARTS)) throw new S3Error(400, "InvalidArgument", "Part number must be between 1 and 10000");
  if (request.headers["x-amz-copy-source"] === undefined) {
    checkDigests(request);
    const etag = etagOf(request.body, context.behaviour.kms === true);
    upload.parts.set(number, { content: request.body, etag });
    return { status: 200, headers: { etag } };
  }
  const source = copySource(context, request).content;
  const range = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers["x-amz-copy-source-range"] ?? `bytes=0-${source.length - 1}`));
  if (range === null || Number(range[2]) >= source.length) throw new S3Error(400, "InvalidArgument", "The range is not valid");
  const content = source.subarray(Number(range[1]), Number(range[2]) + 1);
  const etag = etagOf(content, context.behaviour.kms === true);
  upload.parts.set(number, { content, etag });
  return xmlAnswer("CopyPartResult", { ETag: etag, LastModified: new Date().toISOString() });
}

function parts({ behaviour }: S3Context, { query, bucket }: S3Request, upload: Upload): S3Answer {
  const after = Number(query.get("part-number-marker") ?? 0);
  const numbers = [...upload.parts.keys()].sort((a, b) => a - b).filter((number) => number > after);
  const page = numbers.slice(0, behaviour.pageSize ?? 1000);
  return xmlAnswer("ListPartsResult", {
    Bucket: bucket,
    Key: upload.key,
    UploadId: upload.id,
    IsTruncated: page.length < numbers.length,
    NextPartNumberMarker: page.at(-1),
    Part: page.map((number) => {
      const { etag, content } = upload.parts.get(number) as Part;
      return { PartNumber: number, ETag: etag, Size: content.length, LastModified: upload.initiated.toISOString() };
    }),
  });
}

function completed({ behaviour }: S3Context, request: S3Request, bucket: Bucket, upload: Upload): S3Answer {
  const numbers = elements(request.body.toString(), "PartNumber").map(Number);
  const etags = elements(request.body.toString(), "ETag");
  const chosen = numbers.map((number, at) => {
    const stored = upload.parts.get(number);
    if (stored === undefined || stored.etag !== etags[at])
      throw new S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.");
    return stored;
  });
  if (numbers.length === 0 || numbers.some((number, at) => at > 0 && number <= (numbers[at - 1] ?? 0)))
    throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
  if (chosen.slice(0, -1).some(({ content }) => content.length < (behaviour.leastPart ?? LEAST_PART)))
    throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
  if (behaviour.conditions !== false) checkConditions(request, bucket.objects.get(upload.key));
  const content = Buffer.concat(chosen.map((each) => each.content));
  const crc = request.headers["x-amz-checksum-crc32"];
  if (crc !== undefined && crc !== crc32Of(content)) throw new S3Error(400, "BadDigest", "The CRC32 you specified did not match.");
  const etag = compositeEtag(chosen);
  const { headers, metadata, storageClass } = upload;
  const checksum = upload.fullCrc32 ? { crc32: crc32Of(content) } : {};
  bucket.objects.set(upload.key, { headers, metadata, storageClass, content, etag, modified: new Date(), tags: "", ...checksum });
  bucket.uploads.delete(upload.id);
  return xmlAnswer("CompleteMultipartUploadResult", { Bucket: request.bucket, Key: upload.key, ETag: etag });
}
