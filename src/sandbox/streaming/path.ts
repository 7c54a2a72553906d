/** URLs of the streaming endpoint: `/{locatorId}/{name}.ism/…` in the style of the Azure origin. Pure. */
import { OriginError } from "./originErrors.ts";

export type Protocol = "hls" | "dash";

/** What stands between the parentheses, in lower case. */
export interface Packaging {
  readonly protocol: Protocol;
  readonly format: string;
  readonly encryption: string | null;
}

interface Place {
  /** Lower-case GUID. */
  readonly locatorId: string;
  /** Name of the server manifest blob, with its `.ism`. */
  readonly serverManifest: string;
  readonly packaging: Packaging;
}

interface OneTrack extends Place {
  readonly bitrate: number;
  readonly track: string;
}

export type StreamingRequest =
  /** The multivariant playlist or the MPD. */
  | (Place & { readonly kind: "manifest" })
  /** The HLS media playlist of one track. */
  | (OneTrack & { readonly kind: "playlist" })
  | (OneTrack & { readonly kind: "init" })
  /** `time` in the track's timescale. */
  | (OneTrack & { readonly kind: "fragment"; readonly time: number });

const PROTOCOL_BY_FORMAT: ReadonlyMap<string, Protocol> = new Map([
  ["m3u8-cmaf", "hls"],
  ["mpd-time-cmaf", "dash"],
  // The older name of DASH with `$Time$`; its segments are the same.
  ["mpd-time-csf", "dash"],
]);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a path. Throws `OriginError`: 404 for what cannot be a locator, 400 for a malformed rest. */
export function parseStreamingPath(path: string): StreamingRequest {
  const [, locator = "", serverManifest = "", ...rest] = path.split("/").map(decoded);
  const locatorId = locator.toLowerCase();
  if (!GUID.test(locatorId)) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "the path does not start with a streaming locator id");
  if (!/^[^/\\]+\.ism$/i.test(serverManifest)) throw badUrl("the second part of the path must be the name of a .ism file");
  const [first = "", second = "", ...more] = rest;
  if (more.length > 0) throw badUrl("the path has too many parts");
  const place = { locatorId, serverManifest };
  return second === "" ? manifestRequest(place, first) : trackRequest(place, first, second);
}

type Named = Omit<Place, "packaging">;

function manifestRequest(place: Named, text: string): StreamingRequest {
  const call = /^manifest\((.*)\)$/i.exec(text);
  if (call === null)
    throw badUrl("expected manifest(format=m3u8-cmaf) or manifest(format=mpd-time-cmaf); Smooth Streaming is not emulated");
  return { kind: "manifest", ...place, packaging: packagingOf(list(call[1])) };
}

function trackRequest(place: Named, level: string, text: string): StreamingRequest {
  const bitrate = /^qualitylevels\((\d{1,12})\)$/i.exec(level)?.[1];
  const call = /^(manifest|fragments)\((.*)\)$/i.exec(text);
  const [selector, ...options] = list(call?.[2]);
  if (bitrate === undefined || call?.[1] === undefined || selector === undefined) {
    throw badUrl("expected QualityLevels(bitrate)/Manifest(track,format=…) or QualityLevels(bitrate)/Fragments(track=time,format=…)");
  }
  const common = { ...place, bitrate: Number(bitrate), packaging: packagingOf(options) };
  return call[1].toLowerCase() === "manifest" ? playlistRequest(common, selector) : fragmentRequest(common, selector);
}

type Common = Omit<OneTrack, "track">;

function playlistRequest(common: Common, track: string): StreamingRequest {
  if (common.packaging.protocol !== "hls") throw badUrl("only HLS has a playlist of one track");
  return { kind: "playlist", ...common, track };
}

function fragmentRequest(common: Common, selector: string): StreamingRequest {
  const [, track, time] = /^([^=]+)=(i|\d{1,15})$/i.exec(selector) ?? [];
  if (track === undefined || time === undefined) throw badUrl("expected Fragments(track=time,…) or Fragments(track=i,…)");
  return time.toLowerCase() === "i" ? { kind: "init", ...common, track } : { kind: "fragment", ...common, track, time: Number(time) };
}

function packagingOf(options: readonly string[]): Packaging {
  const values = new Map(options.map(pair));
  const format = values.get("format");
  const protocol = format === undefined ? undefined : PROTOCOL_BY_FORMAT.get(format);
  if (format === undefined || protocol === undefined) {
    throw badUrl(`format must be one of ${[...PROTOCOL_BY_FORMAT.keys()].join(", ")}; other formats are not emulated`);
  }
  const unknown = [...values.keys()].find((name) => name !== "format" && name !== "encryption");
  if (unknown !== undefined) throw badUrl(`the option ${JSON.stringify(unknown)} is not emulated`);
  return { protocol, format, encryption: values.get("encryption") ?? null };
}

function pair(option: string): readonly [string, string] {
  const cut = option.indexOf("=");
  return [
    option.slice(0, Math.max(cut, 0)).trim().toLowerCase(),
    option
      .slice(cut + 1)
      .trim()
      .toLowerCase(),
  ];
}

function list(text: string | undefined): string[] {
  return (text ?? "").split(",");
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new OriginError("MPE_BAD_URL_SYNTAX", "the path holds a malformed percent escape", error);
  }
}

function badUrl(message: string): OriginError {
  return new OriginError("MPE_BAD_URL_SYNTAX", message);
}

/** `format=…[,encryption=…]`, as it goes into the URLs of a manifest. */
export function packagingText({ format, encryption }: Packaging): string {
  return encryption === null ? `format=${format}` : `format=${format},encryption=${encryption}`;
}
