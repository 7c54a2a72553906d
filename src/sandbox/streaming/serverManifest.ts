/** Reads the server manifest (`.ism`, SMIL 2.0) that an encoder leaves beside the media files: which file holds which rendition. */
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { OriginError } from "./originErrors.ts";

export interface Rendition {
  readonly kind: "video" | "audio";
  /** Name in URLs; all video renditions share one. */
  readonly track: string;
  /** Bits per second; together with `track` it names the rendition. */
  readonly bitrate: number;
  /** BCP 47, `und` where it is not known. */
  readonly language: string;
  /** Blob name of a file that holds this track alone. */
  readonly file: string;
}

export interface ServerManifest {
  /** The asset is broadcast over and over as a live channel: `<meta name="paircast-live" content="loop"/>`, a word of the sandbox's own. */
  readonly live: boolean;
  readonly renditions: readonly Rendition[];
}

const meta = z.object({ name: z.string(), content: z.string() });
const param = z.object({ name: z.string(), value: z.string() });
const media = z.object({
  src: z.string().min(1),
  systemBitrate: z.coerce.number().int().positive(),
  systemLanguage: z.string().min(1).prefault("und"),
  param: z.array(param).prefault([]),
});
const switchElement = z.object({ video: z.array(media).prefault([]), audio: z.array(media).prefault([]) });
const head = z.object({ meta: z.array(meta).prefault([]) }).prefault({});
const smil = z.object({ smil: z.object({ head, body: z.object({ switch: switchElement }) }) });

const LISTS = new Set(["video", "audio", "param", "meta"]);

/** Throws `OriginError` (`asset_unusable`) for anything that does not describe at least one rendition. */
export function parseServerManifest(xml: string, name: string): ServerManifest {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    parseAttributeValue: false,
    removeNSPrefix: true,
    isArray: (element) => LISTS.has(element),
  });
  const parsed = read(xml, name, parser);
  const { video, audio } = parsed.body.switch;
  const renditions = [...video.map((entry) => rendition("video", entry)), ...audio.map((entry) => rendition("audio", entry))];
  refuseUnusable(renditions, name);
  const live = parsed.head.meta.some((entry) => entry.name === "paircast-live" && entry.content === "loop");
  return { live, renditions };
}

function read(xml: string, name: string, parser: XMLParser): z.infer<typeof smil>["smil"] {
  try {
    return smil.parse(parser.parse(xml, true)).smil;
  } catch (error) {
    throw new OriginError("asset_unusable", `${name} is not a SMIL server manifest with video and audio entries`, error);
  }
}

function rendition(kind: "video" | "audio", entry: z.infer<typeof media>): Rendition {
  const value = (wanted: string) => entry.param.find(({ name }) => name.toLowerCase() === wanted)?.value;
  return {
    kind,
    track: value("trackname") ?? kind,
    bitrate: entry.systemBitrate,
    language: entry.systemLanguage,
    file: entry.src,
  };
}

function refuseUnusable(renditions: readonly Rendition[], name: string): void {
  if (renditions.length === 0) throw new OriginError("asset_unusable", `${name} names no video and no audio`);
  const seen = new Set<string>();
  for (const { track, bitrate } of renditions) {
    if (!/^[A-Za-z0-9_.-]+$/.test(track)) throw new OriginError("asset_unusable", `${name}: a track name must be usable in a URL`);
    const key = `${track} ${bitrate}`;
    if (seen.has(key)) throw new OriginError("asset_unusable", `${name} has two renditions ${track} of ${bitrate} bit/s`);
    seen.add(key);
  }
}
