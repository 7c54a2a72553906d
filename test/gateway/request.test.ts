import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestKind } from "../../src/core/contracts.ts";
import { candidatesFor, locationOf } from "../../src/gateway/candidates.ts";
import { readRequest, type FrontDoorResult } from "../../src/gateway/request.ts";
import { MAX_TARGET_BYTES } from "../../src/gateway/target.ts";
import { DOOR, KEY_ID, LOCATOR, REGIONS } from "./world.ts";

const HOST = "gateway.example:8080";

function read(target: string, method = "GET", host: string | null = HOST): FrontDoorResult {
  return readRequest({ method, target, host }, DOOR);
}

function rejection(result: FrontDoorResult) {
  return result.type === "rejected" ? result.rejection : undefined;
}

function playback(result: FrontDoorResult) {
  return result.type === "playback" ? result.request : undefined;
}

describe("what is asked for", () => {
  const rows: readonly (readonly [string, RequestKind, string])[] = [
    [`/${LOCATOR}/video.ism/manifest`, "manifest", LOCATOR],
    [`/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf,encryption=cbc)`, "manifest", LOCATOR],
    [`/${LOCATOR}/video.ism/Manifest(format=mpd-time-cmaf)?x=y&token=a%2Fb`, "manifest", LOCATOR],
    [`/${LOCATOR}/video.ISM/MANIFEST%28format=m3u8-cmaf%29`, "manifest", LOCATOR],
    [`/${LOCATOR}/live.isml/manifest(format=m3u8-cmaf)`, "manifest", LOCATOR],
    [`/${LOCATOR.toUpperCase()}/video.ism/manifest`, "manifest", LOCATOR],
    [`/${LOCATOR}/hls/master.m3u8`, "manifest", LOCATOR],
    [`/${LOCATOR}/stream.MPD?a=.ts`, "manifest", LOCATOR],
    ["/vod/movie-1/master.m3u8", "manifest", "vod/movie-1"],
    ["/vod/Movie%2D1/720p/playlist.m3u8", "manifest", "vod/movie-1"],
    ["/vod/movie-1/720p/segment-1.m4s", "media", "vod/movie-1"],
    [`/${LOCATOR}/video.ism/QualityLevels(1000)/Fragments(video=0,format=m3u8-cmaf)`, "media", LOCATOR],
    [`/${LOCATOR}/segment.ts?playlist=a.m3u8`, "media", LOCATOR],
    [`/${LOCATOR}/a//b.ts`, "media", LOCATOR],
    [`/${LOCATOR}/..a/.b/c..d`, "media", LOCATOR],
  ];

  it.each(rows)("%s is %s of %s", (target, kind, locatorId) => {
    expect(playback(read(target))).toEqual({ kind, service: "streaming", locatorId, keyId: null, target });
  });

  const keys: readonly (readonly [string, string, string | null])[] = [
    [`/keys?kid=${KEY_ID}`, `/?kid=${KEY_ID}`, KEY_ID],
    [`/keys/?KID=${KEY_ID.toUpperCase()}&token=x%2Fy`, `/?KID=${KEY_ID.toUpperCase()}&token=x%2Fy`, KEY_ID],
    [`/keys/Widevine/?a=1&kid=${KEY_ID}`, `/Widevine/?a=1&kid=${KEY_ID}`, KEY_ID],
    [`/keys/alternative-id/${KEY_ID}`, `/alternative-id/${KEY_ID}`, KEY_ID],
    [`/keys/${LOCATOR}/${KEY_ID}/key.bin`, `/${LOCATOR}/${KEY_ID}/key.bin`, KEY_ID],
    ["/keys/FairPlay/?kid=not-a-guid", "/FairPlay/?kid=not-a-guid", null],
    ["/keys", "/", null],
  ];

  it.each(keys)("%s is a key request for %s", (target, inner, keyId) => {
    expect(playback(read(target))).toEqual({ kind: "key", service: "keys", locatorId: null, keyId, target: inner });
  });

  it.each([["KEYS.gateway.example"], ["keys.gateway.example:443"], ["keys.gateway.example."]])(
    "everything under the keys host %s is a key request",
    (host) => {
      expect(playback(read(`/${LOCATOR}/video.ism/manifest`, "POST", host))?.target).toBe(`/${LOCATOR}/video.ism/manifest`);
      expect(playback(read(`/keys?kid=${KEY_ID}`, "GET", host))?.target).toBe(`/keys?kid=${KEY_ID}`);
    },
  );

  it("takes the longest prefix, and the root where that is a prefix", () => {
    const door = { ...DOOR, prefixes: ["/", "/vod/", "/vod/kids/"] };
    const locator = (target: string) => playback(readRequest({ method: "GET", target, host: HOST }, door))?.locatorId;
    expect(locator("/vod/kids/movie/a.mpd")).toBe("vod/kids/movie");
    expect(locator("/vod/movie/a.mpd")).toBe("vod/movie");
    expect(locator("/movie/a.mpd")).toBe("movie");
    expect(locator("/favicon.ico")).toBeUndefined();
  });

  it("answers health checks and preflights itself", () => {
    expect(read("/healthz")).toEqual({ type: "local", answer: "healthz" });
    expect(read("/readyz?x", "HEAD", null)).toEqual({ type: "local", answer: "readyz" });
    expect(read("/anything", "OPTIONS")).toEqual({ type: "local", answer: "preflight" });
    expect(read("*", "OPTIONS")).toEqual({ type: "local", answer: "preflight" });
  });
});

