/** What is known of who asks, as far as an order depends on it. Pure. */
import { parseAddress, parseNetwork, type Address, type Network, inNetwork } from "../../core/address.ts";
import { percentDecoded } from "../../core/percent.ts";
import type { CountryReader } from "../../core/ports/http.ts";
import { cmcdSession } from "./cmcd.ts";
import { bitsOf, chanceOf, hashText } from "./hash.ts";
import type { PreparedPolicy } from "./policy.ts";

export interface Viewer {
  /** The session by which he is kept where he is; null where the policy does not ask, or he does not say. */
  readonly session: string | null;
  /** Two capital letters; null where it is not asked for or not known. */
  readonly country: string | null;
  readonly address: Address | null;
  /** Uniform in [0, 1): what decides by chance decides by this. */
  readonly chance: number;
  /** The number of a session that was named when it began. Left out: that of `session`. */
  readonly sessionBits?: number;
}

/** By what a viewer is known again without a word that it said of itself: 32 bits of its session, or of the chance that decided at its start. */
export interface KeptViewer {
  readonly as: "session" | "chance";
  readonly bits: number;
}

/** Nobody in particular. Only where nothing is left to chance. */
export const ANYBODY: Viewer = { session: null, country: null, address: null, chance: 0 };

/** A request as far as it tells of the viewer. */
export interface WireFacts {
  /** The raw request target. */
  readonly target: string;
  readonly header: (name: string) => string | undefined;
  /** Address of the socket's other end; null where there is no socket. Asked for only where it matters. */
  readonly peer: () => string | null;
}

/** What may be believed, from the configuration. */
export interface ViewerRules {
  readonly proxies: readonly Network[];
  /** The header field with the country and who may set it; null where there is none. */
  readonly countryHeader: { readonly name: string; readonly from: readonly Network[] } | null;
  readonly countries: CountryReader | null;
}

export const NOTHING_BELIEVED: ViewerRules = { proxies: [], countryHeader: null, countries: null };

/** Networks of configured texts; what does not parse was refused before. */
export function networksOf(texts: readonly string[]): readonly Network[] {
  return texts.flatMap((text) => parseNetwork(text) ?? []);
}

/** The facts that `policy` asks for, and no others: each costs time on the way of every request. */
export function viewerFor({ policy }: PreparedPolicy, wire: WireFacts, rules: ViewerRules, chance: number): Viewer {
  const session = policy.sticky === undefined ? null : sessionOf(policy.sticky.by, wire);
  if (policy.method !== "geographic") return { session, country: null, address: null, chance };
  const hops = believedHops(wire, rules.proxies);
  const address = hops.at(-1) ?? null;
  return { session, address, country: countryOf(wire, hops, rules), chance };
}

/** What a person who asks `why` says of a viewer. */
export interface ViewerHints {
  readonly session?: string | undefined;
  readonly country?: string | undefined;
  readonly address?: string | undefined;
}

/** The viewer of a request that nobody has sent. Hints count only where the policy would ask for them. */
export function hintedViewer(prepared: PreparedPolicy, hints: ViewerHints, target: string, rules: ViewerRules, chance: number): Viewer {
  const wire = { target, header: () => undefined, peer: () => hints.address ?? null };
  const viewer = viewerFor(prepared, wire, { ...rules, proxies: [] }, chance);
  const session = prepared.policy.sticky === undefined ? null : (hints.session ?? viewer.session);
  const country = prepared.policy.method === "geographic" ? (hints.country?.toUpperCase() ?? viewer.country) : null;
  return { ...viewer, session, country };
}

/** 32 bits that are the viewer's own: of his session where he has one, else of chance. */
export function seedOf(viewer: Viewer): number {
  return sessionBits(viewer) ?? bitsOf(viewer.chance);
}

/** 32 bits of the session; null where there is none. */
export function sessionBits({ session, sessionBits: named }: Viewer): number | null {
  return named ?? (session === null ? null : hashText(session));
}

