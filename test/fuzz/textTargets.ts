/** Parsers of what players, proxies and operators send, each with samples, and what has to hold of whatever they make of anything. */
import { expect } from "vitest";
import { covers, inNetwork, parseAddress, parseNetwork } from "../../src/core/address.ts";
import { parseConfig } from "../../src/core/config/load.ts";
import { ConfigError } from "../../src/core/config/problems.ts";
import type { PlaybackRequest } from "../../src/core/contracts.ts";
import { baseUrl, duration, listenAddress } from "../../src/core/config/units.ts";
import { loggedPath, quoted } from "../../src/gateway/access.ts";
import { adminRefusal } from "../../src/gateway/adminGuard.ts";
import { rawRequestOf } from "../../src/gateway/explain.ts";
import { cmcdSession } from "../../src/gateway/order/cmcd.ts";
import { preparePolicy } from "../../src/gateway/order/policy.ts";
import { networksOf, viewerFor } from "../../src/gateway/order/viewer.ts";
import { fieldValue, holdsCredentials, scanFields } from "../../src/gateway/rawFields.ts";
import { readRequest, type FrontDoor } from "../../src/gateway/request.ts";
import { readPathways, readSession } from "../../src/gateway/steering/session.ts";
import { targetProblem } from "../../src/gateway/target.ts";
import { readTraceparent, readTracestate, writeTraceparent } from "../../src/gateway/trace.ts";
import { pick, type Draw } from "./mutate.ts";

export interface TextTarget {
  readonly name: string;
  readonly cases: number;
  readonly samples: readonly string[];
  readonly dictionary: readonly string[];
  /** Fails, or throws what is no documented error, where something is wrong. */
  readonly check: (text: string, draw: Draw) => void;
}

const ID = "8d7ab48c-5d43-4f31-9d52-4f4f0e8d2f63";
const DOOR: FrontDoor = {
  prefixes: ["/vod/", "/"],
  keyPrefix: "/keys",
  keyHost: "keys.gateway.example",
  routes: [{ host: "live.example", prefix: "/vod/" }],
  steering: true,
};
const DOORS = [DOOR, { ...DOOR, prefixes: ["/vod/"], steering: false }, { prefixes: [], keyPrefix: "/keys", keyHost: null }];
const BASE = "https://we.example/base";
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TARGETS = [
  `/${ID}/video.ism/manifest(format=m3u8-cmaf)`,
  `/${ID}/video.ism/QualityLevels(128000)/Fragments(audio=0,format=mp4)`,
  "/vod/movie-1/master.m3u8?token=a.b.c",
  `/keys/?kid=${ID}`,
  `/keys/a/${ID}?token=Bearer%3Dx`,
  `/steering/hls/vod/movie-1/master.m3u8?pathways=a,b&session=5eed0001&_HLS_pathway=%22a%22&_HLS_throughput=1000`,
  "/healthz",
  "*",
];

const words: readonly string[] = [
  "..",
  "%2e",
  "%2F",
  "%5c",
  "%00",
  "//",
  "/./",
  "?",
  "#",
  "%",
  ID,
  "/keys",
  "/vod/",
  "kid=",
  "http://other.example",
  "@",
  ":80",
];

function checkTarget(target: string, draw: Draw): void {
  const door = pick(DOORS, draw);
  const method = pick(["GET", "HEAD", "POST", "OPTIONS", "PUT", target.slice(0, 7)], draw);
  const host = pick(["gw.example", "keys.gateway.example:443", "LIVE.example.", null, target.slice(0, 20)], draw);
  const result = readRequest({ method, target, host }, door);
  if (result.type === "rejected") {
    expect([400, 404, 405, 414, 501]).toContain(result.rejection.status);
    return;
  }
  if (result.type !== "local" && result.request !== null) checkRequest(result.request);
}

function checkRequest({ target, keyId, locatorId }: PlaybackRequest): void {
  // What is appended to a region's base URL stays below it, whoever parses it.
  const url = new URL(BASE + target);
  if (url.origin !== "https://we.example" || !url.pathname.startsWith("/base/")) throw new Error(`leads to ${url.href}`);
  if (keyId !== null && !GUID.test(keyId)) throw new Error(`key id ${keyId}`);
  if (locatorId !== null && (locatorId === "" || locatorId !== locatorId.toLowerCase())) throw new Error(`locator id ${locatorId}`);
}

const FIELDS = { host: null, requestId: null, traceparent: null, length: null, plain: false };

