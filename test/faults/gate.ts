/**
 * All that a replicator talks to passes here, one numbered call at a time: before and after each, a test may look, fail it, or kill whoever called.
 * Bodies are held whole, so that an answer can be cut, changed or kept back.
 */
import { createServer, request, Agent, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Service } from "./operation.ts";

export interface Call {
  /** From 1, since the last `reset`. */
  readonly number: number;
  readonly service: Service;
  readonly region: string;
  readonly method: string;
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly copies: boolean;
}

export interface Answer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** `cut`: half of the body arrives, then the connection breaks. `reset`: it breaks at once. `silence`: nothing comes until the caller gives up. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "cut"; readonly answer: Answer }
  | { readonly kind: "reset" }
  | { readonly kind: "silence" };

/** Has the service do what was asked for, or something else. */
export type Serve = (instead?: Call) => Promise<Answer>;

/** Gives what the caller gets. A test may call `serve` or not, and do with its answer what it likes. */
export type Interference = (call: Call, serve: Serve) => Promise<Outcome>;

/** What answers behind a door. */
export type Backend = (call: Call) => Promise<Answer>;

const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "expect", "upgrade"]);

export async function undisturbed(_call: Call, serve: Serve): Promise<Outcome> {
  return { kind: "answer", answer: await serve() };
}

export class Gate implements AsyncDisposable {
  interference: Interference = undisturbed;
  readonly #servers: Server[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  #count = 0;

  /** Calls since the last `reset`. */
  get count(): number {
    return this.#count;
  }

  reset(): void {
    this.#count = 0;
    this.interference = undisturbed;
  }

  /** Opens a door on loopback, behind which `backend` answers; resolves with its origin. */
  async open(service: Service, region: string, backend: Backend): Promise<string> {
    const server = createServer((req, res) => {
      res.on("error", () => undefined);
      void this.#pass(service, region, backend, req, res).catch(() => {
        res.destroy();
      });
    });
    server.keepAliveTimeout = 60_000;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A backend that sends calls on to a server. `edit` gives the headers to send. */
  relay(origin: string, edit: (headers: readonly string[]) => readonly string[]): Backend {
    const { hostname, port } = new URL(origin);
    return async ({ method, target, headers, body }) => {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const sent = edit(forwarded(headers, new URL(origin).host, body.length));
      const upstream = request({ agent: this.#agent, hostname, port, method, path: target, headers: sent }, resolve);
      upstream.on("error", reject);
      upstream.end(body);
      const answer = await promise;
      return { status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: await bodyOf(answer) };
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await Promise.all(
      this.#servers.map(async (server) => {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }),
    );
  }

  async #pass(service: Service, region: string, backend: Backend, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await bodyOf(req);
    this.#count += 1;
    const { method = "GET", url: target = "/", rawHeaders: headers } = req;
    const copies = req.headers["x-ms-copy-source"] !== undefined;
    const call: Call = { number: this.#count, service, region, method, target, headers, body, copies };
    const outcome = await this.interference(call, async (instead = call) => backend(instead));
    if (outcome.kind === "silence") await once(res, "close");
    else if (outcome.kind === "reset") req.socket.resetAndDestroy();
    else send(res, outcome.answer, outcome.kind === "cut");
  }
}

function send(res: ServerResponse, { status, headers, body }: Answer, cut: boolean): void {
  if (res.destroyed) return;
  const length = body.length > 0 ? ["content-length", String(body.length)] : [];
  const without = body.length > 0 ? withoutHeaders(headers, new Set(["content-length"])) : headers;
  res.writeHead(status, [...withoutHeaders(without, HOP_BY_HOP), ...length]);
  if (!cut) res.end(body);
  else if (body.length < 2) res.socket?.resetAndDestroy();
  else res.write(body.subarray(0, Math.floor(body.length / 2)), () => res.socket?.resetAndDestroy());
}

function forwarded(headers: readonly string[], host: string, length: number): string[] {
  const dropped = new Set([...HOP_BY_HOP, "host", "content-length"]);
  return [...withoutHeaders(headers, dropped), "host", host, "content-length", String(length)];
}

function withoutHeaders(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (!names.has((headers[at] ?? "").toLowerCase())) kept.push(headers[at] ?? "", headers[at + 1] ?? "");
  return kept;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
