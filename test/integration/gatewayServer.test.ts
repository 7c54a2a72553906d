import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer, type FetchApp } from "../../src/gateway/server.ts";
import { buildWorld, EVERYWHERE, KEY_ID, LOCATOR, REGIONS, series } from "../gateway/world.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf,encryption=cbc)?a=b%2Fc&d`;

interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes as they are and reads until the server closes: what no HTTP client would send can only be sent so. */
async function raw(server: GatewayServer, bytes: string): Promise<RawAnswer> {
  const socket = connect(server.address.port, "127.0.0.1");
  socket.write(Buffer.from(bytes, "latin1"));
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await gone(socket);
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  const [line = "", ...fields] = head.split("\r\n");
  const headers = new Map(
    fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 1).trim()]),
  );
  return { status: Number(line.split(" ")[1]), headers, body };
}

/** Resolves when the connection has ended. A server that closes with bytes unread resets it, after what it has answered. */
async function gone(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket
    .on("error", () => undefined)
    .once("close", () => {
      resolve();
    });
  await promise;
}

function lines(...parts: readonly string[]): string {
  return `${[...parts, "Connection: close"].join("\r\n")}\r\n\r\n`;
}

describe("the gateway over a socket", () => {
  let world = buildWorld({ clock: systemClock });
  let server: GatewayServer;
  let http: RegionHttpClient;

  beforeEach(async () => {
    world = buildWorld({ clock: systemClock, gateway: { keys: { mode: "redirect" } } });
    world.catalogue.list = [EVERYWHERE];
    http = new RegionHttpClient({ origins: REGIONS.map(({ streaming }) => ({ url: streaming, ca: null })) });
    const app = buildGateway({ ...world, log: world.logs.log, pools: http, ready: () => true });
    server = await GatewayServer.listen({ app, listen: LOOPBACK, clock: systemClock, targets: "raw" });
  });

  afterEach(async () => {
    await server.close(100);
    await http[Symbol.asyncDispose]();
  });

  it.each([["GET"], ["HEAD"]])("%s of a manifest: 302, byte for byte", async (method) => {
    const answer = await raw(server, lines(`${method} ${MANIFEST} HTTP/1.1`, "Host: gateway.example"));
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(`https://we.streaming.example${MANIFEST}`);
    expect(answer.headers.get("x-paircast-reason")).toBe("primary");
    expect(answer.body).toBe("");
  });

  it("a key by POST: 307", async () => {
    const answer = await raw(
      server,
      `${lines(`POST /keys/Widevine/?kid=${KEY_ID} HTTP/1.1`, "Host: gateway.example", "Content-Length: 4")}body`,
    );
    expect(answer.status).toBe(307);
    expect(answer.headers.get("location")).toBe(`https://we.keys.example/base/Widevine/?kid=${KEY_ID}`);
  });

  it("routes by the Host field as it came", async () => {
    const answer = await raw(server, lines(`GET /?kid=${KEY_ID} HTTP/1.1`, "Host: KEYS.gateway.example:443"));
    expect(answer.headers.get("location")).toBe(`https://we.keys.example/base/?kid=${KEY_ID}`);
  });

  it("answers HTTP/1.0 clients without Host", async () => {
    expect((await raw(server, lines("GET /healthz HTTP/1.0"))).status).toBe(200);
  });

  const refused: readonly (readonly [string, readonly string[], number])[] = [
    ["absolute-form", [`GET http://evil.example${MANIFEST} HTTP/1.1`, "Host: gateway.example"], 400],
    ["absolute-form to itself", [`GET http://gateway.example${MANIFEST} HTTP/1.1`, "Host: gateway.example"], 400],
    ["authority-form", ["CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443"], 405],
    ["//host", [`GET //evil.example/${LOCATOR}/a.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["..", [`GET /${LOCATOR}/../../a.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["%2e%2e", [`GET /${LOCATOR}/%2e%2e/a.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["an encoded slash", [`GET /${LOCATOR}/a%2fb.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["a backslash", [`GET /\\evil.example/a.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["a byte above ASCII", [`GET /${LOCATOR}/\u00e4.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["a control character", [`GET /${LOCATOR}/\u0001.mpd HTTP/1.1`, "Host: gateway.example"], 400],
    ["a fragment", [`GET /${LOCATOR}/a.mpd#x HTTP/1.1`, "Host: gateway.example"], 400],
    ["a Host with a path", [`GET ${MANIFEST} HTTP/1.1`, "Host: evil.example/x"], 400],
    ["a Host with a user", [`GET ${MANIFEST} HTTP/1.1`, "Host: a@evil.example"], 400],
    ["two Hosts", [`GET ${MANIFEST} HTTP/1.1`, "Host: gateway.example", "Host: evil.example"], 400],
    ["no Host in HTTP/1.1", [`GET ${MANIFEST} HTTP/1.1`], 400],
    ["a target over 8 KB", [`GET /${LOCATOR}/${"a".repeat(8_200)}.mpd HTTP/1.1`, "Host: gateway.example"], 414],
    ["header fields over 16 KB", [`GET ${MANIFEST} HTTP/1.1`, "Host: gateway.example", `x: ${"a".repeat(17_000)}`], 431],
    ["a method that is not for videos", [`DELETE ${MANIFEST} HTTP/1.1`, "Host: gateway.example"], 405],
    ["a method that nobody knows", [`FROBNICATE ${MANIFEST} HTTP/1.1`, "Host: gateway.example"], 501],
    ["TRACE", [`TRACE ${MANIFEST} HTTP/1.1`, "Host: gateway.example"], 405],
    [
      "both lengths (request smuggling)",
      ["POST /keys HTTP/1.1", "Host: gateway.example", "Content-Length: 3", "Transfer-Encoding: chunked"],
      400,
    ],
    ["what is not HTTP", [`GET ${MANIFEST} HTTQ/1.1`, "Host: gateway.example"], 400],
  ];

  it.each(refused)("refuses %s", async (_, request, status) => {
    const answer = await raw(server, lines(...request));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("location")).toBeUndefined();
    if (status === 405 || status === 501) expect(answer.headers.get("allow")).toContain("GET");
  });

  it("counts and logs what it refused, the paths included", async () => {
    await raw(server, lines(`GET http://user:secret@evil.example/ HTTP/1.1`, "Host: gateway.example"));
    await raw(server, lines("GET /nowhere?sig=secret HTTP/1.1", "Host: gateway.example"));
    expect(await series(world.metrics, "paircast_rejections_total", { reason: "bad_request" })).toBe(1);
    expect(world.logs.of("gateway.request").map((line) => line["path"])).toEqual(["(not a path)", "/nowhere"]);
    expect(world.logs.lines.join("")).not.toContain("secret");
  });

  it("keeps a connection for many requests", async () => {
    const request = `GET ${MANIFEST} HTTP/1.1\r\nHost: gateway.example\r\n\r\n`;
    const socket = connect(server.address.port, "127.0.0.1");
    socket.write(request.repeat(2) + lines(`GET ${MANIFEST} HTTP/1.1`, "Host: gateway.example"));
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await gone(socket);
    expect(text.match(/HTTP\/1\.1 302/g)).toHaveLength(3);
  });
});

describe("a listener", () => {
  /** Who waits for it has not been let go; no pause of the machine is as long. */
  const GRACE_MS = 60_000;

  /** Answers when the test says so. */
  function heldApp() {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    const app: FetchApp = {
      fetch: () => {
        asked.resolve();
        return answer.promise;
      },
    };
    return { app, asked: asked.promise, answer: answer.resolve };
  }

  it("lets a running answer end before it closes, and takes no new connection meanwhile", async () => {
    const { app, asked, answer } = heldApp();
    const server = await GatewayServer.listen({ app, listen: LOOPBACK, clock: systemClock, targets: "parsed", graceMs: GRACE_MS });
    // Keep-alive: the connection must end with this answer all the same, or close would wait for its whole grace.
    const running = raw(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await asked;
    const started = performance.now();
    const closed = server.close();
    await expect(once(connect(server.address.port, "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
    answer(new Response("late but whole"));
    expect(await running).toMatchObject({ status: 200, body: "late but whole" });
    await closed;
    expect(performance.now() - started).toBeLessThan(GRACE_MS);
  });

  it("closes an idle keep-alive connection at once", async () => {
    const server = await GatewayServer.listen({
      app: { fetch: () => new Response("x") },
      listen: LOOPBACK,
      clock: systemClock,
      targets: "parsed",
      graceMs: GRACE_MS,
    });
    const socket = connect(server.address.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
    const started = performance.now();
    await Promise.all([server.close(), gone(socket)]);
    expect(performance.now() - started).toBeLessThan(GRACE_MS);
  });

  it("is forced where an answer never ends, and closing twice is closing once", async () => {
    const { app, asked } = heldApp();
    const server = await GatewayServer.listen({ app, listen: LOOPBACK, clock: systemClock, targets: "parsed" });
    const running = raw(server, lines("GET / HTTP/1.1", "Host: a"));
    await asked;
    await Promise.all([server.close(50), server.close(50)]);
    await server[Symbol.asyncDispose]();
    expect((await running).status).toBeNaN();
  });

  it("says which address it cannot have, why, and by which setting", async () => {
    const options = { app: { fetch: () => new Response() }, clock: systemClock, targets: "parsed" } as const;
    await using first = await GatewayServer.listen({ ...options, listen: LOOPBACK });
    const { port } = first.address;
    await expect(
      GatewayServer.listen({ ...options, setting: "gateway.listen", listen: { host: "127.0.0.1", port } }),
    ).rejects.toMatchObject({
      code: "listen_failed",
      message: `cannot listen on 127.0.0.1:${port} (EADDRINUSE): something listens there already: end it, or change gateway.listen`,
    });
    // TEST-NET-1, which no machine has.
    await expect(GatewayServer.listen({ ...options, listen: { host: "192.0.2.1", port: 0 } })).rejects.toThrow(
      "cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL): this machine has no such address: name one of its own, or change the address",
    );
    expect(first.url).toBe(`http://127.0.0.1:${port}`);
  });
});
