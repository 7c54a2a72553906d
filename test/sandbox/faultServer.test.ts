import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Agent, request } from "undici";
import { systemClock } from "../../src/core/clock.ts";
import { failureReason } from "../../src/core/http.ts";
import { createAuthority, type CertificateAuthority, type ServerCertificates } from "../../src/sandbox/certificates.ts";
import type { Fault, FaultKind } from "../../src/sandbox/contracts.ts";
import { FaultServer } from "../../src/sandbox/faultServer.ts";
import { ManualClock } from "../fakes/clock.ts";
import { eventually, within } from "../harness/wait.ts";

/** For what takes milliseconds where nothing else runs. */
const SOON_MS = 20_000;
const BODY = "0123456789".repeat(1000);
let cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const step of cleanup.reverse()) await step();
  cleanup = [];
});

function fault(kind: FaultKind, rest: Partial<Fault> = {}): Fault {
  return { kind, status: 503, delayMs: 3000, ...rest };
}

async function start(options: Partial<Parameters<typeof FaultServer.start>[0]> = {}): Promise<FaultServer> {
  const server = await FaultServer.start({
    label: "test",
    host: "127.0.0.1",
    port: 0,
    tls: null,
    clock: systemClock,
    listener: (req, res) => {
      res.writeHead(200, { "content-type": "text/plain" });
      // In two pieces and without a Content-Length, as an application that streams would.
      res.write(BODY.slice(0, 100));
      res.end(req.method === "HEAD" ? undefined : BODY.slice(100));
    },
    ...options,
  });
  cleanup.push(async () => server.close());
  return server;
}

/** One connection at most, kept alive. */
function client(ca?: string): Agent {
  const agent = new Agent({ connections: 1, connect: ca === undefined ? {} : { ca }, headersTimeout: 0, bodyTimeout: 0 });
  cleanup.push(async () => agent.destroy());
  return agent;
}

async function get(server: FaultServer, dispatcher: Agent, signal?: AbortSignal): Promise<{ status: number; type: string; text: string }> {
  const answer = await request(`${server.origin}/a`, { dispatcher, ...(signal === undefined ? {} : { signal }) });
  return { status: answer.statusCode, type: String(answer.headers["content-type"]), text: await answer.body.text() };
}

async function failure(work: Promise<unknown>): Promise<string> {
  return within(
    SOON_MS,
    "the request to fail",
    work.then(
      () => "answered",
      (error: unknown) => failureReason(error),
    ),
  );
}

/** A raw client, so that the test sees bytes and the end of the connection as they come. */
async function dial(server: FaultServer): Promise<{ socket: Socket; received: () => string; closed: Promise<string> }> {
  const { hostname, port } = new URL(server.origin);
  const socket = connect({ host: hostname, port: Number(port) });
  cleanup.push(async () => void socket.destroy());
  let received = "";
  let ending = "closed";
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  socket.on("data", (data: Buffer) => (received += data.toString("latin1")));
  await within(SOON_MS, "the connection", once(socket, "connect"));
  socket.on("error", (error: NodeJS.ErrnoException) => (ending = error.code ?? "error"));
  socket.on("close", () => {
    resolve(ending);
  });
  return { socket, received: () => received, closed };
}

const ASK = "GET /a HTTP/1.1\r\nHost: test\r\n\r\n";

async function keptAlive(server: FaultServer): Promise<Awaited<ReturnType<typeof dial>>> {
  const connection = await dial(server);
  connection.socket.write(ASK);
  await eventually(SOON_MS, "the first answer", async () => (connection.received().endsWith("0\r\n\r\n") ? true : null));
  return connection;
}

