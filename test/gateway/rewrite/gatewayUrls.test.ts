import { describe, expect, it } from "vitest";
import { networksOf } from "../../../src/gateway/order/viewer.ts";
import { GatewayUrls } from "../../../src/gateway/rewrite/gatewayUrls.ts";
import { REGIONS } from "../world.ts";

const GATEWAY = "https://gw.example";

const isServed = (target: string): boolean => target.startsWith("/video/");

function urls({ publicUrl = null as string | null, proxies = [] as string[] } = {}) {
  return new GatewayUrls({ publicUrl, proxies: networksOf(proxies), keyPrefix: "/keys", regions: REGIONS, isServed });
}

function wire(peer: string | null, protocol?: string) {
  return { peer: () => peer, header: (name: string) => (name === "x-forwarded-proto" ? protocol : undefined) };
}

describe("the gateway's origin", () => {
  it.each([
    ["the name that was asked for", urls(), "GW.example:8080", wire("10.0.0.1", "https"), "http://gw.example:8080"],
    ["what a trusted proxy says", urls({ proxies: ["10.0.0.0/8"] }), "gw.example", wire("10.0.0.1", "https"), "https://gw.example"],
    ["what the viewer spoke, of several", urls({ proxies: ["10.0.0.0/8"] }), "gw", wire("10.0.0.1", "HTTPS, http"), "https://gw"],
    ["http, when anybody else says https", urls({ proxies: ["10.0.0.0/8"] }), "gw", wire("192.0.2.1", "https"), "http://gw"],
    ["http, when a proxy says something else", urls({ proxies: ["10.0.0.0/8"] }), "gw", wire("10.0.0.1", "javascript"), "http://gw"],
    ["http, without a socket", urls({ proxies: ["10.0.0.0/8"] }), "gw", wire(null, "https"), "http://gw"],
    ["what is configured", urls({ publicUrl: "https://cdn.example/gw" }), "other", wire("10.0.0.1"), "https://cdn.example/gw"],
    ["unknown without a Host", urls(), null, wire("10.0.0.1"), null],
  ])("is %s", (_, given, host, from, expected) => {
    expect(given.origin(host, from)).toBe(expected);
  });
});

describe("a key URL", () => {
  const keyUrl = urls().keyUrl(GATEWAY);

  it.each([
    ["https://we.keys.example/base/?kid=1", `${GATEWAY}/keys/?kid=1`],
    ["https://we.keys.example/base?kid=1", `${GATEWAY}/keys?kid=1`],
    ["https://ne.keys.example/Widevine/?kid=1", `${GATEWAY}/keys/Widevine/?kid=1`],
    ["HTTPS://NE.keys.example:443/PlayReady/", `${GATEWAY}/keys/PlayReady/`],
  ])("%s under a region's key delivery is asked for at the gateway", (url, expected) => {
    expect(keyUrl(url)).toBe(expected);
  });

  it.each([
    ["https://we.streaming.example/video/key.bin?x=1", `${GATEWAY}/video/key.bin?x=1`],
    ["https://ne.streaming.example/origin/video/key.bin", `${GATEWAY}/video/key.bin`],
  ])("%s beside the video comes as segments do", (url, expected) => {
    expect(keyUrl(url)).toBe(expected);
  });

  it.each(["https://licence.example/w", `${GATEWAY}/keys/?kid=1`, "skd://key-1", "data:,x"])("%s stays", (url) => {
    expect(keyUrl(url)).toBe(url);
  });

  it.each([
    "https://we.keys.example/other/?kid=1",
    "https://we.streaming.example/elsewhere/key.bin",
    "https://ne.streaming.example/video/key.bin",
  ])("%s is bound to its region", (url) => {
    expect(keyUrl(url)).toBeNull();
  });
});
