import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { decodedKey, fromHead, headersOf } from "../../../src/replicator/adapters/s3ObjectInfo.ts";

const MD5 = "XUFAKrxLKna5cZ2REBfFkg==";
const OTHER = "MjQx8MR5u9xCXhpisLKrqg==";
const ETAG = '"5d41402abc4b2a76b9719d911017c592"';

function info(head: Partial<HeadObjectCommandOutput>, trustEtags = true) {
  return fromHead("a.mp4", { $metadata: {}, ContentLength: 5, ETag: ETAG, ...head }, { trustEtags });
}

describe("the MD5 of an object", () => {
  it.each<[string, Partial<HeadObjectCommandOutput>, string | null]>([
    ["is its ETag, encrypted by the service or not", {}, MD5],
    ["is its ETag with a key of S3's own", { ServerSideEncryption: "AES256" }, MD5],
    ["is its ETag rather than what somebody noted", { Metadata: { md5chksum: OTHER } }, MD5],
    ["is not the ETag of parts", { ETag: '"5d41402abc4b2a76b9719d911017c592-3"' }, null],
    ["is what was noted beside parts", { ETag: '"5d41402abc4b2a76b9719d911017c592-3"', Metadata: { md5chksum: OTHER } }, OTHER],
    ["is nothing that is no MD5", { ETag: '"x-3"', Metadata: { md5chksum: "5d41402abc4b2a76b9719d911017c592" } }, null],
    ["is not the ETag with a key of KMS", { ServerSideEncryption: "aws:kms" }, null],
    ["is not the ETag with two keys of KMS", { ServerSideEncryption: "aws:kms:dsse" }, null],
    ["is not the ETag with the client's key", { SSECustomerAlgorithm: "AES256" }, null],
    ["is the service's own of the whole object", { ETag: '"x-3"', ChecksumMD5: OTHER, ChecksumType: "FULL_OBJECT" }, OTHER],
    ["is not the service's own of its parts", { ETag: '"x-3"', ChecksumMD5: OTHER, ChecksumType: "COMPOSITE" }, null],
  ])("%s", (_what, head, md5) => {
    expect(info(head).contentMd5).toBe(md5);
  });

  it("is not the ETag where that is not to be believed", () => {
    expect(info({}, false).contentMd5).toBeNull();
  });
});

describe("the tier of an object", () => {
  it.each<[Partial<HeadObjectCommandOutput>, string]>([
    [{}, "Hot"],
    [{ StorageClass: "INTELLIGENT_TIERING" }, "Hot"],
    [{ StorageClass: "INTELLIGENT_TIERING", ArchiveStatus: "ARCHIVE_ACCESS" }, "Archive"],
    [{ StorageClass: "STANDARD_IA" }, "Cool"],
    [{ StorageClass: "GLACIER_IR" }, "Cold"],
    [{ StorageClass: "GLACIER" }, "Archive"],
    [{ StorageClass: "DEEP_ARCHIVE", Restore: 'ongoing-request="true"' }, "Archive"],
    [{ StorageClass: "DEEP_ARCHIVE", Restore: 'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"' }, "Hot"],
  ])("of %o is %s", (head, tier) => {
    expect(info(head).tier).toBe(tier);
  });

  it("is carried where it is not the usual one and can be read", () => {
    expect(["Hot", "Cool", "Cold", "Archive", null].map((tier) => headersOf({ ...info({}), tier }, null).StorageClass)).toEqual([
      undefined,
      "STANDARD_IA",
      "GLACIER_IR",
      undefined,
      undefined,
    ]);
  });
});

describe("what Azure and S3 call differently", () => {
  it("has one name: metadata by identifiers, and the type of what was written without one", () => {
    const { metadata, contentType } = info({
      ContentType: "binary/octet-stream",
      Metadata: { "s3cmd-attrs": "x", "1st": "y", md5chksum: MD5 },
    });
    expect({ metadata, contentType }).toEqual({ metadata: { s3cmd_attrs: "x", _1st: "y" }, contentType: "application/octet-stream" });
  });

  it("an empty text is nothing", () => {
    expect(info({ ContentEncoding: "", CacheControl: "no-store" })).toMatchObject({ contentEncoding: null, cacheControl: "no-store" });
  });
});

it("keys of listings come decoded", () => {
  expect(decodedKey("a+b%2Bc%20d/%E6%97%A5.ts")).toBe("a b+c d/日.ts");
});
