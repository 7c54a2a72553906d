/** Anchor mode: an MPD under the gateway's own path, whose references come back to the gateway. Pure. */
import type { AnchorOptions } from "../pathway.ts";
import { putEarly } from "./baseUrls.ts";
import { fixClocks } from "./clocks.ts";
import { childrenNamed, createLike, textOf, type XmlElement } from "./element.ts";
import { KeyReferences } from "./keys.ts";
import { referencesOf, type Reference } from "./references.ts";
import { dropSignalling, putLocation } from "./signalling.ts";
import { directoryOf, followsBase, hasScheme, isBelow, isHttp, resolve } from "./urls.ts";

export interface AnchorDashOptions extends AnchorOptions {
  /** Absolute gateway URL of this MPD. */
  readonly location: string;
}

/** The region and the gateway as two names of one tree of paths. */
interface Mirror {
  /** Ends with a slash. */
  readonly region: string;
  /** Ends with a slash. */
  readonly gateway: string;
}

/** Rewrites the tree in place and returns the number of keys bound to a region. */
export function anchorTree(mpd: XmlElement, { url, base, gateway, location, keyUrl }: AnchorDashOptions): number {
  const mirror = { region: directoryOf(base.endsWith("/") ? base : `${base}/`), gateway: `${gateway}/` };
  const keys = new KeyReferences(keyUrl, gateway);
  const [first] = childrenNamed(mpd, "BaseURL");
  const references = referencesOf(mpd, (first === undefined ? null : resolve(textOf(first), url)) ?? url);
  for (const reference of references) rewrite(reference, mirror, keys);
  placeBase(mpd, url, location, mirror);
  dropSignalling(mpd);
  putLocation(mpd, location);
  return keys.bound;
}

function rewrite(reference: Reference, mirror: Mirror, keys: KeyReferences): void {
  if (reference.kind === "key") keys.rewrite(reference);
  else if (reference.kind === "clock") fixClocks(reference);
  else anchorReference(reference, mirror);
}

function anchorReference({ value, base, write }: Pick<Reference, "value" | "base" | "write">, mirror: Mirror): void {
  const meant = resolve(value, base);
  if (meant === null || !isHttp(meant)) return;
  const below = isBelow(meant, mirror.region);
  // Relative to a base that has come along, it comes along too, unless it climbs out of what the gateway mirrors.
  if (followsBase(value) && (below || !isBelow(base, mirror.region))) return;
  if (below) write(atGateway(meant, mirror));
  else if (!hasScheme(value)) write(meant);
}

/**
 * Bases of the whole MPD. Where the region answered from another path than the gateway's (a redirect of its own), relative references would
 * be looked for beside the wrong manifest, so the base is then said in full.
 */
function placeBase(mpd: XmlElement, url: string, location: string, mirror: Mirror): void {
  const directory = directoryOf(url);
  const beside = isBelow(directory, mirror.region) && atGateway(directory, mirror) === directoryOf(location);
  const bases = childrenNamed(mpd, "BaseURL");
  if (bases.length === 0 && !beside) {
    putEarly(createLike(mpd, "BaseURL", isBelow(directory, mirror.region) ? atGateway(directory, mirror) : directory), mpd);
  }
  for (const element of bases) {
    const value = textOf(element);
    const write = (text: string): void => {
      element.textContent = text;
    };
    const meant = resolve(value, url);
    if (!beside && meant !== null && followsBase(value)) write(isBelow(meant, mirror.region) ? atGateway(meant, mirror) : meant);
    else anchorReference({ value, base: url, write }, mirror);
  }
}

function atGateway(url: string, { region, gateway }: Mirror): string {
  return gateway + url.slice(region.length);
}
