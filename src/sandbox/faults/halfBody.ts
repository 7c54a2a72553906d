/** Cuts an answer in the middle of its body. */
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * Collects what is written to `res`; when it ends, sends the headers with the full Content-Length and the first half of the body, calls
 * `cut`, and never ends the answer. An answer without a body goes through unchanged.
 */
export function cutInHalf(res: ServerResponse, cut: () => void): void {
  const chunks: Buffer[] = [];
  const collect = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === "string") chunks.push(Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8"));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  res.flushHeaders = () => undefined;
  res.writeHead = (status: number, ...rest: unknown[]) => {
    res.statusCode = status;
    setHeaders(res, rest.find((argument) => typeof argument === "object") as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined);
    return res;
  };
  res.write = (chunk: unknown, ...rest: unknown[]) => {
    collect(chunk, rest[0]);
    const done = rest.at(-1);
    if (isCallback(done)) queueMicrotask(done);
    return true;
  };
  res.end = (...rest: unknown[]) => {
    collect(rest[0], rest[1]);
    for (const name of ["flushHeaders", "writeHead", "write", "end"]) Reflect.deleteProperty(res, name);
    sendHalf(res, Buffer.concat(chunks), cut);
    return res;
  };
}

function isCallback(value: unknown): value is () => void {
  return typeof value === "function";
}

function sendHalf(res: ServerResponse, body: Buffer, cut: () => void): void {
  if (body.length === 0) {
    res.end();
    return;
  }
  res.removeHeader("transfer-encoding");
  res.setHeader("content-length", body.length);
  res.flushHeaders();
  if (body.length > 1) res.write(body.subarray(0, Math.floor(body.length / 2)));
  cut();
}

/** Both forms that `writeHead` takes: an object, or names and values in turn. */
function setHeaders(res: ServerResponse, headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
  if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) res.appendHeader(String(headers[at]), String(headers[at + 1]));
    return;
  }
  for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) res.setHeader(name, value);
}
