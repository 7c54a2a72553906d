/**
 * Presigned URLs: signature version 4 in the query. The SDK has this in a package of its own, for this one use.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import { createHash, createHmac } from "node:crypto";

export interface PresignInput {
  /** Of the object, without query; its path encoded as it is to be sent. */
  readonly url: URL;
  /** Of the service: `eu-west-1`. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Seconds; at most a week. */
  readonly expiresIn: number;
}

/** A URL with which anybody may GET the object until it expires: a secret. */
export function presignedGet(input: PresignInput): string {
  const { url, region, accessKeyId, secretAccessKey, sessionToken, now, expiresIn } = input;
  const date = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = [date.slice(0, 8), region, "s3", "aws4_request"];
  const query = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", [accessKeyId, ...scope].join("/")],
    ["X-Amz-Date", date],
    ["X-Amz-Expires", String(expiresIn)],
    ...(sessionToken === null ? [] : [["X-Amz-Security-Token", sessionToken]]),
    ["X-Amz-SignedHeaders", "host"],
  ].map(([name = "", value = ""]) => `${encoded(name)}=${encoded(value)}`);
  const canonical = ["GET", url.pathname, query.join("&"), `host:${url.host}\n`, "host", "UNSIGNED-PAYLOAD"].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const key = scope.reduce<Buffer>((under, part) => hmac(under, part), Buffer.from(`AWS4${secretAccessKey}`));
  const signature = hmac(key, ["AWS4-HMAC-SHA256", date, scope.join("/"), hash].join("\n")).toString("hex");
  return `${url.origin}${url.pathname}?${query.join("&")}&X-Amz-Signature=${signature}`;
}

/** A key as S3 wants it in a path and in a copy source: everything encoded but letters, digits, `-._~` and the slashes. */
export function encodedKey(key: string): string {
  return key.split("/").map(encoded).join("/");
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
