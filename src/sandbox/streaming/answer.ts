/** One complete body as an HTTP answer: validators, conditional requests and byte ranges (RFC 9110). */
import { createHash } from "node:crypto";

/**
 * The answer to a GET. The ETag is made from the bytes, so that it is the same in every region that serves the same bytes.
 * `no-cache`: a copy in the browser's cache would hide a fault that was switched on.
 */
export function bodyAnswer(request: Request, body: Uint8Array, contentType: string): Response {
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  const headers = { "content-type": contentType, etag, "accept-ranges": "bytes", "cache-control": "no-cache" };
  if (matches(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const range = rangeOf(request.headers, etag, body.length);
  if (range === "unsatisfiable")
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${body.length}` } });
  if (range === null) return complete(body, 200, headers);
  const contentRange = `bytes ${range.start}-${range.end}/${body.length}`;
  return complete(body.subarray(range.start, range.end + 1), 206, { ...headers, "content-range": contentRange });
}

function complete(body: Uint8Array, status: number, headers: Record<string, string>): Response {
  return new Response(new Uint8Array(body), { status, headers: { ...headers, "content-length": String(body.length) } });
}

function matches(condition: string | null, etag: string): boolean {
  if (condition === null) return false;
  return condition.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}

interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** One range is honoured; several, or a unit other than bytes, are ignored, which RFC 9110, 14.2, allows. */
function rangeOf(headers: Headers, etag: string, length: number): ByteRange | "unsatisfiable" | null {
  const condition = headers.get("if-range");
  if (condition !== null && condition !== etag) return null;
  const found = /^bytes=(\d*)-(\d*)$/.exec(headers.get("range")?.trim() ?? "");
  if (found === null) return null;
  const [, first = "", last = ""] = found;
  return first === "" ? suffixRange(last, length) : rangeFrom(Number(first), last === "" ? Infinity : Number(last), length);
}

function rangeFrom(start: number, last: number, length: number): ByteRange | "unsatisfiable" | null {
  if (last < start) return null;
  return start >= length ? "unsatisfiable" : { start, end: Math.min(last, length - 1) };
}

function suffixRange(last: string, length: number): ByteRange | "unsatisfiable" | null {
  if (last === "") return null;
  return Number(last) === 0 || length === 0 ? "unsatisfiable" : { start: Math.max(0, length - Number(last)), end: length - 1 };
}
