/** Steer mode: an MPD that names every region, best first, and the steering endpoint. Pure. */
import type { SteerOptions } from "../pathway.ts";
import { commonBase, followRegion, placesOf, putBaseUrls, refuseLocated } from "./baseUrls.ts";
import { fixClocks } from "./clocks.ts";
import { putContentSteering } from "./contentSteering.ts";
import { childrenNamed, type XmlElement } from "./element.ts";
import { KeyReferences } from "./keys.ts";
import { referencesOf, type Reference } from "./references.ts";
import { Refusal } from "../refusal.ts";
import { dropSignalling, putLocation } from "./signalling.ts";
import { directoryOf, named, rootOf } from "./urls.ts";

export interface SteerDashOptions extends SteerOptions {
  /** Absolute gateway URL of this MPD, where players come back to refresh a live one; null: they come back to the URL they asked first. */
  readonly location: string | null;
  /**
   * A first steering manifest within the MPD (`data:`), true where left out. Measured with dash.js 5.2.1, Shaka 5.2.12 and VHS 3.17.5: none of
   * them then asks anybody before it plays; dash.js and Shaka have a TTL, so that they keep asking a gateway that fails, and Shaka has all
   * regions, which it otherwise never hears of when the first answer is missing (fatal at the loss of a region); video.js asks once per TTL,
   * and not 150 times a second, where the gateway answers 500.
   */
  readonly inline?: boolean;
  /**
   * Left out: true with an inline manifest, else false. dash.js reads an inline manifest only with true: with false it first adds its query
   * to the `data:` URL, and never polls. With true and the endpoint's own URL dash.js and Shaka do not start as long as that hangs; with
   * false dash.js does not poll where `play()` came before the MPD, but starts.
   */
  readonly queryBeforeStart?: boolean;
}

/** Rewrites the tree in place and returns the number of keys bound to a region. Throws `Refusal`; the tree is then of no use. */
export function steerTree(mpd: XmlElement, options: SteerDashOptions): number {
  const { pathways, from, location, reloadUri, ttlSeconds, keyUrl } = options;
  const places = placesOf(options);
  const ids = distinctIds(places.map(({ id }) => id));
  const source = pathways.find(({ id }) => id === from);
  if (source === undefined) throw new Refusal("unsteerable", "the region that it was read from is not among the pathways");
  if (childrenNamed(mpd, "Period").length === 0) throw new Refusal("malformed", "it has no Period");
  const root = rootOf(
    source.url,
    places.map(({ url }) => url),
  );
  const common = commonBase(mpd, source, root, places);
  const keys = new KeyReferences(keyUrl, reloadUri);
  const references = referencesOf(mpd, new URL(common.reference, directoryOf(source.url)).href);
  for (const reference of references) rewrite(reference, root, keys);
  dropSignalling(mpd);
  putBaseUrls(mpd, places, common);
  putLocation(mpd, location);
  const inline = options.inline ?? true;
  putContentSteering(mpd, { ids, reloadUri, ttlSeconds, inline, queryBeforeStart: options.queryBeforeStart ?? inline });
  return keys.bound;
}

function distinctIds(ids: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = new Set(ids);
  if (first === undefined) throw new Refusal("unsteerable", "there is no pathway");
  if (others.length + 1 < ids.length) throw new Refusal("unsteerable", "two pathways have one name");
  return [first, ...others];
}

function rewrite(reference: Reference, root: string, keys: KeyReferences): void {
  if (reference.kind === "key") keys.rewrite(reference);
  else if (reference.kind === "clock") fixClocks(reference);
  else follow(reference, root);
}

function follow({ kind, element, value, base, sole, write }: Reference, root: string): void {
  if (kind === "base") refuseLocated(element);
  // Such as `urn:mpeg:dash:resolve-to-zero:2013`: the same everywhere.
  if (/^(?:urn|data):/i.test(value)) return;
  const relative = followRegion(value, base, root);
  if (relative === value) return;
  if (!sole) throw new Refusal("unsteerable", `${named(value)} holds for parts with different bases`);
  write(relative);
}
