import { describe, expect, it } from "vitest";
import { playerAnswerHeaders, preflightHeaders, upstreamRequestHeaders } from "../../src/gateway/headers.ts";

const OWN = { requestId: "id-00001", peer: "192.0.2.7" };
const reader = (headers: Readonly<Record<string, string>>) => (name: string) => headers[name];

describe("header fields", () => {
  it("a key host gets what it needs and nothing else", () => {
    const sent = {
      authorization: "Bearer x",
      cookie: "a=b",
      "content-type": "application/octet-stream",
      "x-axdrm-message": "m",
      host: "gateway.example",
      origin: "https://player.example",
      referer: "https://player.example/page",
      "content-length": "7",
      "transfer-encoding": "chunked",
      te: "trailers",
      "proxy-authorization": "Basic x",
      "x-forwarded-for": "198.51.100.1",
      "x-forwarded-host": "evil.example",
      forwarded: "for=198.51.100.1",
      "accept-encoding": "br",
      "x-anything": "1",
    };
    expect(upstreamRequestHeaders(reader(sent), OWN)).toEqual({
      "accept-encoding": "identity",
      "x-request-id": "id-00001",
      "x-forwarded-for": "192.0.2.7",
      authorization: "Bearer x",
      cookie: "a=b",
      "content-type": "application/octet-stream",
      "x-axdrm-message": "m",
    });
  });

  it("what Connection names is for one hop only", () => {
    const sent = {
      connection: "keep-alive, Authorization ,X-AxDRM-Message",
      authorization: "Bearer x",
      "x-axdrm-message": "m",
      accept: "*/*",
    };
    const headers = upstreamRequestHeaders(reader(sent), { requestId: "id-00001", peer: null });
    expect(headers).toEqual({ "accept-encoding": "identity", "x-request-id": "id-00001", accept: "*/*" });
    const answer = { connection: "content-encoding", "content-encoding": "gzip", "content-type": "text/xml" };
    expect(playerAnswerHeaders(reader(answer))).toEqual({ "content-type": "text/xml" });
  });

  it("a player gets no cookie, CORS, server or hop-by-hop field of a key host", () => {
    const answer = {
      "content-type": "application/octet-stream",
      "set-cookie": "a=b",
      "access-control-allow-origin": "https://fixed.example",
      server: "x",
      connection: "close",
      "x-ms-request-id": "1",
    };
    expect(playerAnswerHeaders(reader(answer))).toEqual({ "content-type": "application/octet-stream" });
  });

  it("a preflight names Authorization, which the wildcard does not cover", () => {
    expect(preflightHeaders("*")["access-control-allow-headers"]?.split(", ")).toContain("authorization");
  });
});
