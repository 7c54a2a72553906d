/** A region on loopback: a streaming origin and a key server over real sockets, with faults to switch on. */
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import { once } from "node:events";
import { freePort } from "../bench/process.ts";
import type { LiveChannel } from "./liveChannel.ts";
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
  /** With TLS: new connections get this certificate, old ones stay. */
  present(certificate: Certificate): void;
  /** Added to the Date field, in milliseconds. */
  skewMs: number;
}

/** PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface OriginContent {
  readonly files: Files;
  /** Answered at `/key`. */
  readonly key: Uint8Array;
  /** Served before the files. */
  readonly channel?: LiveChannel;
  /** With one, the origin speaks TLS. */
  readonly certificate?: Certificate;
}

const LOGIN = { status: 200, headers: { "content-type": "text/html" }, body: text("<!doctype html><title>Sign in</title>") };

export async function startOrigin({ files, key, channel, certificate }: OriginContent): Promise<Origin> {
  let server: Server | null = null;
  // Not one of those that the system gives away: it has to be free when it is taken again.
  const port = await freePort();
  const accept = async (): Promise<void> => {
    const listener: RequestListener = (request, response) => {
      const target = request.url ?? "/";
      response.setHeader("date", new Date(Date.now() + origin.skewMs).toUTCString());
      respond(response, origin.fault, () => content(target, request.headers.range));
    };
    const opening = certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
    opening.listen(port, "127.0.0.1");
    await once(opening, "listening");
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
      if (missing) return { status: 404, headers: {}, body: text("") };
      return channel?.serve(pathname, range) ?? serveFile(files, pathname, range);
    }
    const body = origin.fault === "wrong-key" ? key.toReversed() : origin.fault === "short-key" ? key.subarray(0, 12) : key;
    return { status: 200, headers: {}, body };
  };
  const present = (shown: Certificate): void => {
    if (server instanceof TlsServer) server.setSecureContext(shown);
  };
  const origin: Origin = { url: "", fault: null, skewMs: 0, refuse, accept, present, [Symbol.asyncDispose]: refuse };
  await accept();
  return Object.assign(origin, { url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}` });
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
