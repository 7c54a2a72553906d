/**
 * A blob service that makes its blobs up, as many as it is told: what a listing of a hundred thousand costs its reader shows without a service that
 * has to hold them. Container `source` has all of them, `target` those that were copied (Copy Blob From URL). Argument: how many. Says its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const count = Number(process.argv[2]);
const copied = new Uint8Array(count);
/** The service's own. */
const PAGE = 5000;
const MD5 = Buffer.alloc(16, 1).toString("base64");
const HEADERS = { "x-ms-request-id": "00000000-0000-0000-0000-000000000000", "x-ms-version": "2026-02-06" };
const DATE = "Sat, 01 Aug 2026 00:00:00 GMT";

function entry(at: number, container: string): string {
  const copy = container === "target" ? `<CopyId>1</CopyId><CopyStatus>success</CopyStatus>` : "";
  return `<Blob><Name>seg-${String(at).padStart(7, "0")}.m4s</Name><Properties><Creation-Time>${DATE}</Creation-Time><Last-Modified>${DATE}</Last-Modified>
<Etag>${etag(at, container)}</Etag><Content-Length>16384</Content-Length><Content-Type>video/mp4</Content-Type><Content-MD5>${MD5}</Content-MD5>
<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>${copy}<ServerEncrypted>true</ServerEncrypted></Properties><Metadata><origin>encoder</origin></Metadata></Blob>`;
}

function etag(at: number, container: string): string {
  return `0x8D${container === "source" ? "A" : "B"}${at.toString(16).padStart(11, "0").toUpperCase()}`;
}

function list(answer: ServerResponse, container: string, query: URLSearchParams): void {
  const entries: string[] = [];
  let at = Number(query.get("marker") ?? 0);
  const page = Math.min(PAGE, Number(query.get("maxresults") ?? PAGE));
  for (; at < count && entries.length < page; at += 1) if (container === "source" || copied[at] === 1) entries.push(entry(at, container));
  const next = at < count ? `<NextMarker>${at}</NextMarker>` : "<NextMarker/>";
  answer.writeHead(200, { ...HEADERS, "content-type": "application/xml" });
  answer.end(
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="${container}"><Blobs>${entries.join("")}</Blobs>${next}</EnumerationResults>`,
  );
}

function copy(asked: IncomingMessage, answer: ServerResponse, blob: string): void {
  const at = Number(/seg-(\d+)/.exec(blob)?.[1]);
  const source = String(asked.headers["x-ms-copy-source"]);
  const right = source.includes(`/source/${blob}`) && asked.headers["x-ms-source-if-match"] === `"${etag(at, "source")}"`;
  if (right && asked.headers["if-none-match"] === "*" && copied[at] === 0) {
    copied[at] = 1;
    answer.writeHead(202, { ...HEADERS, etag: `"${etag(at, "target")}"`, "x-ms-copy-status": "success", "x-ms-copy-id": "1" });
  } else answer.writeHead(400, { ...HEADERS, "x-ms-error-code": "InvalidInput" });
  answer.end();
}

const server = createServer((asked, answer) => {
  const { pathname, searchParams } = new URL(asked.url ?? "/", "http://127.0.0.1");
  const [, , container = "", blob = ""] = pathname.split("/");
  asked.resume();
  if (searchParams.get("comp") === "list") list(answer, container, searchParams);
  else if (asked.method === "PUT" && container === "target") copy(asked, answer, blob);
  else {
    answer.writeHead(404, { ...HEADERS, "x-ms-error-code": "BlobNotFound" });
    answer.end();
  }
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