/** Two words of a line are a name and a value. */
function checkFields(text: string): void {
  const fields = text.split(/[:\n]/);
  const { requestId } = scanFields(fields, { ...FIELDS });
  if (requestId !== null) expect(requestId).toMatch(/^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$/);
  if (holdsCredentials(fields)) expect(text.toLowerCase()).toMatch(/authorization|cookie/);
  const host = fieldValue(fields, "host");
  if (host !== undefined) expect(text.toLowerCase()).toContain("host");
}

const PROXIES = networksOf(["10.0.0.0/8", "2001:db8::/32"]);
const GEOGRAPHIC = preparePolicy({ method: "geographic", rules: [{ countries: ["SE"], regions: ["a"] }], sticky: { by: "query:sid" } }, [
  "a",
  "b",
]);

function checkViewer(text: string): void {
  const [forwarded = "", query = ""] = text.split("|");
  const wire = {
    target: `/v?sid=${query}`,
    header: (name: string) => (name === "x-forwarded-for" ? forwarded : undefined),
    peer: () => "10.0.0.1",
  };
  const { address, session } = viewerFor(GEOGRAPHIC, wire, { proxies: PROXIES, countryHeader: null, countries: null }, 0.5);
  if (address !== null) checkGroups(address);
  if (session !== null && (session === "" || session.length > 256)) throw new Error(`a session of ${session.length} characters`);
}

function checkGroups(address: readonly number[]): void {
  if (address.length !== 8 || address.some((group) => !Number.isInteger(group) || group < 0 || group > 0xffff))
    throw new Error("no address");
}

function checkAddress(text: string): void {
  const address = parseAddress(text);
  if (address !== null) {
    checkGroups(address);
    expect(parseAddress(address.map((group) => group.toString(16)).join(":"))).toEqual(address);
  }
  const network = parseNetwork(text);
  if (network === null) return;
  if (network.bits < 0 || network.bits > 128 || !inNetwork(network.address, network) || !covers(network, network))
    throw new Error("no network");
}

function checkTrace(text: string): void {
  const context = readTraceparent(text);
  if (context !== null) expect(readTraceparent(writeTraceparent(context, "00f067aa0ba902b7"))).toEqual(context);
  const state = readTracestate(text);
  if (state !== null && !/^[\t -~]{1,512}$/.test(state)) throw new Error("a tracestate that no field may hold");
}

function checkAuthorization(text: string): void {
  const refusal = adminRefusal({ method: "GET", path: "/api/status", host: "x", origin: null, authorization: text }, "secret-token");
  if (refusal === null) expect(text).toMatch(/^bearer +secret-token$/i);
}

function checkUnits(text: string): void {
  const ms = duration.safeParse(text);
  if (ms.success && !(ms.data >= 0)) throw new Error(`a duration of ${ms.data}`);
  const listen = listenAddress.safeParse(text);
  if (listen.success && !(listen.data.port >= 0 && listen.data.port <= 65_535)) throw new Error(`port ${listen.data.port}`);
  const url = baseUrl.safeParse(text);
  if (url.success && (url.data.endsWith("/") || !URL.canParse(url.data))) throw new Error(`base ${url.data}`);
}

const CONFIG = `regions:
  - { name: west, streaming: "https://west.example", keys: https://k.west.example }
  - { name: north, streaming: "https://north.example" }
gateway:
  listen: ":8080"
  prefixes: ["/vod/"]
  viewers: { proxies: [10.0.0.0/8] }
  routing: { method: weighted, weights: { west: 2, north: 1 }, sticky: { by: cmcd-sid } }
health: { interval: 5s, fall: 2 }
admin: { listen: 127.0.0.1:9090, token: "\${TOKEN}" }
`;

function checkConfig(text: string): void {
  const sources = {
    env: { TOKEN: "a-token-for-the-test" },
    readFile: (): string => {
      throw Object.assign(new Error("not there"), { code: "ENOENT" });
    },
  };
  try {
    expect(parseConfig("p.yaml", text, sources).regions.length).toBeGreaterThan(0);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.problems.length === 0) throw new Error("refused without a reason", { cause: error });
  }
}

function checkSession(text: string): void {
  const { pathways, kept, report } = readSession(text);
  if (kept !== null && kept.bits !== kept.bits >>> 0) throw new Error(`${kept.bits} is not 32 bits`);
  if (report.bitsPerSecond !== null && !(report.bitsPerSecond >= 0)) throw new Error(`${report.bitsPerSecond} bits per second`);
  const ids = readPathways(pathways ?? text);
  if (ids !== null && (ids.length === 0 || ids.length > 16 || new Set(ids).size !== ids.length)) throw new Error("pathways");
}

