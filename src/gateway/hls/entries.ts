/** What a multivariant playlist lists for each region: variants, I-frame playlists and renditions, each with the URL it has there. Pure. */
import { type Attribute, attributeValue, parseAttributes } from "./attributes.ts";
import { isUriLine, type Line, tagOf } from "./lines.ts";
import { resolved } from "./place.ts";
import { Refusal } from "../refusal.ts";
import type { Variables } from "./variables.ts";

/** A line that is not listed once for each region. */
export interface Other {
  readonly kind: "other";
  readonly line: Line;
}

export interface Entry {
  readonly kind: "variant" | "iframes" | "rendition";
  /** Counted from 1, for messages. */
  readonly number: number;
  /** The tag; of a variant, also its URI line and what stands between the two. */
  readonly lines: readonly [Line, ...Line[]];
  readonly attributes: readonly Attribute[];
  /** Null for a rendition inside the variant's own media. */
  readonly url: URL | null;
}

export type Item = Other | Entry;

/** What follows EXT-X-STREAM-INF before its URI is copied with it, so it must be nothing that may stand only once. */
const KNOWN_TAGS = new Set([
  "#EXTM3U",
  "#EXT-X-VERSION",
  "#EXT-X-INDEPENDENT-SEGMENTS",
  "#EXT-X-START",
  "#EXT-X-DEFINE",
  "#EXT-X-MEDIA",
  "#EXT-X-STREAM-INF",
  "#EXT-X-I-FRAME-STREAM-INF",
  "#EXT-X-SESSION-DATA",
  "#EXT-X-SESSION-KEY",
  "#EXT-X-CONTENT-STEERING",
]);

export function isEntry(item: Item): item is Entry {
  return item.kind !== "other";
}

/** `url`: of the playlist. Refuses what is cut off, or has a URI that is none. */
export function readItems(lines: readonly Line[], variables: Variables, url: string): readonly Item[] {
  const items: Item[] = [];
  for (let at = 0; at < lines.length;) {
    const item = itemAt(lines, at, (uri, number) => addressOf(uri, number, variables, url));
    items.push(item);
    at += isEntry(item) ? item.lines.length : 1;
  }
  return items;
}

type Address = (uri: string, number: number) => URL;

function itemAt(lines: readonly Line[], at: number, address: Address): Item {
  const line = lines[at] ?? { text: "", end: "" };
  switch (tagOf(line.text)) {
    case "#EXT-X-STREAM-INF":
      return variantAt(lines, at, line, address);
    case "#EXT-X-I-FRAME-STREAM-INF":
      return iframes(line, at + 1, address);
    case "#EXT-X-MEDIA":
      return rendition(line, at + 1, address);
    default:
      return { kind: "other", line };
  }
}

function variantAt(lines: readonly Line[], at: number, line: Line, address: Address): Entry {
  const end = uriLineAfter(lines, at);
  const uri = lines[end]?.text ?? "";
  const attributes = attributesOf(line, at + 1);
  const url = address(uri, end + 1);
  return { kind: "variant", number: at + 1, lines: [line, ...lines.slice(at + 1, end + 1)], attributes, url };
}

function uriLineAfter(lines: readonly Line[], tag: number): number {
  for (let at = tag + 1; at < lines.length; at += 1) {
    const text = lines[at]?.text ?? "";
    if (isUriLine(text)) return at;
    if (KNOWN_TAGS.has(tagOf(text))) break;
  }
  throw new Refusal("malformed", `line ${tag + 1}: EXT-X-STREAM-INF has no URI line`);
}

function iframes(line: Line, number: number, address: Address): Entry {
  const attributes = attributesOf(line, number);
  const uri = attributeValue(attributes, "URI") ?? "";
  if (uri === "") throw new Refusal("malformed", `line ${number}: EXT-X-I-FRAME-STREAM-INF has no URI`);
  return { kind: "iframes", number, lines: [line], attributes, url: address(uri, number) };
}

/**
 * Closed captions lie in the video and have no URI, so all regions share their group. Shaka Player takes variants of two pathways for one
 * only where all attributes but AUDIO, VIDEO and SUBTITLES are equal (5.2.12, hls_classes.js getTagKey): a CLOSED-CAPTIONS group for each
 * region would leave it without a second one.
 */
function rendition(line: Line, number: number, address: Address): Item {
  const attributes = attributesOf(line, number);
  if (attributeValue(attributes, "TYPE") === "CLOSED-CAPTIONS") return { kind: "other", line };
  if (attributeValue(attributes, "GROUP-ID") === null) throw new Refusal("malformed", `line ${number}: EXT-X-MEDIA has no GROUP-ID`);
  const uri = attributeValue(attributes, "URI") ?? "";
  return { kind: "rendition", number, lines: [line], attributes, url: uri === "" ? null : address(uri, number) };
}

function attributesOf({ text }: Line, number: number): readonly Attribute[] {
  const attributes = parseAttributes(text);
  if (attributes === null) throw new Refusal("malformed", `line ${number}: a quotation mark is not closed`);
  return attributes;
}

function addressOf(written: string, number: number, variables: Variables, base: string): URL {
  const { text, missing } = variables.substitute(written.trim());
  if (missing !== null) throw new Refusal("malformed", `line ${number}: the variable ${missing} is not defined`);
  const url = resolved(text, base);
  if (url === null) throw new Refusal("malformed", `line ${number}: its URI is none`);
  return url;
}