describe("what is refused", () => {
  const rows: readonly (readonly [string, number, string])[] = [
    [`http://evil.example/${LOCATOR}/a.mpd`, 400, "bad_target"],
    ["evil.example:443", 400, "bad_target"],
    ["*", 400, "bad_target"],
    ["", 400, "bad_target"],
    [`//evil.example/${LOCATOR}/a.mpd`, 400, "bad_target"],
    [`/${LOCATOR}/a.mpd#b`, 400, "bad_target"],
    [`/${LOCATOR}/a b.mpd`, 400, "bad_target"],
    [`/${LOCATOR}/a\u0000.mpd`, 400, "bad_target"],
    [`/${LOCATOR}/a\r\nx: y`, 400, "bad_target"],
    [`/${LOCATOR}/a\t.mpd`, 400, "bad_target"],
    [`/${LOCATOR}/ä.mpd`, 400, "bad_target"],
    [`/${LOCATOR}/../a.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/./a.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a/..`, 400, "bad_path"],
    [`/${LOCATOR}/%2e%2E/a.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/.%2e/a.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/%2e/a.mpd`, 400, "bad_path"],
    ["/keys/../../admin?kid=x", 400, "bad_path"],
    [`/${LOCATOR}/a%2fb.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a%5Cb.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a\\b.mpd`, 400, "bad_path"],
    ["/\\evil.example/a.mpd", 400, "bad_path"],
    [`/${LOCATOR}/a%0d%0ab.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a%7f.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a%zz.mpd`, 400, "bad_path"],
    [`/${LOCATOR}/a%2`, 400, "bad_path"],
    ["/", 404, "unknown_path"],
    ["/robots.txt", 404, "unknown_path"],
    ["/not-a-guid/video.ism/manifest", 404, "unknown_path"],
    [`/${LOCATOR}`, 404, "unknown_path"],
    [`/${LOCATOR}/`, 404, "unknown_path"],
    [`/${LOCATOR}0/a.mpd`, 404, "unknown_path"],
    ["/vod/", 404, "unknown_path"],
    ["/vod/movie-1", 404, "unknown_path"],
    ["/vod//master.m3u8", 404, "unknown_path"],
    ["/keysx", 404, "unknown_path"],
    ["/keys//evil.example/", 404, "unknown_path"],
  ];

  it.each(rows)("%j: %i %s", (target, status, code) => {
    expect(rejection(read(target))).toMatchObject({ status, code });
  });

  it("takes targets up to the limit and not one byte more", () => {
    const target = (length: number) => `/${LOCATOR}/a.mpd?`.padEnd(length, "x");
    expect(read(target(MAX_TARGET_BYTES)).type).toBe("playback");
    expect(rejection(read(target(MAX_TARGET_BYTES + 1)))).toMatchObject({ status: 414, reason: "too_long" });
  });

  it.each([["evil.example/path"], ["user@gateway.example"], ["a b"], [""], ["gateway.example:"], ["a, b"], ["[::1"]])(
    "Host %j: 400",
    (host) => {
      expect(rejection(read(`/${LOCATOR}/a.mpd`, "GET", host))).toMatchObject({ status: 400, code: "bad_host" });
    },
  );

  it.each([["[::1]:8080"], ["127.0.0.1"], ["a_b.example"], [null]])("Host %j passes", (host) => {
    expect(read(`/${LOCATOR}/a.mpd`, "GET", host).type).toBe("playback");
  });

  it.each([
    ["PUT", `/${LOCATOR}/a.mpd`, 405],
    ["DELETE", "/keys?kid=x", 405],
    ["TRACE", "/", 405],
    ["PROPFIND", `/${LOCATOR}/a.mpd`, 501],
    ["get", `/${LOCATOR}/a.mpd`, 501],
  ])("%s %s: %i with Allow", (method, target, status) => {
    expect(rejection(read(target, method))).toMatchObject({ status, reason: "method", allow: "GET, HEAD, POST, OPTIONS" });
  });

  it("refuses POST to what is only read", () => {
    expect(rejection(read(`/${LOCATOR}/a.mpd`, "POST"))).toMatchObject({ status: 405, allow: "GET, HEAD, OPTIONS" });
    expect(rejection(read("/healthz", "POST"))).toMatchObject({ status: 405, allow: "GET, HEAD, OPTIONS" });
    expect(playback(read("/keys/PlayReady/", "POST"))?.kind).toBe("key");
  });
});