describe("without a fault", () => {
  it("serves and counts", async () => {
    const server = await start();
    const agent = client();
    expect(await get(server, agent)).toEqual({ status: 200, type: "text/plain", text: BODY });
    await get(server, agent);
    expect(server.counts()).toEqual({ connections: 1, requests: 2, served: 2, byFault: {} });
    expect(server.current()).toBeNull();
  });

  it("says whose port is taken and what to do", async () => {
    const first = await start();
    const second = start({ label: "westeurope keys", port: Number(new URL(first.origin).port) });
    await expect(second).rejects.toThrow(/westeurope keys cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): end what uses the port/);
  });

  it("closes more than once, with its connections, and frees its port", async () => {
    const server = await start();
    const open = await keptAlive(server);
    await Promise.all([server.close(), server.close()]);
    await within(SOON_MS, "the open connection to close", open.closed);
    await expect(dial(server)).rejects.toThrow(/ECONNREFUSED/);
    await server.clear();
    await expect(dial(server)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("refuse", () => {
  it("closes open connections, refuses new ones, and comes back on the same port", async () => {
    const server = await start();
    const { origin } = server;
    const open = await keptAlive(server);
    const agent = client();
    await get(server, agent);
    const { requests } = server.counts();
    await server.set(fault("refuse"));
    await within(SOON_MS, "the open connection to close", open.closed);
    expect(await failure(get(server, client()))).toBe("refused");
    expect(await failure(get(server, agent))).toBe("refused");
    expect(server.counts().requests).toBe(requests);
    await server.clear();
    expect(server.origin).toBe(origin);
    expect((await get(server, agent)).status).toBe(200);
  });

  it("cuts an answer in flight", async () => {
    const server = await start({ listener: (_req, res) => res.write("beginning") });
    const open = await dial(server);
    open.socket.write(ASK);
    await eventually(SOON_MS, "the beginning", async () => (open.received().includes("beginning") ? true : null));
    await server.set(fault("refuse"));
    await within(SOON_MS, "the connection to close", open.closed);
  });

  it("waits for its port when somebody has it for a moment", async () => {
    const clock = new ManualClock();
    const server = await start({ clock });
    await server.set(fault("refuse"));
    const squatter = createServer().listen(Number(new URL(server.origin).port), "127.0.0.1");
    await within(SOON_MS, "the squatter to listen", once(squatter, "listening"));
    const cleared = server.clear();
    await eventually(SOON_MS, "a second try to be due", async () => (clock.pendingTimers === 2 ? true : null));
    squatter.close();
    await within(SOON_MS, "the squatter to leave", once(squatter, "close"));
    await clock.advance(50);
    await within(SOON_MS, "the server to listen", cleared);
    expect((await get(server, client())).status).toBe(200);
  });

  it("ends as the last of several quick changes says", async () => {
    const server = await start();
    const kinds: FaultKind[] = ["refuse", "reset", "refuse", "blackhole", "refuse"];
    await Promise.all(kinds.map(async (kind) => server.set(fault(kind))));
    expect(await failure(get(server, client()))).toBe("refused");
    await Promise.all([server.clear(), server.set(fault("refuse")), server.clear()]);
    expect((await get(server, client())).status).toBe(200);
  });
});

describe("blackhole", () => {
  it("accepts, reads and never answers, also on open connections; a cleared fault serves again", async () => {
    const server = await start();
    const open = await keptAlive(server);
    const before = open.received().length;
    await server.set(fault("blackhole"));
    const fresh = await dial(server);
    fresh.socket.write(ASK);
    open.socket.write(ASK);
    await eventually(SOON_MS, "both to arrive", async () => (server.counts().byFault.blackhole === 2 ? true : null));
    expect(server.counts().served).toBe(1);
    await server.clear();
    expect(await within(SOON_MS, "the unanswered connections to close", Promise.all([open.closed, fresh.closed]))).toHaveLength(2);
    expect(open.received()).toHaveLength(before);
    expect(fresh.received()).toBe("");
    expect((await get(server, client())).status).toBe(200);
  });

  it.each(["write", "end"] as const)("silences an answer in flight, also its %s", async (step) => {
    const { promise: written, resolve } = Promise.withResolvers<(text: string) => void>();
    const server = await start({
      listener: (_req, res) => {
        res.write("beginning");
        resolve((text) => res[step](text));
      },
    });
    const open = await dial(server);
    open.socket.write(ASK);
    await eventually(SOON_MS, "the beginning", async () => (open.received().includes("beginning") ? true : null));
    await server.set(fault("blackhole"));
    (await written)("middle");
    // What proves the silence is that another connection's request comes through the server meanwhile.
    const fresh = await dial(server);
    fresh.socket.write(ASK);
    await eventually(SOON_MS, "the other connection", async () => (server.counts().byFault.blackhole === 1 ? true : null));
    expect(open.received()).not.toContain("middle");
    await server.clear();
    await eventually(SOON_MS, "the answer to go on", async () => (open.received().includes("middle") ? true : null));
  });

  it("lets a client that gives up go", async () => {
    const server = await start();
    await server.set(fault("blackhole"));
    const open = await dial(server);
    open.socket.end();
    await within(SOON_MS, "the connection to end", open.closed);
  });
});

describe("reset", () => {
  it("resets open and new connections", async () => {
    const server = await start();
    const open = await keptAlive(server);
    await server.set(fault("reset"));
    expect(await within(SOON_MS, "the reset", open.closed)).toBe("ECONNRESET");
    expect(await failure(get(server, client()))).toBe("reset");
    expect(server.counts()).toMatchObject({ requests: 1, byFault: { reset: 1 } });
    await server.clear();
    expect((await get(server, client())).status).toBe(200);
  });
});

describe("answers in place of the service's own", () => {
  it.each([500, 503, 404, 429, 204])("status %i, at once on a connection that is open", async (status) => {
    const server = await start();
    const agent = client();
    await get(server, agent);
    await server.set(fault("status", { status }));
    expect((await get(server, agent)).status).toBe(status);
    await server.clear();
    expect((await get(server, agent)).text).toBe(BODY);
    expect(server.counts()).toEqual({ connections: 1, requests: 3, served: 2, byFault: { status: 1 } });
  });

  it("html: 200 with a login page", async () => {
    const server = await start();
    await server.set(fault("html"));
    const { status, type, text } = await get(server, client());
    expect([status, type]).toEqual([200, "text/html; charset=utf-8"]);
    expect(text).toContain('type="password"');
  });

  it("answers a request whose body it does not read", async () => {
    const server = await start();
    await server.set(fault("status"));
    const answer = await request(server.origin, { method: "POST", body: Buffer.alloc(1_000_000), dispatcher: client() });
    expect(answer.statusCode).toBe(503);
    await answer.body.dump();
  });
});

describe("half-body", () => {
  it("sends the full length, half of the body and nothing more", async () => {
    const server = await start();
    await server.set(fault("half-body"));
    const open = await dial(server);
    open.socket.write(ASK);
    const half = `\r\n\r\n${BODY.slice(0, BODY.length / 2)}`;
    await eventually(SOON_MS, "half of the body", async () => (open.received().endsWith(half) ? true : null));
    expect(open.received()).toMatch(new RegExp(`content-length: ${BODY.length}\r\n`, "i"));
    expect(open.received()).not.toMatch(/transfer-encoding/i);
    await server.clear();
    await within(SOON_MS, "the hanging connection to close", open.closed);
    expect(open.received().endsWith(half)).toBe(true);
    expect((await get(server, client())).text).toBe(BODY);
  });

  it("cuts implicit headers, raw header lists and a body of one byte", async () => {
    const server = await start({
      listener: (_req, res) => {
        res.writeHead(201, ["x-one", "1", "Content-Length", "1"]);
        res.end("x");
      },
    });
    await server.set(fault("half-body"));
    const open = await dial(server);
    open.socket.write(ASK);
    await eventually(SOON_MS, "the headers", async () => (open.received().endsWith("\r\n\r\n") ? true : null));
    expect(open.received()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(open.received()).toContain("x-one: 1\r\n");
    expect(open.received().match(/content-length/gi)).toHaveLength(1);
  });

  it("meets answers under way: what has been sent stays all there is, what is still to come is cut", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const server = await start({
      listener: (req, res) => {
        const late = req.url === "/late";
        if (!late) res.writeHead(200, { "content-length": BODY.length }).write(BODY.slice(0, 3));
        void gate.then(() => res.end(late ? BODY : BODY.slice(3)));
      },
    });
    const [early, late] = [await dial(server), await dial(server)];
    early.socket.write(ASK);
    late.socket.write(ASK.replace("/a", "/late"));
    await eventually(SOON_MS, "the first bytes", async () => (early.received().endsWith(BODY.slice(0, 3)) ? true : null));
    await eventually(SOON_MS, "both requests", async () => (server.counts().served === 2 ? true : null));
    await server.set(fault("half-body"));
    open();
    const half = `\r\n\r\n${BODY.slice(0, BODY.length / 2)}`;
    await eventually(SOON_MS, "half of the later body", async () => (late.received().endsWith(half) ? true : null));
    expect(early.received().endsWith(`\r\n\r\n${BODY.slice(0, 3)}`)).toBe(true);
    await server.clear();
    await within(SOON_MS, "the hanging connections to close", Promise.all([early.closed, late.closed]));
  });

  it("leaves answers without a body alone", async () => {
    const server = await start({ listener: (_req, res) => res.writeHead(304).end() });
    await server.set(fault("half-body"));
    expect((await get(server, client())).status).toBe(304);
    const answer = await request(server.origin, { method: "HEAD", dispatcher: client() });
    expect(answer.statusCode).toBe(304);
    await answer.body.dump();
  });
});

describe("slow", () => {
  it("answers after the delay and not before", async () => {
    const clock = new ManualClock();
    const server = await start({ clock });
    await server.set(fault("slow", { delayMs: 2000 }));
    const answer = get(server, client());
    await eventually(SOON_MS, "the request to wait", async () => (clock.pendingTimers === 1 ? true : null));
    await clock.advance(1999);
    expect(server.counts().served).toBe(0);
    await clock.advance(1);
    expect((await within(SOON_MS, "the answer", answer)).text).toBe(BODY);
  });

  it("lets waiting requests through when it is cleared, and meets them with the next fault", async () => {
    const clock = new ManualClock();
    const server = await start({ clock });
    await server.set(fault("slow"));
    const first = get(server, client());
    await eventually(SOON_MS, "the request to wait", async () => (clock.pendingTimers === 1 ? true : null));
    await server.clear();
    expect((await within(SOON_MS, "the answer", first)).status).toBe(200);
    await server.set(fault("slow"));
    const second = get(server, client());
    await eventually(SOON_MS, "the request to wait", async () => (clock.pendingTimers === 1 ? true : null));
    await server.set(fault("status", { status: 500 }));
    expect((await within(SOON_MS, "the answer", second)).status).toBe(500);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("faults of the wrapped application", () => {
  it.each(["missing-segments", "stale", "wrong-key", "short-key"] as const)("%s is only shown to it", async (kind) => {
    const server = await start({ listener: (_req, res) => res.end(server.current()?.kind ?? "none") });
    await server.set(fault(kind));
    expect((await get(server, client())).text).toBe(kind);
    expect(server.counts().byFault[kind]).toBe(1);
    await server.clear();
    expect((await get(server, client())).text).toBe("none");
  });
});

describe("with TLS", () => {
  let authority: CertificateAuthority;
  let tls: ServerCertificates;
  beforeAll(async () => {
    authority = await createAuthority(systemClock);
    tls = await authority.issue(["127.0.0.1", "region.test"]);
  });

  it("serves with a certificate of the authority, and only to those who trust it", async () => {
    const server = await start({ tls });
    expect(server.origin).toMatch(/^https:/);
    expect((await get(server, client(authority.ca))).text).toBe(BODY);
    expect(await failure(get(server, client()))).toBe("tls");
  });

  it("expired-cert: drops open connections, then shows an expired certificate; back at once", async () => {
    const server = await start({ tls });
    const agent = client(authority.ca);
    await get(server, agent);
    await server.set(fault("expired-cert"));
    const failed = await get(server, client(authority.ca)).catch((error: NodeJS.ErrnoException) => error.code);
    expect(failed).toBe("CERT_HAS_EXPIRED");
    expect(await failure(get(server, agent))).toBe("tls");
    await server.clear();
    expect((await get(server, agent)).status).toBe(200);
  });

  it("is an error where TLS is off, and changes nothing", async () => {
    const server = await start({ label: "northeurope storage" });
    await expect(server.set(fault("expired-cert"))).rejects.toMatchObject({
      code: "fault_not_applicable",
      message: expect.stringContaining("northeurope storage speaks plain HTTP") as string,
    });
    expect(server.current()).toBeNull();
  });

  it("is silent before the handshake under blackhole, and on open connections", async () => {
    const server = await start({ tls });
    const agent = client(authority.ca);
    await get(server, agent);
    await server.set(fault("blackhole"));
    const stop = new AbortController();
    const asked = get(server, agent, stop.signal);
    asked.catch(() => undefined);
    const fresh = connectTls({ host: "127.0.0.1", port: Number(new URL(server.origin).port), ca: authority.ca });
    let secured = false;
    fresh.once("secureConnect", () => (secured = true));
    const closed = once(fresh, "error");
    await eventually(SOON_MS, "both to arrive", async () => (server.counts().byFault.blackhole === 2 ? true : null));
    await server.clear();
    await within(SOON_MS, "the new connection to close", closed);
    expect(secured).toBe(false);
    expect(await failure(asked)).toBe("reset");
  });

  it("resets and refuses as without TLS", async () => {
    const server = await start({ tls });
    const agent = client(authority.ca);
    await get(server, agent);
    await server.set(fault("reset"));
    expect(await failure(get(server, client(authority.ca)))).toBe("reset");
    await server.set(fault("refuse"));
    expect(await failure(get(server, client(authority.ca)))).toBe("refused");
    await server.clear();
    expect((await get(server, agent)).status).toBe(200);
  });
});
