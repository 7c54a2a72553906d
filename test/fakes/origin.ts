/** A region on loopback: a streaming origin and a key server over real sockets, with faults to switch on. */
import { createServer, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serveFile, text, type Files, type Served } from "./packagedVideo.ts";

export type OriginFault = "blackhole" | "reset" | "status" | "html" | "half-body" | "missing-segments" | "wrong-key" | "short-key";

export interface Origin extends AsyncDisposable {
  readonly url: string;
  /** Null mends. */
  fault: OriginFault | null;
  /** Closes the port, with every connection. */
  refuse(): Promise<void>;
  /** Listens again on the same port. */
  accept(): Promise<void>;
}

export interface OriginContent {
  readonly files: Files;
  /** Answered at `/key`. */
  readonly key: Uint8Array;
}

const LOGIN = { status: 200, headers: { "content-type": "text/html" }, body: text("<!doctype html><title>Sign in</title>") };

export async function startOrigin({ files, key }: OriginContent): Promise<Origin> {
  let server: Server | null = null;
  let port = 0;
  const accept = async (): Promise<void> => {
    const opening = createServer((request, response) => {
      const target = request.url ?? "/";
      respond(response, origin.fault, () => content(target, request.headers.range));
    });
    opening.listen(port, "127.0.0.1");
    await once(opening, "listening");
    port = (opening.address() as AddressInfo).port;
    server = opening;
  };
  const refuse = async (): Promise<void> => {
    if (server === null) return;
    const closing = server;
    server = null;
    const closed = once(closing, "close");
    closing.close();
    closing.closeAllConnections();
    await closed;
  };
  const content = (target: string, range: string | undefined): Served => {
    const { pathname } = new URL(target, "http://origin");
    if (pathname !== "/key") {
      const missing = origin.fault === "missing-segments" && pathname.endsWith(".m4s");
      return missing ? { status: 404, headers: {}, body: text("") } : serveFile(files, pathname, range);
    }
    const body = origin.fault === "wrong-key" ? key.toReversed() : origin.fault === "short-key" ? key.subarray(0, 12) : key;
    return { status: 200, headers: {}, body };
  };
  const origin: Origin = { url: "", fault: null, refuse, accept, [Symbol.asyncDispose]: refuse };
  await accept();
  return Object.assign(origin, { url: `http://127.0.0.1:${port}` });
}

function respond(response: ServerResponse, fault: OriginFault | null, content: () => Served): void {
  if (fault === "blackhole") return;
  if (fault === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status, headers, body } =
    fault === "html" ? LOGIN : fault === "status" ? { status: 503, headers: {}, body: text("") } : content();
  response.writeHead(status, { ...headers, "content-length": body.length });
  if (fault !== "half-body") response.end(body);
  else response.write(body.subarray(0, body.length / 2), () => response.destroy());
}
