/** The `ContentSteering` element (ETSI TS 103 998; ISO/IEC 23009-1 annex K). Pure. */
import { childElements, createLike, putAfter, type XmlElement } from "./element.ts";

export interface Steering {
  /** Pathway ids, best first, every one of the MPD. */
  readonly ids: readonly [string, ...string[]];
  readonly reloadUri: string;
  readonly ttlSeconds: number;
  readonly inline: boolean;
  readonly queryBeforeStart: boolean;
}

/** Its place by the schema is after the periods. `defaultServiceLocation` has one id: dash.js splits it at spaces, Shaka at commas. */
export function putContentSteering(mpd: XmlElement, steering: Steering): void {
  const element = createLike(mpd, "ContentSteering", steering.inline ? inlineManifest(steering) : steering.reloadUri);
  element.setAttribute("defaultServiceLocation", steering.ids[0]);
  element.setAttribute("queryBeforeStart", String(steering.queryBeforeStart));
  // The default, true, tells players that cannot steer not to play at all.
  element.setAttribute("clientRequirement", "false");
  const last = childElements(mpd).findLast(({ namespaceURI }) => namespaceURI === mpd.namespaceURI);
  if (last !== undefined) putAfter(element, last);
}

/** In base64, which is the only form video.js reads. */
function inlineManifest({ ids, reloadUri, ttlSeconds }: Steering): string {
  const manifest = { VERSION: 1, TTL: ttlSeconds, "RELOAD-URI": new URL(reloadUri).href, "PATHWAY-PRIORITY": ids };
  return `data:application/json;base64,${btoa(JSON.stringify(manifest))}`;
}
