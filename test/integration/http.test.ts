/** The client with which regions are asked, against servers that misbehave on purpose. */
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from "node:net";
import { generate } from "selfsigned";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { FailureReason } from "../../src/core/contracts.ts";
import { HttpFailure, RegionHttpClient } from "../../src/core/http.ts";
import type { HttpQuestion } from "../../src/core/ports/http.ts";

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Listens on a free loopback port until the test ends. */
async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  stops.push(async () => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function http(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const port = await listen(
    createServer((request, response) => {
      answer(request.url ?? "", response);
    }),
  );
  return `http://127.0.0.1:${port}`;
}

function clientFor(url: string, ca: string | null = null): RegionHttpClient {
  const client = new RegionHttpClient({ origins: [{ url, ca }] });
  stops.push(async () => {
    await client[Symbol.asyncDispose]();
  });
  return client;
}

const question = (url: string): HttpQuestion => ({ method: "GET", url, timeoutMs: 60_000, maxBytes: 1_024 });

async function failure(promise: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await promise.then(
    () => new Error("it answered"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof HttpFailure) return error;
  throw error;
}

async function expectReason(promise: Promise<unknown>, reason: FailureReason): Promise<HttpFailure> {
  const error = await failure(promise);
  expect(error.reason).toBe(reason);
  expect(error).toMatchObject({ code: `http_${reason}`, retry: "retry" });
  return error;
}

describe("an answer", () => {
  test("is read whole, with its status, lower-case headers and body, and the path is sent byte for byte", async () => {
    const paths: string[] = [];
    const url = await http((path, response) => {
      paths.push(path);
      response.writeHead(206, { "Content-Type": "video/mp4", "Set-Cookie": ["a=1", "b=2"] }).end("0123");
    });
    const answer = await clientFor(url).ask(question(`${url}/a%2Fb/x.ism/manifest(format=m3u8-cmaf)?t=%20&u=`));
    expect(answer).toMatchObject({ status: 206, headers: { "content-type": "video/mp4", "set-cookie": "a=1, b=2" } });
    expect(new TextDecoder().decode(answer.body)).toBe("0123");
    expect(paths).toEqual(["/a%2Fb/x.ism/manifest(format=m3u8-cmaf)?t=%20&u="]);
  });

  test.each([404, 500, 503])("with status %d is an answer too", async (status) => {
    const url = await http((_, response) => response.writeHead(status).end());
    expect((await clientFor(url).ask(question(`${url}/`))).status).toBe(status);
  });

  test("that redirects is not followed", async () => {
    const url = await http((_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
    expect(await clientFor(url).ask(question(`${url}/`))).toMatchObject({ status: 302, headers: { location: "http://127.0.0.1:1/" } });
  });

  test("may be as long as the limit, and no longer", async () => {
    const url = await http((path, response) => response.end("x".repeat(Number(path.slice(1)))));
    const client = clientFor(url);
    expect((await client.ask(question(`${url}/1024`))).body).toHaveLength(1_024);
    await expectReason(client.ask(question(`${url}/1025`)), "too_large");
  });

  test("to a POST had its body", async () => {
    const url = await new Promise<string>((resolve) => {
      void listen(
        createServer((request, response) => {
          request.pipe(response);
        }),
      ).then((port) => {
        resolve(`http://127.0.0.1:${port}`);
      });
    });
    const body = Uint8Array.of(1, 2, 250);
    expect(Uint8Array.from((await clientFor(url).ask({ ...question(`${url}/licence`), method: "POST", body })).body)).toEqual(body);
  });
});

describe("a failure", () => {
  test("refused: nothing listens", async () => {
    // Port 1 of loopback: reserved, and nothing listens there.
    const url = "http://127.0.0.1:1/";
    const { message, detail } = await expectReason(clientFor(url).ask(question(url)), "refused");
    expect([message, detail]).toEqual([`GET ${url} failed: ECONNREFUSED`, "ECONNREFUSED"]);
  });

  test("dns: the name does not exist", async () => {
    // Longer than a part of a name may be: no name server is waited for.
    const url = `http://${"nowhere".repeat(10)}.invalid`;
    await expectReason(clientFor(url).ask(question(`${url}/`)), "dns");
  });

  test("timeout: the server never answers", async () => {
    const url = await http(() => undefined);
    const { message } = await expectReason(clientFor(url).ask({ ...question(`${url}/`), timeoutMs: 60 }), "timeout");
    expect(message).toBe(`GET ${url}/ failed: no complete answer in time`);
  });

  test("timeout: half a body, then nothing", async () => {
    const url = await http((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("01234");
    });
    await expectReason(clientFor(url).ask({ ...question(`${url}/`), timeoutMs: 200 }), "timeout");
  });

  test("reset: the connection is closed before an answer", async () => {
    const port = await listen(createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())));
    await expectReason(clientFor(`http://127.0.0.1:${port}`).ask(question(`http://127.0.0.1:${port}/`)), "reset");
  });

  test("truncated: the connection ends before the body does", async () => {
    const url = await http((_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("01234", () => response.socket?.end());
    });
    await expectReason(clientFor(url).ask(question(`${url}/`)), "truncated");
  });

  test("reset: the connection is reset in the middle of a body", async () => {
    const url = await http((_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("01234", () => response.socket?.resetAndDestroy());
    });
    await expectReason(clientFor(url).ask(question(`${url}/`)), "reset");
  });

  test("tls: a certificate that nobody trusts", async () => {
    const { url } = await tls();
    const { message } = await expectReason(clientFor(url).ask(question(`${url}/`)), "tls");
    expect(message).toMatch(/failed: (DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/);
  });

  test("carries neither the query nor the Authorization header into its message", async () => {
    const url = await http((_, response) => response.destroy());
    const headers = { authorization: "Bearer very-secret-value" };
    const error = await failure(clientFor(url).ask({ ...question(`${url}/keys?token=very-secret-value`), headers }));
    expect(error.message).toContain(`${url}/keys failed`);
    expect(error.message).not.toContain("very-secret-value");
  });

  test("a caller's signal rejects with its own reason, not as the region's failure", async () => {
    const url = await http(() => undefined);
    const controller = new AbortController();
    const asked = clientFor(url).ask({ ...question(`${url}/`), signal: controller.signal });
    const reason = new Error("the player went away");
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });
});

describe("TLS", () => {
  test("a configured certificate authority is trusted", async () => {
    const { url, ca } = await tls();
    expect((await clientFor(url, ca).ask(question(`${url}/`))).status).toBe(204);
  });
});

describe("one client after another, as at a reload", () => {
  /** Answers everything but `/held`. */
  async function holding(): Promise<{ url: string; held: ServerResponse[] }> {
    const held: ServerResponse[] = [];
    const url = await http((path, response) => {
      if (path === "/held") held.push(response);
      else response.end("x");
    });
    return { url, held };
  }

  test("takes up the connections of origins that stay, and leaves the former usable", async () => {
    const { url } = await holding();
    const former = clientFor(url);
    await former.ask(question(`${url}/`));
    const latter = new RegionHttpClient({ origins: [{ url, ca: null }] }, former);
    stops.push(async () => latter[Symbol.asyncDispose]());
    expect(latter.dispatcher(url)).toBe(former.dispatcher(url));
    await former.close();
    await former[Symbol.asyncDispose]();
    expect((await latter.ask(question(`${url}/`))).status).toBe(200);
    expect((await former.ask(question(`${url}/`))).status).toBe(200);
  });

  test("closes those of origins that have gone, after what was asked there is answered", async () => {
    const { url, held } = await holding();
    const former = clientFor(url);
    const latter = new RegionHttpClient({ origins: [{ url: "http://elsewhere.example", ca: null }] }, former);
    stops.push(async () => latter[Symbol.asyncDispose]());
    const asked = former.ask(question(`${url}/held`));
    const closed = former.close();
    await vi.waitUntil(() => held.length > 0, { timeout: 20_000 });
    held[0]?.end("late");
    expect(Buffer.from((await asked).body).toString()).toBe("late");
    await closed;
    await expect(former.ask(question(`${url}/`))).rejects.toThrow();
  });

  test("does not take up a connection that trusts another authority", async () => {
    const former = clientFor("https://region.example");
    const latter = new RegionHttpClient({ origins: [{ url: "https://region.example", ca: "another" }] }, former);
    stops.push(async () => latter[Symbol.asyncDispose]());
    expect(latter.dispatcher("https://region.example")).not.toBe(former.dispatcher("https://region.example"));
  });
});

describe("addresses", () => {
  test.each([
    "http://127.0.0.1:1/",
    "https://127.0.0.1/",
    "http://169.254.169.254/metadata/instance",
    "http://localhost/",
    "http://we.example.attacker.example/",
    "http://we.example@attacker.example/",
  ])("%s is not asked, because it is no configured region's", async (url) => {
    await expect(clientFor("http://we.example").ask(question(url))).rejects.toMatchObject({ code: "not_configured", retry: "never" });
  });
});

async function tls(): Promise<{ url: string; ca: string }> {
  const certificate = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const port = await listen(
    createTlsServer({ key: certificate.private, cert: certificate.cert }, (_, response) => response.writeHead(204).end()),
  );
  return { url: `https://127.0.0.1:${port}`, ca: certificate.cert };
}
