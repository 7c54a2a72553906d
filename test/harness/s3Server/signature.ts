/** Checks signature version 4, in the Authorization header and in presigned URLs: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "./xml.ts";

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** May list and read only. */
  readonly readOnly?: boolean;
}

export interface SignedRequest {
  readonly method: string;
  /** As it was sent: path and query, still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Claim {
  readonly credential: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly date: string;
  readonly payloadHash: string;
}

const SKEW_MS = 15 * 60_000;
const denied = (code: string, message: string): S3Error => new S3Error(403, code, message);

/** Who signed; null for a request that is not signed at all. Throws for a signature that is wrong or too old. */
export function signer(request: SignedRequest, keys: readonly AccessKey[]): AccessKey | null {
  const presigned = request.query.has("X-Amz-Signature");
  if (!presigned && request.headers.authorization === undefined) return null;
  const claim = presigned ? claimInQuery(request.query) : claimInHeader(request);
  const key = keys.find(({ accessKeyId }) => accessKeyId === claim.credential[0]);
  if (key === undefined) throw denied("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  if (claim.signature !== signatureOf(request, claim, key.secretAccessKey, presigned)) {
    throw denied("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
  }
  return key;
}

function claimInHeader({ headers, body }: SignedRequest): Claim {
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? "",
  );
  if (match === null) throw new S3Error(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.");
  const date = String(headers["x-amz-date"]);
  if (Math.abs(Date.now() - timeOf(date)) > SKEW_MS)
    throw denied("RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.");
  const payloadHash = String(headers["x-amz-content-sha256"]);
  if (payloadHash !== "UNSIGNED-PAYLOAD" && payloadHash !== createHash("sha256").update(body).digest("hex"))
    throw new S3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.");
  return {
    credential: (match[1] ?? "").split("/"),
    signedHeaders: (match[2] ?? "").split(";"),
    signature: match[3] ?? "",
    date,
    payloadHash,
  };
}

function claimInQuery(query: URLSearchParams): Claim {
  const of = (name: string): string => query.get(name) ?? "";
  const date = of("X-Amz-Date");
  const age = Date.now() - timeOf(date);
  if (age < -SKEW_MS || age > Number(of("X-Amz-Expires")) * 1000) throw denied("AccessDenied", "Request has expired");
  return {
    credential: of("X-Amz-Credential").split("/"),
    signedHeaders: of("X-Amz-SignedHeaders").split(";"),
    signature: of("X-Amz-Signature"),
    date,
    payloadHash: "UNSIGNED-PAYLOAD",
  };
}

/** `20260102T030405Z` */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function signatureOf(request: SignedRequest, claim: Claim, secret: string, presigned: boolean): string {
  const [, day = "", region = "", service = "", end = ""] = claim.credential;
  const query = [...request.query]
    .filter(([name]) => !presigned || name !== "X-Amz-Signature")
    .map(([name, value]) => `${strict(name)}=${strict(value)}`)
    .sort();
  const headers = claim.signedHeaders.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? "")
        .trim()
        .replace(/ +/g, " ")}\n`,
  );
  const [path = ""] = request.path.split("?");
  const canonical = [request.method, path, query.join("&"), headers.join(""), claim.signedHeaders.join(";"), claim.payloadHash].join("\n");
  const hashed = createHash("sha256").update(canonical).digest("hex");
  const text = ["AWS4-HMAC-SHA256", claim.date, `${day}/${region}/${service}/${end}`, hashed].join("\n");
  const key = [day, region, service, end].reduce<Buffer>((under, part) => hmac(under, part), Buffer.from(`AWS4${secret}`));
  return hmac(key, text).toString("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function strict(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
