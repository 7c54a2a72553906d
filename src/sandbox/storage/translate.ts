/** How a request to a front must change for Azurite, or why it is refused here already. */
import type { IncomingMessage } from "node:http";
import { PENDING_COPY, type BlobError } from "./blobError.ts";
import type { BlobRequest } from "./blobRequest.ts";
import { blobKey, type HeldCopies } from "./heldCopies.ts";
import { editHeaders, type HeaderEdits } from "./rawHeaders.ts";
import { isSignedWith, sharedKey, type Account } from "./sharedKey.ts";
import type { StorageFronts } from "./storageFronts.ts";

export interface TranslationContext {
  readonly account: Account;
  readonly copies: HeldCopies;
  readonly fronts: StorageFronts;
}

/** Headers with which Put Blob From URL sets properties of the new blob; the copy that stands in for it takes those of the source. */
const UNTRANSLATED = ["x-ms-blob-content-type", "x-ms-blob-content-encoding", "x-ms-blob-content-language", "x-ms-blob-cache-control"];
const REPLACING: readonly BlobRequest["operation"][] = ["write", "copy", "put-from-url"];

/** The headers for Azurite, names and values in turn. */
export function translate(request: BlobRequest, req: IncomingMessage, context: TranslationContext): readonly string[] | BlobError {
  const { account, copies, fronts } = context;
  if (request.account !== account.name) {
    const message = `The specified resource does not exist. This storage service has only account ${account.name}.`;
    return { status: 404, code: "ResourceNotFound", message };
  }
  if (REPLACING.includes(request.operation) && copies.status(blobKey(request)) === "pending") return PENDING_COPY;
  const edits: Record<string, string | null> = { host: new URL(fronts.azuriteUrl).host, ...bodyLength(req) };
  const source = req.headers["x-ms-copy-source"];
  if (typeof source !== "string") return editHeaders(req.rawHeaders, edits);
  const found = fronts.copySource(source);
  if (typeof found !== "string") return found;
  edits["x-ms-copy-source"] = found;
  if (request.operation === "put-from-url") {
    const refused = asCopy(req, edits);
    if (refused !== null) return refused;
  }
  return signed(request, req, edits, account);
}

/** A PUT without a body and without saying so would be sent on as a chunked one. */
function bodyLength(req: IncomingMessage): HeaderEdits {
  const said = req.headers["content-length"] !== undefined || req.headers["transfer-encoding"] !== undefined;
  return said || req.method !== "PUT" ? {} : { "content-length": "0" };
}

/** Azurite answers Put Blob From URL with 501; Copy Blob From URL does the same for a block blob whose properties are those of its source. */
function asCopy(req: IncomingMessage, edits: Record<string, string | null>): BlobError | null {
  const own = req.headers["x-ms-copy-source-blob-properties"] === "false" ? "x-ms-copy-source-blob-properties: false" : undefined;
  const untranslated = own ?? UNTRANSLATED.find((header) => req.headers[header] !== undefined);
  if (untranslated !== undefined) {
    const message = `Put Blob From URL takes the blob's properties from its source in the sandbox: ${untranslated} is not implemented.`;
    return { status: 501, code: "NotImplemented", message };
  }
  Object.assign(edits, { "x-ms-blob-type": null, "x-ms-requires-sync": "true" });
  return null;
}

function signed(request: BlobRequest, req: IncomingMessage, edits: HeaderEdits, account: Account): string[] {
  const headers = editHeaders(req.rawHeaders, edits);
  const { authorization } = req.headers;
  if (authorization === undefined || !isSignedWith(account, { ...request, headers: req.rawHeaders }, authorization)) return headers;
  return editHeaders(headers, { authorization: sharedKey(account, { ...request, headers }) });
}
