/** What a request to the blob service is about, read from its line and headers. */
import type { IncomingMessage } from "node:http";

export interface BlobRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly account: string;
  readonly container: string;
  /** Decoded; empty for a request to the account or to a container. */
  readonly blob: string;
  readonly query: URLSearchParams;
  readonly operation: BlobOperation;
}

/**
 * The operations that the front treats in a way of its own.
 * `copy` Copy Blob (asynchronous) · `put-from-url` Put Blob From URL · `abort-copy` · `list` · `read` Get Blob · `properties` Get Blob Properties
 * `write` whatever else replaces or removes a blob whole
 */
export type BlobOperation = "copy" | "put-from-url" | "abort-copy" | "list" | "read" | "properties" | "write" | "other";

/** Null for a target that no client of the service sends: not origin-form, dot segments, broken escapes. */
export function readBlobRequest(req: IncomingMessage): BlobRequest | null {
  const target = req.url ?? "";
  const cut = target.indexOf("?");
  const segments = decodeSegments(cut < 0 ? target : target.slice(0, cut));
  if (segments === null) return null;
  const [account = "", container = "", ...rest] = segments;
  const query = new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1));
  const blob = rest.join("/");
  const method = req.method ?? "GET";
  return { method, target, account, container, blob, query, operation: operationOf(req, method, blob, query) };
}

function decodeSegments(path: string): string[] | null {
  if (!path.startsWith("/")) return null;
  try {
    const segments = path.slice(1).split("/").map(decodeURIComponent);
    return segments.some((segment) => segment === "." || segment === "..") ? null : segments;
  } catch {
    return null;
  }
}

function operationOf(req: IncomingMessage, method: string, blob: string, query: URLSearchParams): BlobOperation {
  const comp = query.get("comp");
  if (method === "GET" && comp === "list") return "list";
  if (blob === "") return "other";
  if (method === "DELETE") return "write";
  if (method === "PUT") return putOperation(req, comp);
  if (comp !== null || query.has("snapshot")) return "other";
  if (method === "GET") return "read";
  return method === "HEAD" ? "properties" : "other";
}

function putOperation(req: IncomingMessage, comp: string | null): BlobOperation {
  if (comp === "copy") return "abort-copy";
  if (comp !== null) return comp === "blocklist" ? "write" : "other";
  if (req.headers["x-ms-copy-source"] === undefined) return "write";
  if (req.headers["x-ms-blob-type"] !== undefined) return "put-from-url";
  return req.headers["x-ms-requires-sync"] === "true" ? "write" : "copy";
}
