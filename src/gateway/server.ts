/** A listener for one application: node:http with limits, the raw request target, and an orderly end. */
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../core/clock.ts";
import type { ListenAddress } from "../core/config/units.ts";
import { PaircastError } from "../core/errors.ts";

/** The part of an application that a listener calls. */
export interface FetchApp {
  fetch(request: Request, bindings: object): Response | Promise<Response>;
  /** Answers what it can before a Request is made of it. False: it did nothing, and `fetch` has to. Only for `raw` targets. */
  answerNow?(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
}

export interface ServerOptions {
  readonly app: FetchApp;
  readonly listen: ListenAddress;
  /** The setting that `listen` comes from, for the error where the address cannot be had: `gateway.listen`. */
  readonly setting?: string;
  readonly clock: Clock;
  /**
   * `raw`: the application judges target and Host itself, as they came over the wire, and routes by nothing else (the player listener).
   * `parsed`: the adapter's URL is good enough (the admin listener).
   */
  readonly targets: "raw" | "parsed";
  /** How long `close` lets running answers go on, in milliseconds; default 5000. Event streams never end by themselves: give them less. */
  readonly graceMs?: number;
  /** Longest time for a whole request with its body, in milliseconds; 0: any. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Shares the address with other processes that say so, too; the kernel spreads the connections. Not on every system. */
  readonly shared?: boolean;
}

/** Request line and header fields together; targets are limited to half of it by the front door. */
const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Above the 60 s idle time of most load balancers, so that it is them who close first. */
export const KEEP_ALIVE_MS = 65_000;
const GRACE_MS = 5_000;
const CLOSE_POLL_MS = 20;

/** A listening server. `close` is graceful, then forced, and may be called more than once. */
export class GatewayServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly address: ListenAddress;
  #closing: Promise<void> | null = null;

  private constructor(server: Server, { clock, graceMs }: ServerOptions, address: ListenAddress) {
    this.#server = server;
    this.#clock = clock;
    this.#graceMs = graceMs ?? GRACE_MS;
    this.address = address;
  }

  /** Starts to listen; port 0 takes a free one. Throws `listen_failed` where the address cannot be had. */
  static async listen(options: ServerOptions): Promise<GatewayServer> {
    const { app, listen, targets, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
      optimizeEmptyRequests: true,
    };
    const answer = targets === "raw" ? rawListener(app) : getRequestListener((request, env) => app.fetch(request, env));
    const server = createServer(limits, (incoming, outgoing) => {
      // Clients of a server that is about to go are told so, and do not send their next request into a closed connection.
      if (!server.listening) outgoing.shouldKeepAlive = false;
      answer(incoming, outgoing);
    });
    server.on("clientError", refuseConnection);
    server.on("connect", (_request, socket: Duplex) => {
      socket.end(plainAnswer(405));
    });
    await listening(server, options);
    const bound = server.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : listen.port;
    return new GatewayServer(server, options, { host: listen.host, port });
  }

  /** For people and clients on this machine: a wildcard address is shown as loopback. */
  get url(): string {
    const { host, port } = this.address;
    const name = host === "" || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
  }

  /** Takes no new connections, lets running answers end for up to `graceMs`, then closes what is left. */
  close(graceMs: number = this.#graceMs): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new AbortController();
    const forcedAt = this.#clock.monotonic() + graceMs;
    this.#server.close(() => {
      closed.abort();
    });
    while (!closed.signal.aborted) {
      await this.#clock.sleep(CLOSE_POLL_MS, closed.signal).catch(() => undefined);
      // node closes idle connections once, at close(); one that was busy then would be kept until its keep-alive time is over.
      if (this.#clock.monotonic() < forcedAt) this.#server.closeIdleConnections();
      else this.#server.closeAllConnections();
    }
  }
}

type HeldMessage = IncomingMessage & { heldTarget?: string };

/**
 * The adapter makes a WHATWG URL of Host and target, which normalises both and refuses some. The front door wants them as they came, so
 * the adapter is shown a plain URL, and the target travels in the bindings. (Host is read from the raw header fields, which stay.)
 */
function rawListener(app: FetchApp): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const listener = getRequestListener((request, { incoming }) => {
    const { heldTarget, socket } = incoming as HeldMessage;
    return app.fetch(request, { target: heldTarget, peer: () => socket.remoteAddress });
  });
  return (incoming: HeldMessage, outgoing) => {
    if (answeredNow(app, incoming, outgoing)) return;
    incoming.heldTarget = incoming.url ?? "";
    incoming.url = "/";
    incoming.headers.host = "gateway";
    void listener(incoming, outgoing);
  };
}

/** What fails before it has answered is answered, and its error told, by the application. */
function answeredNow(app: FetchApp, incoming: IncomingMessage, outgoing: ServerResponse): boolean {
  try {
    return app.answerNow?.(incoming, outgoing) ?? false;
  } catch (error) {
    if (outgoing.headersSent) throw error;
    return false;
  }
}

function listening(server: Server, options: ServerOptions): Promise<void> {
  const { host, port } = options.listen;
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      reject(listenFailure(error, options));
    };
    server.once("error", failed);
    server.listen({ port, ...(host === "" ? {} : { host }), reusePort: options.shared === true }, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: "something listens there already: end it",
  EADDRNOTAVAIL: "this machine has no such address: name one of its own",
  EACCES: "the system does not let this user have that port: grant it",
  ENOTFOUND: "the name is not known: write an address",
};

function listenFailure(error: NodeJS.ErrnoException, { listen: { host, port }, setting = "the address" }: ServerOptions): PaircastError {
  const where = `${host === "" ? "*" : host.includes(":") ? `[${host}]` : host}:${port}`;
  const { code = error.message } = error;
  const why = WHY_NOT[code];
  const advice = why === undefined ? `change ${setting}` : `${why}, or change ${setting}`;
  return new PaircastError("listen_failed", `cannot listen on ${where} (${code}): ${advice}`, { cause: error });
}

const STATUS_BY_PARSER_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_METHOD: 501,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What node's parser refused has no request object, so it is answered on the socket. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
  else socket.end(plainAnswer(STATUS_BY_PARSER_CODE[error.code ?? ""] ?? 400));
}

function plainAnswer(status: number): string {
  const allow = status === 405 || status === 501 ? "Allow: GET, HEAD, POST, OPTIONS\r\n" : "";
  const labels = "x-paircast-reason: bad_request\r\nx-paircast-origin: none\r\n";
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${allow}${labels}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
