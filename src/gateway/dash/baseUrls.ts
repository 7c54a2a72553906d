/** The MPD's own `BaseURL` elements: one for each region, so that everything below goes where the player is steered. Pure. */
import type { SteerOptions } from "../pathway.ts";
import { GATEWAY_PATHWAY } from "../../core/contracts.ts";
import {
  childrenNamed,
  childElements,
  createLike,
  isNamed,
  putBefore,
  takeOut,
  textOf,
  type XmlAttribute,
  type XmlElement,
} from "./element.ts";
import { Refusal } from "../refusal.ts";
import { directoryOf, followsBase, isBelow, named, relativeTo, resolve, sampleOf } from "./urls.ts";

/** A place that the MPD is to name. */
interface Place {
  readonly id: string;
  /** Absolute URL of this manifest there. */
  readonly url: string;
}

/** Regions, best first; then the gateway, where it is the way out. */
export function placesOf({ pathways, anchor }: SteerOptions): Place[] {
  return anchor === null ? [...pathways] : [...pathways, { id: GATEWAY_PATHWAY, url: anchor }];
}

/** What the MPD says about its base, for all regions alike. */
export interface CommonBase {
  /** Relative to the manifest's directory; empty where the MPD names none. */
  readonly reference: string;
  /** `availabilityTimeOffset` and the like. */
  readonly attributes: readonly XmlAttribute[];
}

/**
 * The MPD's base, apart from the region. Of several relative ones the first is taken: another directory of the same host is no second
 * place, and Shaka keeps one URL for each service location.
 */
export function commonBase(mpd: XmlElement, from: Place, root: string, places: readonly Place[]): CommonBase {
  const elements = childrenNamed(mpd, "BaseURL");
  const own = ourBase(elements, from, places);
  if (own !== null) return own;
  for (const element of elements) refuseLocated(element);
  const references = elements.map((element) => followRegion(textOf(element), directoryOf(from.url), root));
  return { reference: references[0] ?? "", attributes: [...(elements[0]?.attributes ?? [])] };
}

/** What `putBaseUrls` has written, for any choice of the known regions. */
function ourBase(elements: readonly XmlElement[], from: Place, places: readonly Place[]): CommonBase | null {
  const located = elements.map((element) => ({ element, id: element.getAttribute("serviceLocation") ?? "", url: textOf(element) }));
  const mine = located.find(({ id }) => id === from.id);
  const reference = mine === undefined ? null : relativeTo(directoryOf(from.url), mine.url);
  if (mine === undefined || reference === null) return null;
  const ours = located.every(({ id, url }) => {
    const place = places.find((known) => known.id === id);
    return place !== undefined && baseAt(place, reference) === url;
  });
  if (!ours) return null;
  return {
    reference: reference === "./" ? "" : reference,
    attributes: [...mine.element.attributes].filter(({ name }) => name !== "serviceLocation"),
  };
}

/** The origin's own steering, or its DVB priorities and weights, say where players go: two cannot. */
export function refuseLocated(base: XmlElement): void {
  const word = [...base.attributes].find(
    ({ localName }) => localName === "serviceLocation" || localName === "priority" || localName === "weight",
  );
  if (word !== undefined) throw new Refusal("unsteerable", `a BaseURL has the attribute ${word.name} from its origin`);
}

/** The reference in a form that follows its base, or a refusal where it leads out of the region. */
export function followRegion(reference: string, base: string, root: string): string {
  // As a template and filled in: `a$Number$b:` becomes a scheme.
  for (const reading of [reference, sampleOf(reference)]) {
    const meant = resolve(reading, base);
    if (meant === null || !isBelow(meant, root)) throw new Refusal("foreign_uri", `${named(reference)} is not below ${named(root)}`);
  }
  if (followsBase(reference)) return reference;
  const relative = relativeTo(base, reference);
  if (relative === null) throw new Refusal("foreign_uri", `${named(reference)} cannot be said relative to ${named(base)}`);
  return relative;
}

/** Absolute: of several relative ones dash.js takes the first only. */
export function putBaseUrls(mpd: XmlElement, places: readonly Place[], { reference, attributes }: CommonBase): void {
  for (const element of childrenNamed(mpd, "BaseURL")) takeOut(element);
  for (const place of places) {
    const element = createLike(mpd, "BaseURL", baseAt(place, reference));
    element.setAttribute("serviceLocation", place.id);
    for (const { namespaceURI, name, value } of attributes) element.setAttributeNS(namespaceURI, name, value);
    putEarly(element, mpd);
  }
}

/** By the schema bases and locations come right after the programme's information. */
export function putEarly(element: XmlElement, mpd: XmlElement): void {
  const next = childElements(mpd).find((child) => !isNamed(child, mpd, "ProgramInformation") && !isNamed(child, mpd, "BaseURL"));
  if (next !== undefined) putBefore(element, next);
}

function baseAt({ url }: Place, reference: string): string {
  return new URL(reference, directoryOf(url)).href;
}
