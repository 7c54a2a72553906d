/** Errors as the blob service writes them. */
import type { ServerResponse } from "node:http";
import { escapeXml } from "../xmlText.ts";

export interface BlobError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

export const PENDING_COPY: BlobError = {
  status: 409,
  code: "PendingCopyOperation",
  message: "There is currently a pending copy operation.",
};

export const INVALID_URI: BlobError = {
  status: 400,
  code: "InvalidUri",
  message: "The requested URI does not represent any resource on the server.",
};

export const INTERNAL_ERROR: BlobError = {
  status: 500,
  code: "InternalError",
  message: "The server encountered an internal error. Please retry the request.",
};

export function serverBusy(retryAfterSeconds: number): BlobError {
  const message = "The server is currently unable to receive requests. Please retry your request.";
  return { status: 503, code: "ServerBusy", message, retryAfterSeconds };
}

/** A copy source that cannot be read; `status` is what reading it gave. */
export function cannotVerifyCopySource(status: number): BlobError {
  const message = status === 404 ? "The specified resource does not exist." : "Could not verify the copy source within the specified time.";
  return { status, code: "CannotVerifyCopySource", message };
}

export function answerError(res: ServerResponse, error: BlobError, requestId: string, now: number): void {
  const message = `${error.message}\nRequestId:${requestId}\nTime:${new Date(now).toISOString()}`;
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${error.code}</Code><Message>${escapeXml(message)}</Message></Error>`;
  res.writeHead(error.status, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(xml),
    "x-ms-error-code": error.code,
    "x-ms-request-id": requestId,
    ...(error.retryAfterSeconds === undefined ? {} : { "retry-after": String(error.retryAfterSeconds) }),
  });
  res.end(res.req.method === "HEAD" ? undefined : xml);
}