function checkCmcd(text: string): void {
  const sid = cmcdSession(text);
  if (sid !== null && (sid === "" || sid.length > 64)) throw new Error(`a session id of ${sid.length} characters`);
}

function checkLogged(text: string): void {
  const shown: unknown = JSON.parse(quoted(text));
  if (typeof shown !== "string" || /[?&]token=a\.b\.c/.test(shown)) throw new Error("no text, or one with a secret");
  loggedPath(text);
  const raw = rawRequestOf("GET", text);
  if (raw !== null) expect(typeof raw.target).toBe("string");
}

export const TEXT_TARGETS: readonly TextTarget[] = [
  { name: "front door", cases: 220_000, samples: TARGETS, dictionary: words, check: checkTarget },
  {
    name: "request target",
    cases: 120_000,
    samples: TARGETS,
    dictionary: words,
    check: (text) => {
      if (targetProblem(text) === null && !/^\/(?!\/)[!-~]*$/.test(text)) throw new Error("passes what is no path");
    },
  },
  {
    name: "raw fields",
    cases: 90_000,
    samples: [
      "host:gw.example\nx-request-id:abcdefgh-1\ntraceparent:00-x\ncontent-length:12\nConnection:close",
      "Host:a\nHOST:b\nAuthorization:Bearer x\nCookie:y\nexpect:100-continue\ntransfer-encoding:chunked",
    ],
    dictionary: ["host", "x-request-id", "traceparent", "content-length", "expect", "upgrade", "transfer-encoding", ":", "\n", "abcdefgh"],
    check: checkFields,
  },
  {
    name: "addresses and networks",
    cases: 130_000,
    samples: ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:192.0.2.1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "::"],
    dictionary: ["::", ":", ".", "/", "%", "ffff", "256", "0", "255", "128", "129", "1.2.3.4"],
    check: checkAddress,
  },
  {
    name: "forwarded addresses and sessions",
    cases: 80_000,
    samples: ["192.0.2.1, 10.0.0.2|one", "[2001:db8::1]:4711, 198.51.100.7:80|%20two", "unknown, _hidden|a&CMCD=sid%3D%22x%22"],
    dictionary: [",", "[", "]", ":", "10.0.0.1", "2001:db8::1", "%", "%zz", "&sid=", "|"],
    check: checkViewer,
  },
  {
    name: "trace context",
    cases: 60_000,
    samples: [
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
      "rojo=00f067aa,congo=t61",
    ],
    dictionary: ["00-", "ff-", "-", "0000000000000000", "00000000000000000000000000000000", ","],
    check: checkTrace,
  },
  {
    name: "Authorization",
    cases: 30_000,
    samples: ["Bearer secret-token", "bearer  secret-token", "Basic c2VjcmV0", "Bearer"],
    dictionary: ["Bearer", " ", "secret-token", "\t", ","],
    check: checkAuthorization,
  },
  {
    name: "CMCD",
    cases: 80_000,
    samples: ['br=3200,bs,d=4004,mtp=25400,ot=v,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",tb=6000', 'cid="a\\"b,c",sid=x', "sid=%22x%22"],
    dictionary: ["sid", "=", '"', "\\", ",", 'sid="', "cid", '\\"'],
    check: checkCmcd,
  },
  {
    name: "steering sessions",
    cases: 60_000,
    samples: [
      "pathways=a,b&session=5eed0001&_HLS_pathway=%22a%22&_HLS_throughput=12",
      "pathways=a%2Cb&chance=ffffffff&_DASH_pathway=%22b,a%22&_DASH_throughput=1,2",
    ],
    dictionary: ["pathways=", "session=", "chance=", "&", "%2C", ",", "_HLS_pathway=", "%", "__proto__=", "ffffffff"],
    check: checkSession,
  },
  {
    name: "scalars of the configuration",
    cases: 25_000,
    samples: ["500ms", "1.5h", ":8080", "[::1]:9090", "https://a.example/b/", "0.0.0.0:65535"],
    dictionary: ["ms", "s", "h", "d", ".", ":", "[", "]", "https://", "@", "99999999999999999999"],
    check: checkUnits,
  },
  {
    name: "configuration files",
    cases: 1_500,
    samples: [CONFIG],
    dictionary: ["regions", "- ", "{", "}", "[", "]", "&a", "*a", "!!js", "${TOKEN}", "file:x", "null", "~"],
    check: checkConfig,
  },
  { name: "logged paths", cases: 30_000, samples: TARGETS, dictionary: words, check: checkLogged },
];
