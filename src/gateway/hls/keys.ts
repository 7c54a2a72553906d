/** Key URIs: asked of the gateway where it can carry them, else left with the region, and counted. Pure. */
import { type Attribute, attributeValue, parseAttributes, quoted, withAttributes } from "./attributes.ts";
import { isHttp, resolved, writable } from "./place.ts";
import type { Variables } from "./variables.ts";

/** With a variable that another playlist defines: its own host, or one that the variable may hold. */
const NAMES_A_HOST = /^(?:\{\$|https?:|\/\/)/i;

const ABSOLUTE = /^https?:/i;

export interface KeyPlaces {
  /** URL of the playlist at the region. */
  readonly url: string;
  /** Any URL at the gateway. */
  readonly gateway: string;
  readonly keyUrl: (absoluteUrl: string) => string | null;
}

export interface KeyLine {
  readonly text: string;
  /** True: its key comes from one region, whatever happens to it. */
  readonly bound: boolean;
}

/** An EXT-X-KEY or EXT-X-SESSION-KEY line. `data:` and `skd:` name no host, and what is at the gateway is where it should be. */
export function keyLine(line: string, variables: Variables, places: KeyPlaces): KeyLine {
  const attributes = parseAttributes(line) ?? [];
  const written = writtenUri(attributes);
  const { text: uri, missing } = variables.substitute(written);
  if (missing !== null) return { text: line, bound: NAMES_A_HOST.test(written) };
  const url = keyAtRegion(uri, places);
  if (url === null) return { text: line, bound: false };
  const carried = places.keyUrl(url.href);
  const target = carried ?? url.href;
  const asWritten = target === url.href && uri === written && ABSOLUTE.test(written);
  return { text: asWritten ? line : withUri(line, attributes, target), bound: carried === null };
}

/** Empty where there is none. */
function writtenUri(attributes: readonly Attribute[]): string {
  return attributeValue(attributes, "METHOD") === "NONE" ? "" : (attributeValue(attributes, "URI") ?? "");
}

function withUri(line: string, attributes: readonly Attribute[], uri: string): string {
  return withAttributes(line, attributes, new Map([["URI", quoted(writable(uri))]]));
}

function keyAtRegion(uri: string, { url: base, gateway }: KeyPlaces): URL | null {
  const url = uri === "" ? null : resolved(uri, base);
  return url === null || !isHttp(url) || url.origin === new URL(gateway).origin ? null : url;
}
