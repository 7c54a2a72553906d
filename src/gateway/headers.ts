/** What is carried to a key host, what comes back, and what browsers are told. Lists of what passes, never of what does not. */

interface HeaderRule {
  readonly name: string;
  readonly why: string;
}

/** Request header fields that a key or licence server needs. Everything else stays here. */
const FORWARDED_REQUEST_HEADERS: readonly HeaderRule[] = [
  { name: "authorization", why: "bearer tokens of content key policies; lost on a cross-origin redirect, the reason why keys are proxied" },
  { name: "cookie", why: "key servers that authorise by session; a redirect would lose it too" },
  { name: "content-type", why: "licence challenges: octet-stream, text/xml, JSON" },
  { name: "accept", why: "servers that answer binary or JSON licences as asked" },
  { name: "accept-language", why: "localised rights messages of some licence servers" },
  { name: "user-agent", why: "licence rules by device" },
  { name: "soapaction", why: "PlayReady challenges are SOAP 1.1" },
  { name: "customdata", why: "BuyDRM KeyOS" },
  { name: "x-keyos-authorization", why: "BuyDRM KeyOS" },
  { name: "x-axdrm-message", why: "Axinom DRM licence message" },
  { name: "x-dt-custom-data", why: "castLabs DRMtoday" },
  { name: "dt-custom-data", why: "castLabs DRMtoday" },
  { name: "x-dt-auth-token", why: "castLabs DRMtoday" },
  { name: "pallycon-customdata-v2", why: "DoveRunner (PallyCon)" },
  { name: "x-vudrm-token", why: "VUDRM" },
  { name: "nv-authorizations", why: "Nagra" },
  { name: "x-ms-client-request-id", why: "traces of Azure services" },
  { name: "traceparent", why: "W3C Trace Context, with the gateway's own span" },
  { name: "tracestate", why: "W3C Trace Context, the vendors' part" },
];

/** Answer header fields of a key host that a player needs. Its Set-Cookie, CORS, caching and server fields are not the gateway's to repeat. */
const FORWARDED_ANSWER_HEADERS: readonly HeaderRule[] = [
  { name: "content-type", why: "how the licence is encoded" },
  { name: "content-encoding", why: "the body is passed on as it came" },
];

/** RFC 9110 §7.6.1; never forwarded, even where a list above should come to name one. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

type HeaderReader = (name: string) => string | undefined;

export interface OwnHeaders {
  readonly requestId: string;
  /** Address of the client as the socket has it; what a client says of itself in x-forwarded-for is not repeated. */
  readonly peer: string | null;
}

/** Header fields of a request to a key host. Fields that the client's Connection field names are for this hop only. */
export function upstreamRequestHeaders(read: HeaderReader, own: OwnHeaders): Record<string, string> {
  const named = connectionNames(read("connection"));
  const headers: Record<string, string> = { "accept-encoding": "identity", "x-request-id": own.requestId };
  if (own.peer !== null) headers["x-forwarded-for"] = own.peer;
  for (const { name } of FORWARDED_REQUEST_HEADERS) {
    const value = HOP_BY_HOP.has(name) || named.has(name) ? undefined : read(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

/** Header fields of a key host's answer that go on to the player. */
export function playerAnswerHeaders(read: HeaderReader): Record<string, string> {
  const named = connectionNames(read("connection"));
  const headers: Record<string, string> = {};
  for (const { name } of FORWARDED_ANSWER_HEADERS) {
    const value = HOP_BY_HOP.has(name) || named.has(name) ? undefined : read(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function connectionNames(value: string | undefined): ReadonlySet<string> {
  if (value === undefined) return new Set();
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}

/** CORS fields of every answer. Credentials are possible only where one origin is configured: browsers refuse them with `*`. */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  const exposed = "x-request-id, x-paircast-reason, x-paircast-origin, retry-after, content-length";
  const common = { "access-control-allow-origin": origin, "access-control-expose-headers": exposed };
  return origin === "*" ? common : { ...common, "access-control-allow-credentials": "true", vary: "origin" };
}

/** Sent by players without being asked for a key: ranges, conditional requests, CMCD (CTA-5004). */
const PLAYER_HEADERS = ["range", "if-none-match", "if-modified-since", "cache-control", "x-request-id"];
const CMCD_HEADERS = ["cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session"];

/** Answer to a preflight. Authorization is named because `*` does not cover it (Fetch §4.9); Chromium caps the age at two hours. */
export function preflightHeaders(origin: string): Readonly<Record<string, string>> {
  const asked = FORWARDED_REQUEST_HEADERS.map(({ name }) => name).filter((name) => name !== "cookie" && name !== "user-agent");
  return {
    ...corsHeaders(origin),
    "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
    "access-control-allow-headers": [...asked, ...PLAYER_HEADERS, ...CMCD_HEADERS, "*"].join(", "),
    "access-control-max-age": "7200",
    allow: "GET, HEAD, POST, OPTIONS",
  };
}