describe("properties", () => {
  const nasty = fc.constantFrom(
    "/",
    "//",
    "\\",
    "..",
    ".",
    "%2e",
    "%2f",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "http:",
    "\t",
    "\n",
    "%00",
    "keys",
    "vod",
    LOCATOR,
    KEY_ID,
    "a.mpd",
    "%",
    ";",
    "video.ism/manifest(x)",
  );
  const climbing = fc.array(fc.oneof(fc.constantFrom("..", ".%2e", "%2E%2e", ".", "x\\..\\..\\..", "a", "a.mpd"), nasty), { maxLength: 6 });
  const targets = fc.oneof(
    fc.tuple(fc.constantFrom(`/${LOCATOR}`, "/keys", "/vod/movie", ""), climbing).map(([start, parts]) => [start, ...parts].join("/")),
    fc.array(nasty, { maxLength: 12 }).map((parts) => parts.join("")),
    fc.array(nasty, { maxLength: 8 }).map((parts) => `/${LOCATOR}/${parts.join("")}`),
    fc.array(nasty, { maxLength: 8 }).map((parts) => `/keys${parts.join("")}`),
    fc.array(nasty, { maxLength: 8 }).map((parts) => `/vod/movie/${parts.join("")}`),
    fc.string({ unit: "binary", maxLength: 60 }).map((text) => `/${LOCATOR}/${text}`),
    fc.webUrl(),
  );
  const hosts = fc.constantFrom(HOST, "keys.gateway.example", "evil.example", null);

  it("no target leads anywhere but to a configured base URL, as any URL parser reads it", () => {
    fc.assert(
      fc.property(targets, hosts, fc.constantFrom("GET", "HEAD", "POST"), fc.constantFrom(...REGIONS), (target, host, method, region) => {
        const request = playback(readRequest({ method, target, host }, DOOR));
        if (request === undefined) return;
        const base = new URL((request.service === "keys" ? region.keys : region.streaming) ?? "");
        const location = new URL(locationOf(candidatesFor(request.service, REGIONS), region.name, request.target));
        expect(location.origin).toBe(base.origin);
        expect(location.username + location.password).toBe("");
        expect(location.pathname.startsWith(base.pathname === "/" ? "/" : `${base.pathname}/`)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it("what is accepted is carried byte for byte", () => {
    fc.assert(
      fc.property(targets, hosts, (target, host) => {
        const request = playback(readRequest({ method: "GET", target, host }, DOOR));
        if (request === undefined) return;
        expect(
          target.endsWith(request.kind === "key" && request.target.startsWith("/?") ? request.target.slice(1) : request.target) ||
            target === "/keys",
        ).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it("ordinary paths under a locator pass and are classified by their end alone", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@-]{1,12}$/);
    const ending = fc.constantFrom<readonly [string, RequestKind]>(
      ["m.m3u8", "manifest"],
      ["M.MPD", "manifest"],
      ["v.ism/manifest(a=b)", "manifest"],
      ["s.m4s", "media"],
    );
    fc.assert(
      fc.property(fc.uuid(), fc.array(segment, { maxLength: 4 }), ending, (id, segments, [end, kind]) => {
        const target = `/${[id, ...segments, end].join("/")}`;
        expect(playback(read(target))).toMatchObject({ kind, locatorId: id, target });
      }),
    );
  });
});
