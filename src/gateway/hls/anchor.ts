/**
 * A playlist of either kind served under the gateway's own path, so that every URI in it that lies at the region comes back to the gateway.
 * The gateway's paths are those under the region's base, so relative URIs stay as they are wherever that is what they mean. Pure.
 */
import type { AnchorOptions, Rewritten } from "../pathway.ts";
import { parseAttributes, quoted, withAttributes } from "./attributes.ts";
import { keyLine } from "./keys.ts";
import { isUriLine, joinLines, type Line, tagOf } from "./lines.ts";
import { described, isHttp, type Move, moved, moveFromBase, resolved, writable } from "./place.ts";
import { readPlaylist } from "./playlistKind.ts";
import { orRefusal, Refusal } from "../refusal.ts";
import { STEERING_TAG } from "./steeringTag.ts";
import { Variables } from "./variables.ts";

const URI = ["URI"];
const URI_ATTRIBUTES: ReadonlyMap<string, readonly string[]> = new Map([
  ["#EXT-X-MEDIA", URI],
  ["#EXT-X-I-FRAME-STREAM-INF", URI],
  ["#EXT-X-IMAGE-STREAM-INF", URI],
  ["#EXT-X-SESSION-DATA", URI],
  ["#EXT-X-MAP", URI],
  ["#EXT-X-PART", URI],
  ["#EXT-X-PRELOAD-HINT", URI],
  ["#EXT-X-RENDITION-REPORT", URI],
  ["#EXT-X-DATERANGE", ["X-ASSET-URI", "X-ASSET-LIST"]],
]);

/**
 * In the directory of its playlist or below, whoever reads it: no need to resolve it, and a long playlist has thousands. Nothing but visible
 * ASCII, for URL parsers drop blanks and control characters: two dots with a tab between them climb too.
 */
const PLAIN_RELATIVE = /^(?![/?#])(?!.*(?:\.\.|%2e|[:\\{]))[!-~]+$/i;

interface Plan {
  readonly options: AnchorOptions;
  readonly move: Move;
  /** URL of this playlist at the gateway. */
  readonly here: string;
  readonly variables: Variables;
}

/** Throws on options that are no URLs. References to variables that this playlist defines are resolved where they stand in URIs. */
export function anchorHls(text: string, options: AnchorOptions): Rewritten {
  const move = moveFromBase(options.base, options.gateway);
  const url = new URL(options.url);
  const here = moved(url, move);
  return orRefusal(() => {
    if (here === null) throw new Refusal("foreign_uri", `${described(url)} is not under the region's base ${move.origin}${move.path}`);
    return anchored(text, { options, move, here, variables: new Variables(options.url) });
  });
}

function anchored(text: string, plan: Plan): Rewritten {
  const { source } = readPlaylist(text);
  let boundKeys = 0;
  const lines: Line[] = [];
  for (const { text: line, end } of source.lines) {
    if (tagOf(line) === STEERING_TAG) continue;
    const { text: written, bound } = anchoredLine(line, plan);
    if (bound) boundKeys += 1;
    lines.push({ text: written, end });
  }
  return { ok: true, text: joinLines({ ...source, lines }), boundKeys };
}

function anchoredLine(line: string, plan: Plan): { readonly text: string; readonly bound: boolean } {
  if (isUriLine(line)) return { text: anchoredUri(line, plan), bound: false };
  const tag = tagOf(line);
  if (tag === "#EXT-X-KEY" || tag === "#EXT-X-SESSION-KEY") return keyLine(line, plan.variables, plan.options);
  if (tag === "#EXT-X-DEFINE") {
    plan.variables.define(line);
    return { text: withValue(line, plan), bound: false };
  }
  const names = URI_ATTRIBUTES.get(tag);
  return { text: names === undefined ? line : withUris(line, names, plan), bound: false };
}

function withUris(line: string, names: readonly string[], plan: Plan): string {
  const attributes = parseAttributes(line) ?? [];
  const changes = new Map<string, string>();
  for (const { name, value, quoted: isQuoted } of attributes) {
    if (!names.includes(name) || !isQuoted || value === "") continue;
    const uri = anchoredUri(value, plan);
    if (uri !== value) changes.set(name, quoted(uri));
  }
  return changes.size === 0 ? line : withAttributes(line, attributes, changes);
}

/** A variable that holds a URL at the region: media playlists import it, and it must mean the gateway there too. */
function withValue(line: string, { options, move }: Plan): string {
  const attributes = parseAttributes(line) ?? [];
  const value = attributes.find(({ name }) => name === "VALUE")?.value ?? "";
  const base = move.origin + move.path;
  if (!value.startsWith(base) || !/^(?:\/|$)/.test(value.slice(base.length))) return line;
  return withAttributes(line, attributes, new Map([["VALUE", quoted(options.gateway + value.slice(base.length))]]));
}

/** The URI as it must be written in a playlist at the gateway. */
function anchoredUri(written: string, plan: Plan): string {
  if (PLAIN_RELATIVE.test(written)) return written;
  const { text, missing } = plan.variables.substitute(written.trim());
  const url = missing === null ? resolved(text, plan.options.url) : null;
  if (url === null || !isHttp(url)) return written;
  const target = moved(url, plan.move) ?? url.href;
  // Root-relative under a base with a path, or above the base by dots, it would mean something else at the gateway.
  if (resolved(written.trim(), plan.here)?.href === new URL(target).href) return written;
  return shortened(target, text, plan);
}

/** What was root-relative stays so, unless its path would be read as a host. */
function shortened(target: string, text: string, { here }: Plan): string {
  const url = new URL(target);
  const rooted = text.startsWith("/") && !text.startsWith("//") && url.origin === new URL(here).origin;
  return writable(rooted && !url.pathname.startsWith("//") ? url.pathname + url.search + url.hash : target);
}
