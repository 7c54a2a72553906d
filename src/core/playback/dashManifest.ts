/** DASH MPDs in the words of `manifest.ts`. */
import {
  inheritAttributes,
  stringToMpdXml,
  toM3u8,
  toPlaylists,
  type Located,
  type Manifest,
  type Playlist as Representation,
  type Segment,
} from "mpd-parser";
import { byteRange } from "./byteRange.ts";
import { counted } from "./dashTimeline.ts";
import type { Media, MediaPart, MediaSegment, ParsedManifest, PlaybackKey, Track } from "./media.ts";

/** What holds for all representations. */
interface Presentation {
  readonly url: string;
  readonly key: PlaybackKey | null;
  readonly updateMs: number | null;
  readonly publishedAt: number | null;
  readonly listed: boolean;
}

/** Throws where the text, a URL or a number in it is not what an MPD has. */
export function dashManifest(text: string, url: string, now?: number): ParsedManifest {
  const manifest = readMpd(text, url, now);
  const presentation = presentationOf(text, url, manifest);
  const audio = Object.values(manifest.mediaGroups.AUDIO).flatMap((group) => Object.values(group));
  const tracks = [
    ...manifest.playlists.map((playlist) => trackOf("video", playlist, presentation)),
    ...audio.flatMap(({ playlists }) => playlists ?? []).map((playlist) => trackOf("audio", playlist, presentation)),
  ];
  return { protocol: "dash", tracks, keyIds: defaultKeyIds(text) };
}

/** What the parser does, with the segments counted on the way. */
function readMpd(text: string, url: string, now: number | undefined): Manifest {
  const options = { manifestUri: url, ...(now === undefined ? {} : { NOW: now }) };
  const { representationInfo, locations, contentSteeringInfo, eventStream } = inheritAttributes(stringToMpdXml(text), options);
  const dashPlaylists = toPlaylists(counted(representationInfo));
  return toM3u8({ dashPlaylists, locations, contentSteering: contentSteeringInfo, eventStream });
}

function presentationOf(text: string, url: string, manifest: Manifest): Presentation {
  const root = /<(?:\w+:)?MPD\s[^>]*>/.exec(text)?.[0] ?? "";
  const published = Date.parse(/\spublishTime\s*=\s*["']([^"']*)["']/.exec(root)?.[1] ?? "");
  return {
    url,
    key: segmentEncryption(text, url),
    updateMs: manifest.minimumUpdatePeriod ?? null,
    publishedAt: Number.isFinite(published) ? published : null,
    listed: isListed(text),
  };
}

/** An entry with a negative repeat count goes on with the clock, as a template without any entries does (ISO/IEC 23009-1, 5.3.9.6). */
function isListed(text: string): boolean {
  if (/<(?:\w+:)?S\s[^>]*\br\s*=\s*["']-/.test(text)) return false;
  return /<(?:\w+:)?(SegmentTimeline|SegmentList)[\s>]/.test(text);
}

function defaultKeyIds(text: string): string[] {
  const ids = [...text.matchAll(/\bdefault_KID\s*=\s*["']([0-9a-fA-F-]{36})["']/g)].map(([, id = ""]) => id.toLowerCase());
  return [...new Set(ids)].sort();
}

function trackOf(kind: Track["kind"], { attributes, ...representation }: Representation, presentation: Presentation): Track {
  return {
    kind,
    name: attributes.NAME ?? kind,
    bandwidth: attributes.BANDWIDTH ?? null,
    codecs: attributes.CODECS ?? null,
    url: presentation.url,
    media: mediaOf(representation, presentation),
  };
}

function mediaOf({ endList, segments, sidx }: Omit<Representation, "attributes">, presentation: Presentation): Media {
  const { key, updateMs, publishedAt, listed } = presentation;
  return {
    live: endList !== true,
    segments: segments.map((segment) => segmentOf(segment, key)),
    index: sidx === undefined ? null : { part: partOf(sidx, null), init: sidx.map === undefined ? null : partOf(sidx.map, key) },
    targetMs: null,
    updateMs,
    publishedAt,
    listed,
  };
}

function segmentOf(segment: Segment, key: PlaybackKey | null): MediaSegment {
  return {
    ...partOf(segment, key),
    durationMs: durationOf(segment),
    init: segment.map === undefined ? null : partOf(segment.map, key),
    at: milliseconds(segment.presentationTime ?? 0),
    discontinuity: segment.discontinuity === true,
    programDateTime: null,
  };
}

function milliseconds(seconds: number): number {
  if (!Number.isFinite(seconds)) throw new RangeError("a time that is none");
  return Math.round(seconds * 1000);
}

function durationOf({ duration }: Segment): number {
  if (duration < 0) throw new RangeError("a segment of less than no time");
  return milliseconds(duration);
}

function partOf(located: Located, key: PlaybackKey | null): MediaPart {
  // The parser leaves as it is what it cannot resolve.
  if (!URL.canParse(located.resolvedUri)) throw new RangeError("a URL that is none");
  return { url: located.resolvedUri, range: byteRange(located.byterange), key };
}

/** Whole-segment AES-128 in DASH (ISO/IEC 23009-4 `urn:mpeg:dash:sea:2012`), which the parser does not read. One crypto period is taken. */
function segmentEncryption(text: string, base: string): PlaybackKey | null {
  if (!text.includes("urn:mpeg:dash:sea:aes128-cbc:2013")) return null;
  const period = /<(?:\w+:)?CryptoPeriod\s[^>]*>/.exec(text)?.[0] ?? "";
  const uri = /\skeyUriTemplate="([^"]*)"/.exec(period)?.[1];
  if (uri === undefined) return null;
  const iv = /\sIV="(?:0[xX])?([0-9a-fA-F]{32})"/.exec(period)?.[1]?.toLowerCase() ?? null;
  return { method: "AES-128", uri: new URL(uri.replaceAll("&amp;", "&"), base).href, iv };
}