/** What of a viewer has to be kept for him to get the same order again; null where every viewer gets it. */
export function keptOf(viewer: Viewer): KeptViewer | null {
  if (viewer === ANYBODY) return null;
  const bits = sessionBits(viewer);
  return bits === null ? { as: "chance", bits: bitsOf(viewer.chance) } : { as: "session", bits };
}

/** A viewer as he is now, with what was kept of him. A session that he names himself counts more. */
export function keptViewer(viewer: Viewer, kept: KeptViewer | null): Viewer {
  if (kept === null || viewer === ANYBODY || viewer.session !== null) return viewer;
  return kept.as === "session" ? { ...viewer, sessionBits: kept.bits } : { ...viewer, chance: chanceOf(kept.bits) };
}

/** The address that counts as the viewer's; null where there is no socket. */
export function viewerAddress(wire: WireFacts, proxies: readonly Network[]): Address | null {
  return believedHops(wire, proxies).at(-1) ?? null;
}

const QUERY = "query:";
const MAX_SESSION = 256;

function sessionOf(by: string, { target, header }: WireFacts): string | null {
  const found = by.startsWith(QUERY) ? queryValue(target, by.slice(QUERY.length)) : cmcdOf(target, header);
  return found === null || found === "" || found.length > MAX_SESSION ? null : found;
}

/** CTA-5004 §3: the same data may come as a query argument or as header fields; the session id stands in CMCD-Session. */
function cmcdOf(target: string, header: WireFacts["header"]): string | null {
  const query = queryValue(target, "CMCD");
  return cmcdSession(query ?? "") ?? cmcdSession(header("cmcd-session") ?? "");
}

/** The first query argument of this name, decoded; null where there is none, or it cannot be decoded. */
function queryValue(target: string, name: string): string | null {
  let at = target.indexOf("?");
  while (at >= 0) {
    const start = at + 1;
    const end = target.indexOf("&", start);
    if (target.startsWith(name, start) && target[start + name.length] === "=") {
      return percentDecoded(target.slice(start + name.length + 1, end < 0 ? undefined : end));
    }
    at = end;
  }
  return null;
}

/**
 * The addresses that are known to have passed the request on, nearest first. The socket's other end is believed as it is; what it says of
 * the one before it (the rightmost entry of X-Forwarded-For) only where it is a proxy of ours, and so on. The last is the viewer.
 */
function believedHops({ peer, header }: WireFacts, proxies: readonly Network[]): readonly Address[] {
  const other = peer();
  const first = other === null ? null : parseAddress(other);
  if (first === null) return [];
  const hops = [first];
  if (!within(first, proxies)) return hops;
  const forwarded = (header("x-forwarded-for") ?? "").split(",");
  for (let at = forwarded.length - 1; at >= 0; at -= 1) {
    const hop = parseAddress(withoutPort(forwarded[at]?.trim() ?? ""));
    if (hop === null) break;
    hops.push(hop);
    if (!within(hop, proxies)) break;
  }
  return hops;
}

/** Some load balancers write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  if (text.startsWith("[")) return text.slice(1, text.includes("]") ? text.indexOf("]") : undefined);
  return /^[^:]+:\d+$/.test(text) ? text.slice(0, text.indexOf(":")) : text;
}

function within(address: Address, networks: readonly Network[]): boolean {
  return networks.some((network) => inNetwork(address, network));
}

const COUNTRY = /^[A-Z]{2}$/;

function countryOf({ header }: WireFacts, hops: readonly Address[], rules: ViewerRules): string | null {
  const { countryHeader, countries } = rules;
  if (countryHeader !== null) {
    if (!hops.some((hop) => within(hop, countryHeader.from))) return null;
    const value = (header(countryHeader.name) ?? "").trim().toUpperCase();
    return COUNTRY.test(value) ? value : null;
  }
  const address = hops.at(-1);
  return countries === null || address === undefined ? null : countries.country(address);
}
