/**
 * An HTTP server whose failures can be switched on and off while it runs. A plain TCP server owns the port, so that faults below HTTP (nothing
 * listens, silence before the TLS handshake, RST) look to a client as they do in the network; the HTTP servers behind it never listen themselves.
 */
import { createServer as createHttp, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { Certificate, ServerCertificates } from "./certificates.ts";
import type { Fault, FaultKind, FaultView } from "./contracts.ts";
import { answerLoginPage, answerStatus } from "./faults/answers.ts";
import { Connections } from "./faults/connections.ts";
import { cutInHalf } from "./faults/halfBody.ts";
import { Port } from "./faults/port.ts";

export interface FaultServerOptions {
  /** For people and errors: `westeurope streaming`. */
  readonly label: string;
  readonly host: string;
  /** 0 for any free one, which then stays the same for as long as the server exists. */
  readonly port: number;
  readonly listener: RequestListener;
  /** Null for plain HTTP. */
  readonly tls: ServerCertificates | null;
  readonly clock: Clock;
}

/** What has arrived since the start. */
export interface RequestCounts {
  readonly connections: number;
  /** Requests whose headers were read; a connection under `reset` or `blackhole` carries none. */
  readonly requests: number;
  /** Requests that the wrapped application was given. */
  readonly served: number;
  /** What arrived while a fault was on: requests, and connections that a fault met before a request could be read. */
  readonly byFault: Readonly<Partial<Record<FaultKind, number>>>;
}

type Exchange = Parameters<RequestListener>;

const KEEP_ALIVE_MS = 60_000;

export class FaultServer implements FaultView, AsyncDisposable {
  readonly #options: FaultServerOptions;
  readonly #connections = new Connections();
  readonly #underWay = new Set<ServerResponse>();
  readonly #port: Port;
  readonly #http: Server;
  readonly #expired: Server | null;
  readonly #counts = { connections: 0, requests: 0, served: 0 };
  readonly #byFault: Partial<Record<FaultKind, number>> = {};
  #fault: Fault | null = null;
  /** Aborts when the fault changes, so that nobody waits for a delay that is no longer on. */
  #changed = new AbortController();
  #settling: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  private constructor(options: FaultServerOptions) {
    this.#options = options;
    this.#http = this.#speaker(options.tls?.valid ?? null);
    this.#expired = options.tls === null ? null : this.#speaker(options.tls.expired);
    const accept = (socket: Socket): void => {
      this.#accept(socket);
    };
    this.#port = new Port({ ...options, accept });
  }

  /** Resolves when it listens. Throws `port_taken` when it cannot. */
  static async start(options: FaultServerOptions): Promise<FaultServer> {
    const server = new FaultServer(options);
    await server.#port.open();
    return server;
  }

  /** `http://host:port`, without a trailing slash. */
  get origin(): string {
    const { host } = this.#options;
    return `${this.tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${this.#port.number}`;
  }

  get tls(): boolean {
    return this.#options.tls !== null;
  }

  current(): Fault | null {
    return this.#fault;
  }

  counts(): RequestCounts {
    return { ...this.#counts, byFault: { ...this.#byFault } };
  }

  /**
   * Switches to `fault`, for new and for open connections; takes effect before it returns, resolves when the port is as it should be.
   * Throws `fault_not_applicable` for `expired-cert` without TLS.
   */
  async set(fault: Fault): Promise<void> {
    if (fault.kind === "expired-cert" && !this.tls) {
      const message = `${this.#options.label} speaks plain HTTP: expired-cert needs a sandbox with TLS`;
      throw new PaircastError("fault_not_applicable", message);
    }
    await this.#change(fault);
  }

  /** Mends the service; resolves when it listens again. */
  async clear(): Promise<void> {
    await this.#change(null);
  }

  /** Stops for good: connections are closed, the port is free. */
  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    await this.#settling.catch(() => undefined);
    await this.#vanish();
    this.#changed.abort();
  }

  async #change(fault: Fault | null): Promise<void> {
    const before = this.#fault?.kind;
    this.#fault = fault;
    this.#leave(before);
    this.#enter(fault?.kind);
    this.#changed.abort();
    this.#changed = new AbortController();
    this.#settling = this.#settling.catch(() => undefined).then(async () => this.#settle());
    await this.#settling;
  }

  #leave(kind: FaultKind | undefined): void {
    if (kind === "blackhole" || kind === "half-body") this.#connections.release();
    if (kind === "expired-cert") this.#connections.destroyAll();
  }

  #enter(kind: FaultKind | undefined): void {
    if (kind === "refuse") void this.#vanish();
    if (kind === "reset") this.#connections.resetAll();
    if (kind === "blackhole") this.#connections.silenceAll();
    if (kind === "half-body") for (const res of this.#underWay) this.#interrupt(res);
    if (kind === "expired-cert") this.#connections.destroyAll();
  }

  async #settle(): Promise<void> {
    if (this.#fault?.kind === "refuse") await this.#vanish();
    else if (this.#closed === null) await this.#port.open();
  }

  /** Nothing listens and nothing is connected. */
  async #vanish(): Promise<void> {
    const closed = this.#port.close();
    this.#connections.destroyAll();
    await closed;
  }

  #speaker(certificate: Certificate | null): Server {
    const handle: RequestListener = (...exchange) => {
      this.#counts.requests += 1;
      this.#count();
      this.#handle(exchange);
    };
    const server = certificate === null ? createHttp(handle) : createHttps({ ...certificate }, handle);
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on(certificate === null ? "connection" : "secureConnection", (socket: Socket) => {
      this.#connections.speak(socket);
    });
    return server;
  }

  #accept(socket: Socket): void {
    this.#counts.connections += 1;
    this.#connections.accept(socket);
    const kind = this.#fault?.kind;
    if (kind === "reset") {
      this.#count();
      socket.resetAndDestroy();
    } else if (kind === "blackhole") {
      this.#count();
      this.#connections.hold(socket);
      socket.on("end", () => socket.end()).resume();
    } else {
      const server = kind === "expired-cert" ? (this.#expired ?? this.#http) : this.#http;
      server.emit("connection", socket);
    }
  }

  #count(): void {
    if (this.#fault !== null) this.#byFault[this.#fault.kind] = (this.#byFault[this.#fault.kind] ?? 0) + 1;
  }

  /** Kinds that are not named here are the connection's matter, or the wrapped application's. */
  #handle(exchange: Exchange): void {
    const [req, res] = exchange;
    const fault = this.#fault;
    switch (fault?.kind) {
      case "blackhole":
        this.#connections.hold(req.socket);
        req.resume();
        break;
      case "status":
        answerStatus(res, fault.status, fault.cors === true);
        req.resume();
        break;
      case "html":
        answerLoginPage(res);
        req.resume();
        break;
      case "slow":
        void this.#serveLate(exchange, fault.delayMs);
        break;
      case "half-body":
        if (req.method !== "HEAD") this.#cut(res);
        this.#serve(exchange);
        break;
      default:
        this.#serve(exchange);
    }
  }

  /** An answer under way stops where it is, or half-way through its body where that is still to come. */
  #interrupt(res: ServerResponse): void {
    if (!res.headersSent) {
      if (res.req.method !== "HEAD") this.#cut(res);
    } else if (res.socket !== null) {
      this.#connections.silence(res.socket);
    }
  }

  #cut(res: ServerResponse): void {
    cutInHalf(res, () => {
      if (res.socket !== null) this.#connections.hold(res.socket);
    });
  }

  async #serveLate(exchange: Exchange, delayMs: number): Promise<void> {
    const { signal } = this.#changed;
    await this.#options.clock.sleep(delayMs, signal).catch(() => undefined);
    if (exchange[0].socket.destroyed) return;
    // Another fault is on by now, or none: that one decides.
    if (signal.aborted) this.#handle(exchange);
    else this.#serve(exchange);
  }

  #serve(exchange: Exchange): void {
    const [, res] = exchange;
    this.#counts.served += 1;
    this.#underWay.add(res);
    res.once("close", () => this.#underWay.delete(res));
    this.#options.listener(...exchange);
  }
}
