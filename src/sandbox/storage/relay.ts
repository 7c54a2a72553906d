/** Azurite's answers on their way to the client: its own address taken out, held copies laid over them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { BlobRequest } from "./blobRequest.ts";
import { blobKey, type HeldCopies } from "./heldCopies.ts";
import { overlayListing } from "./listing.ts";
import { editHeaders, type HeaderEdits } from "./rawHeaders.ts";
import type { StorageFronts } from "./storageFronts.ts";

export interface Exchange {
  readonly request: BlobRequest;
  readonly answer: IncomingMessage;
  readonly res: ServerResponse;
  readonly copies: HeldCopies;
  readonly fronts: StorageFronts;
}

type Relay = (exchange: Exchange) => Promise<void>;

/** Sends the answer on; false when the blob cannot be read because a copy to it is pending: the caller then refuses. */
export async function relay(exchange: Exchange): Promise<boolean> {
  const { request, answer, copies } = exchange;
  if (!succeeded(answer)) {
    await (request.operation === "abort-copy" ? relayAbort(exchange) : send(exchange));
    return true;
  }
  if (request.operation === "read" && copies.status(blobKey(request)) === "pending") {
    answer.destroy();
    return false;
  }
  await RELAYS[request.operation](exchange);
  return true;
}

const RELAYS: Readonly<Record<BlobRequest["operation"], Relay>> = {
  copy: async (exchange) => {
    const status = exchange.copies.started(blobKey(exchange.request), String(exchange.answer.headers["x-ms-copy-id"]));
    await send(exchange, { "x-ms-copy-status": status });
  },
  "put-from-url": async (exchange) => {
    exchange.copies.forget(blobKey(exchange.request));
    await send(exchange, { "x-ms-copy-id": null, "x-ms-copy-status": null }, 201);
  },
  write: async (exchange) => {
    exchange.copies.forget(blobKey(exchange.request));
    await send(exchange);
  },
  list: relayListing,
  read: relayBlob,
  properties: relayBlob,
  "abort-copy": async (exchange) => send(exchange),
  other: async (exchange) => send(exchange),
};

/** Azurite has checked the authorization, and found the copy complete, as all its copies are. */
async function relayAbort(exchange: Exchange): Promise<void> {
  const { request, answer, res, copies } = exchange;
  const complete = answer.headers["x-ms-error-code"] === "NoPendingCopyOperation";
  if (!complete || !copies.abort(blobKey(request), request.query.get("copyid") ?? "")) {
    await send(exchange);
    return;
  }
  answer.resume();
  head(res, 204, editHeaders(answer.rawHeaders, { "content-length": null, "content-type": null, "x-ms-error-code": null }));
  res.end();
}

async function relayListing({ request, answer, res, copies, fronts }: Exchange): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const xml = fronts.publicText(Buffer.concat(chunks).toString("utf8"));
  const overlaid = overlayListing(xml, (blob) => copies.status(blobKey({ ...request, blob })));
  head(res, answer.statusCode ?? 200, editHeaders(answer.rawHeaders, { "content-length": String(Buffer.byteLength(overlaid)) }));
  res.end(overlaid);
}

/** A copy that has not succeeded: its properties with its status; a failed or aborted one leaves a blob of zero length. */
async function relayBlob(exchange: Exchange): Promise<void> {
  const { request, answer, res, copies } = exchange;
  const status = copies.status(blobKey(request));
  if (status === "success") {
    await send(exchange);
    return;
  }
  answer.destroy();
  const pending = { "x-ms-copy-progress": `0/${answer.headers["content-length"] ?? "0"}`, "x-ms-copy-completion-time": null };
  const ended = { "content-length": "0", "content-range": null, "content-md5": null, "x-ms-copy-status-description": `copy ${status}` };
  head(res, 200, editHeaders(answer.rawHeaders, { "x-ms-copy-status": status, ...(status === "pending" ? pending : ended) }));
  res.end();
}

async function send({ answer, res, fronts }: Exchange, edits: HeaderEdits = {}, status = answer.statusCode ?? 502): Promise<void> {
  const source = answer.headers["x-ms-copy-source"];
  const publicSource = typeof source === "string" ? { "x-ms-copy-source": fronts.publicText(source) } : {};
  head(res, status, editHeaders(answer.rawHeaders, { ...publicSource, ...edits }));
  await pipeline(answer, res);
}

function head(res: ServerResponse, status: number, headers: string[]): void {
  // Azurite has set a Date already.
  res.sendDate = false;
  res.writeHead(status, headers);
}

function succeeded(answer: IncomingMessage): boolean {
  return (answer.statusCode ?? 502) < 300;
}
