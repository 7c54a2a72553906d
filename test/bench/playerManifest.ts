/** The player's own reading of the bench's manifests: a few patterns, none of the project's parsers. */
import { SEGMENT_MS } from "./origin/video.ts";

/** What a viewer would not see, and why. */
export class Unplayable extends Error {}

/** What a manifest says about one track. */
export interface Listing {
  readonly first: number;
  readonly segments: readonly string[];
  readonly init: string;
  readonly key: { readonly uri: string; readonly iv: Buffer } | null;
  /** Time of day by the origin; null where it does not say. */
  readonly clock: number | null;
}

/** Reads a media playlist. Throws `Unplayable`. */
export function hlsListing(text: string, base: string): Listing {
  if (!text.startsWith("#EXTM3U")) throw new Unplayable("the playlist is none");
  const segments = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const [init] = found(text, /^#EXT-X-MAP:URI="([^"]+)"$/m);
  const [uri, iv] = found(text, /^#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)",IV=0x([0-9a-f]{32})$/m);
  const [date] = found(text, /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/m);
  if (init === undefined || segments.length === 0) throw new Unplayable("the playlist is not whole");
  return {
    first: Number(found(text, /^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m)[0] ?? 0),
    segments: segments.map((name) => new URL(name, base).href),
    init: new URL(init, base).href,
    key: keyOf(uri, iv),
    clock: date === undefined ? null : Date.parse(date) + segments.length * SEGMENT_MS,
  };
}

/** Reads an MPD. Throws `Unplayable`. */
export function dashListing(text: string, base: string, track: string): Listing {
  if (!/<MPD[^]*<\/MPD>/.test(text)) throw new Unplayable("the manifest is no MPD");
  if (!text.includes(`<Representation id="${track}"`)) throw new Unplayable(`the manifest lists no ${track}`);
  const [template] = found(text, /media="([^"]+)"/);
  const [first, repeat] = found(text, /startNumber="(\d+)".*<S t="\d+" d="\d+" r="(\d+)"/);
  const [iv, uri] = found(text, /IV="0x([0-9a-f]{32})" keyUriTemplate="([^"]+)"/);
  const [clock] = found(text, /<UTCTiming [^>]*value="([^"]+)"/);
  if (template === undefined) throw new Unplayable("the MPD is not whole");
  const name = template.replace("$RepresentationID$", track);
  const numbers = Array.from({ length: Number(repeat) + 1 }, (_, index) => Number(first) + index);
  return {
    first: Number(first),
    segments: numbers.map((number) => new URL(name.replace("$Number$", String(number)), base).href),
    init: new URL(`${track}/init.mp4`, base).href,
    key: keyOf(uri, iv),
    clock: clock === undefined ? null : Date.parse(clock),
  };
}

function found(text: string, pattern: RegExp): (string | undefined)[] {
  return pattern.exec(text)?.slice(1) ?? [];
}

function keyOf(uri: string | undefined, iv: string | undefined): Listing["key"] {
  return uri === undefined || iv === undefined ? null : { uri, iv: Buffer.from(iv, "hex") };
}
