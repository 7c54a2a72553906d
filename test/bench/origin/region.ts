/** One region of a bench: a streaming service and a key service over real sockets, with faults that can be switched. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Certificate, ServerCertificates } from "../../../src/sandbox/certificates.ts";
import { freePort } from "../process.ts";
import { keyAnswer, SKEW_MS, streamingAnswer, unavailable, type Answer } from "./answers.ts";
import type { Fault } from "./faults.ts";

export interface RegionOptions {
  readonly name: string;
  /** A loopback address. */
  readonly host: string;
  /** Left out: free ones. */
  readonly ports?: { readonly streaming: number; readonly keys: number };
  readonly certificates?: ServerCertificates;
}

/** What goes on while nothing is wrong. */
export interface Noise {
  /** Answers take up to this much longer. */
  readonly latencyMs: number;
  /** Share of the requests that fail, each by itself, with 500 or a reset. */
  readonly errors: number;
}

type ServiceName = "streaming" | "keys";

interface Listening {
  readonly service: ServiceName;
  readonly server: Server | TlsServer;
  port: number;
  open: boolean;
}

export class BenchRegion {
  readonly #options: RegionOptions;
  readonly #services: Readonly<Record<ServiceName, Listening>>;
  #fault: Fault | null = null;
  #since = 0;
  #noise: Noise = { latencyMs: 0, errors: 0 };

  private constructor(options: RegionOptions) {
    this.#options = options;
    const listening = (service: ServiceName): Listening => {
      const server = serverOf((request, response) => void this.#serve(request, response, service), options.certificates?.valid);
      return { service, server, port: options.ports?.[service] ?? 0, open: false };
    };
    this.#services = { streaming: listening("streaming"), keys: listening("keys") };
  }

  static async start(options: RegionOptions): Promise<BenchRegion> {
    const region = new BenchRegion(options);
    await region.#open(true, true);
    return region;
  }

  get addresses(): { readonly name: string; readonly streaming: string; readonly keys: string } {
    const base = `${this.#options.certificates === undefined ? "http" : "https"}://${this.#options.host}`;
    const { streaming, keys } = this.#services;
    return { name: this.#options.name, streaming: `${base}:${streaming.port}`, keys: `${base}:${keys.port}` };
  }

  set noise(noise: Noise) {
    this.#noise = noise;
  }

  /** Null mends. */
  async setFault(fault: Fault | null): Promise<void> {
    const before = this.#fault;
    this.#fault = fault;
    this.#since = Date.now();
    if (fault === "certificate-expired") this.#present("expired");
    else if (before === "certificate-expired") this.#present("valid");
    await this.#open(fault !== "refuse", fault !== "refuse" && fault !== "key-refuse");
  }

  async stop(): Promise<void> {
    await this.#open(false, false);
  }

  async #open(streaming: boolean, keys: boolean): Promise<void> {
    await Promise.all([this.#openOrClose(this.#services.streaming, streaming), this.#openOrClose(this.#services.keys, keys)]);
  }

  async #openOrClose(listening: Listening, open: boolean): Promise<void> {
    if (open === listening.open) return;
    listening.open = open;
    const { server } = listening;
    // Not one of those that the system gives away: it has to be free when it is taken again.
    if (listening.port === 0) listening.port = await freePort(this.#options.host);
    const done = once(server, open ? "listening" : "close");
    if (open) server.listen(listening.port, this.#options.host);
    else {
      server.close();
      server.closeAllConnections();
    }
    await done;
  }

  /** Running connections would keep their old certificate, so they end. */
  #present(which: keyof ServerCertificates): void {
    const certificate = this.#options.certificates?.[which];
    if (certificate === undefined) throw new Error("an expired certificate needs a region with TLS");
    for (const { server } of Object.values(this.#services)) {
      if ("setSecureContext" in server) server.setSecureContext(certificate);
      server.closeAllConnections();
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, service: ServiceName): Promise<void> {
    const fault = service === "keys" ? this.#fault?.replace("key-", "") : this.#fault;
    if (fault === "blackhole") return;
    if (fault === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    if (request.method === "POST") for await (const _ of request);
    if (await this.#disturbed(request, response)) return;
    const answer = this.#answer(request, service);
    if (answer.delayMs !== undefined) await pause(answer.delayMs);
    if (!response.destroyed) send(response, answer, request, this.#headers());
  }

  /** Noise; true where it was an answer of its own. */
  async #disturbed(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { latencyMs, errors } = this.#noise;
    if (latencyMs > 0) await pause(latencyMs * Math.random());
    if (Math.random() >= errors) return false;
    if (Math.random() < 0.5) request.socket.resetAndDestroy();
    else response.writeHead(500).end();
    return true;
  }

  #answer(request: IncomingMessage, service: ServiceName): Answer {
    const { url = "/", method = "GET" } = request;
    const fault = this.#fault;
    if (fault === "503") return unavailable();
    if (service === "keys") return keyAnswer(url, method, fault);
    return streamingAnswer(url, { fault, since: this.#since, now: Date.now() });
  }

  #headers(): Record<string, string> {
    const skew = this.#fault === "clock-skew" ? SKEW_MS : 0;
    return { "x-origin": this.#options.name, date: new Date(Date.now() + skew).toUTCString(), "cache-control": "no-store" };
  }
}

function serverOf(listener: RequestListener, certificate: Certificate | undefined): Server | TlsServer {
  const options = { keepAliveTimeout: 60_000 };
  return certificate === undefined ? createServer(options, listener) : createTlsServer({ ...options, ...certificate }, listener);
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function send(response: ServerResponse, answer: Answer, request: IncomingMessage, headers: Readonly<Record<string, string>>): void {
  const { first, last } = rangeOf(request, answer);
  const body = answer.body.subarray(first, last + 1);
  const partial = body.length < answer.body.length;
  response.writeHead(partial ? 206 : answer.status, {
    ...headers,
    "content-type": answer.type,
    "content-length": body.length,
    ...(partial ? { "content-range": `bytes ${first}-${last}/${answer.body.length}` } : { "accept-ranges": "bytes" }),
  });
  if (request.method === "HEAD") response.end();
  else if (answer.sent !== undefined) response.write(body.subarray(0, Math.min(answer.sent, body.length - 1)), () => response.destroy());
  else if (answer.rate !== undefined) void trickle(response, body, answer.rate);
  else response.end(body);
}

function rangeOf(request: IncomingMessage, { status, body }: Answer): { readonly first: number; readonly last: number } {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const end = body.length - 1;
  if (status !== 200 || first === undefined || Number(first) > end) return { first: 0, last: end };
  return { first: Number(first), last: Math.min(end, last === undefined || last === "" ? end : Number(last)) };
}

const TRICKLE_MS = 100;

/** Sends at that many bytes per second. */
async function trickle(response: ServerResponse, body: Buffer, rate: number): Promise<void> {
  const step = Math.max(1, Math.floor((rate * TRICKLE_MS) / 1000));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    response.write(body.subarray(at, at + step));
    await pause(TRICKLE_MS);
  }
  response.end();
}
