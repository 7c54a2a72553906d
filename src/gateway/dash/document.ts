/** MPD text to a document tree and back: the one file of the kernel that knows the XML library. */
import { type Document, DOMParser, XMLSerializer, onWarningStopParsing } from "@xmldom/xmldom";
import { isWellFormed } from "../../core/playback/xml.ts";
import type { XmlElement } from "./element.ts";
import { Refusal } from "../refusal.ts";

/** Characters. The longest MPDs in the field (a day's timeline of every rendition) have one to two million. */
const MAX_LENGTH = 4 * 1024 * 1024;
/** An MPD has about ten levels; namespaces declared on each of many levels make parsers slow. */
const MAX_DEPTH = 64;
/** Children of the MPD element, white space included; and a tag of 64 KB: taking apart more of either takes time by the square. */
const MAX_CHILDREN = 10_000;
const LONG_TAG = /<[^<>]{65536}/;
/** XML 1.0 has no place for these; an origin can smuggle them in as character references. */
const UNWRITABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** Line ends are those of XML 1.0 (§2.11); the library's own are those of 1.1, which change text. */
const STRICT = {
  onError: onWarningStopParsing,
  locator: false,
  normalizeLineEndings: (text: string): string => text.replaceAll(/\r\n?/g, "\n"),
};

export type ParsedMpd =
  | { readonly ok: true; readonly mpd: XmlElement; /** Throws `Refusal`. */ readonly serialise: () => string }
  | { readonly ok: false; readonly reason: "not_mpd" | "malformed"; readonly detail: string };

/** The text as a tree. A document type is refused, and so is whatever a strict parser would have to repair. */
export function parseMpd(text: string): ParsedMpd {
  if (text.length > MAX_LENGTH) return malformed(`longer than ${MAX_LENGTH} characters`);
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  // Before the parser sees it: entities of a document type can be expanded to any size.
  if (LONG_TAG.test(source) || !isWellFormed(source, MAX_DEPTH)) {
    return malformed("not well-formed XML, or with a document type, or nested too deeply, or with a tag that is too long");
  }
  try {
    const document = new DOMParser(STRICT).parseFromString(source, "application/xml");
    const mpd = document.documentElement;
    if (mpd?.localName !== "MPD") return { ok: false, reason: "not_mpd", detail: "its root element is not MPD" };
    if (mpd.childNodes.length > MAX_CHILDREN) return malformed(`it has more than ${MAX_CHILDREN} parts`);
    return { ok: true, mpd, serialise: () => written(document) };
  } catch {
    // The parser's messages quote the text, which may hold tokens.
    return malformed("not well-formed XML");
  }
}

function written(document: Document): string {
  const text = new XMLSerializer().serializeToString(document);
  if (UNWRITABLE.test(text)) throw new Refusal("malformed", "it has characters that XML does not allow");
  return text;
}

function malformed(detail: string): ParsedMpd {
  return { ok: false, reason: "malformed", detail };
}
