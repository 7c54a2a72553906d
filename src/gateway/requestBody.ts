/** Reads a player's request body, and no more of it than a key request may have. */
import { MAX_KEY_BODY } from "./upstream.ts";

/** The body; `too_large` above the limit, also where it is chunked and announces no length. Rejects when the client goes away. */
export async function readKeyBody(request: Request): Promise<Uint8Array | null | "too_large"> {
  if (request.method !== "POST") return null;
  if (Number(request.headers.get("content-length") ?? 0) > MAX_KEY_BODY) return "too_large";
  const reader = request.body?.getReader();
  return reader === undefined ? new Uint8Array(0) : readLimited(reader);
}

async function readLimited(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | "too_large"> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, length);
    length += value.length;
    if (length > MAX_KEY_BODY) return "too_large";
    chunks.push(value);
  }
}
