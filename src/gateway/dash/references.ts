/** Where an MPD names other resources (ISO/IEC 23009-1 §5.6, ISO/IEC 23009-4, DASH-IF and ClearKey licence URLs). Pure. */
import { childElements, childrenNamed, isNamed, textOf, type XmlElement } from "./element.ts";
import { followsBase, resolve } from "./urls.ts";

export type ReferenceKind =
  /** A `BaseURL` below the MPD's own. */
  | "base"
  /** Segments, initialization, index. */
  | "media"
  /** A remote element (XLink). */
  | "link"
  | "key"
  /** One or more URLs of time servers, with spaces between. */
  | "clock";

export interface Reference {
  readonly kind: ReferenceKind;
  readonly element: XmlElement;
  readonly value: string;
  /** What a relative value is resolved against, as the document stood when it was read. */
  readonly base: string;
  /** False where several bases hold at once, here or for those that inherit the value. */
  readonly sole: boolean;
  readonly write: (value: string) => void;
}

interface Scope {
  readonly mpd: XmlElement;
  readonly base: string;
  readonly sole: boolean;
  /** True where a part of the element that holds this has a base of its own, and so another one for what it inherits. */
  readonly varies: () => boolean;
}

type Found = Pick<Reference, "kind" | "value" | "write">;

const XLINK = "http://www.w3.org/1999/xlink";
const TIME_BY_HTTP = /^urn:mpeg:dash:utc:http-(?:head|xsdate|iso|ntp):\d{4}$/;
/** Attributes that hold a URL or a URL template, by element. */
const MEDIA: ReadonlyMap<string, readonly string[]> = new Map([
  ["SegmentTemplate", ["media", "index", "initialization", "bitstreamSwitching"]],
  ["SegmentURL", ["media", "index"]],
  ["Initialization", ["sourceURL"]],
  ["RepresentationIndex", ["sourceURL"]],
  ["BitstreamSwitching", ["sourceURL"]],
  ["InitializationSet", ["initialization"]],
]);
/** What can have a `BaseURL`, and inherits segment information. */
const HOLDERS: ReadonlySet<string> = new Set(["Period", "AdaptationSet", "Representation"]);
const KEY_TEMPLATES: ReadonlySet<string> = new Set(["CryptoPeriod", "CryptoTimeline"]);

/** All references below the MPD element, in document order; `base` is what holds for the whole MPD. */
export function referencesOf(mpd: XmlElement, base: string): Reference[] {
  const scope: Scope = { mpd, base, sole: true, varies: () => false };
  return childElements(mpd).flatMap((child) => (isNamed(child, mpd, "BaseURL") ? [] : within(child, scope)));
}

function within(element: XmlElement, outer: Scope): Reference[] {
  const inner = isHolder(element, outer.mpd) ? innerScope(element, outer) : outer;
  const own = ownReferences(element, outer.mpd).map((found) => {
    const { base, sole, varies } = found.kind === "link" ? outer : inner;
    // Templates of a period or adaptation set are used by every representation in it.
    return { ...found, element, base, sole: sole && (found.kind !== "media" || followsBase(found.value) || !varies()) };
  });
  return [...own, ...childElements(element).flatMap((child) => within(child, isNamed(child, outer.mpd, "BaseURL") ? outer : inner))];
}

function isHolder(element: XmlElement, mpd: XmlElement): boolean {
  return HOLDERS.has(element.localName ?? "") && element.namespaceURI === mpd.namespaceURI;
}

/** Players differ in which of several bases they take; the first is the one to go by. */
function innerScope(holder: XmlElement, { mpd, base, sole }: Scope): Scope {
  const [first, ...others] = childrenNamed(holder, "BaseURL");
  const resolved = first === undefined ? null : resolve(textOf(first), base);
  let known: boolean | null = null;
  const varies = (): boolean => (known ??= childElements(holder).some((child) => hasBase(child, mpd)));
  return { mpd, base: resolved ?? base, sole: sole && others.length === 0, varies };
}

function hasBase(element: XmlElement, mpd: XmlElement): boolean {
  return childElements(element).some((child) => isNamed(child, mpd, "BaseURL") || hasBase(child, mpd));
}

function ownReferences(element: XmlElement, mpd: XmlElement): Found[] {
  const key = keyReference(element);
  const link = element.getAttributeNS(XLINK, "href");
  return [
    ...(key === null ? [] : [key]),
    ...(link === null ? [] : [{ kind: "link", value: link, write: writesLink(element) } as const]),
    ...(element.namespaceURI === mpd.namespaceURI ? mpdReferences(element) : []),
  ];
}

function mpdReferences(element: XmlElement): Found[] {
  const name = element.localName ?? "";
  if (name === "BaseURL") return [{ kind: "base", value: textOf(element), write: writesText(element) }];
  if (name === "UTCTiming" && TIME_BY_HTTP.test(element.getAttribute("schemeIdUri") ?? "")) return attribute("clock", element, "value");
  return (MEDIA.get(name) ?? []).flatMap((media) => attribute("media", element, media));
}

/** Licence URLs are in elements called Laurl, laurl or LAURL of a handful of namespaces, with the URL as text or as an attribute. */
function keyReference(element: XmlElement): Found | null {
  const name = element.localName ?? "";
  if (KEY_TEMPLATES.has(name)) return attribute("key", element, "keyUriTemplate")[0] ?? null;
  if (name.toLowerCase() !== "laurl") return null;
  const byAttribute = attribute("key", element, "licenseUrl")[0];
  const text = textOf(element);
  return byAttribute ?? (text === "" ? null : { kind: "key", value: text, write: writesText(element) });
}

function attribute(kind: ReferenceKind, element: XmlElement, name: string): Found[] {
  const value = element.getAttribute(name)?.trim() ?? "";
  const write = (text: string): void => {
    element.setAttribute(name, text);
  };
  return value === "" ? [] : [{ kind, value, write }];
}

function writesText(element: XmlElement): (value: string) => void {
  return (value) => {
    element.textContent = value;
  };
}

function writesLink(element: XmlElement): (value: string) => void {
  const name = [...element.attributes].find(({ namespaceURI, localName }) => namespaceURI === XLINK && localName === "href")?.name;
  return (value) => {
    element.setAttributeNS(XLINK, name ?? "xlink:href", value);
  };
}
