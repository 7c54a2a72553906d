/** Reads an HLS playlist or a DASH MPD into the same few words: tracks, their segments, initialisation sections and keys. */
import { Parser, type InitSection, type Key, type Manifest as HlsManifest, type Segment as HlsSegment } from "m3u8-parser";
import { parse as parseMpd, type Located, type Playlist as Representation } from "mpd-parser";
import { isWellFormed } from "./xml.ts";

export type Protocol = "hls" | "dash";

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A key as the manifest declares it. `iv` is 32 hex digits; for AES-128 without an IV it is the media sequence number (RFC 8216, 5.2). */
export interface PlaybackKey {
  /** `AES-128`, or the method of a sample encryption, whose containers stay readable. */
  readonly method: string;
  readonly uri: string;
  readonly iv: string | null;
}

/** Something to get: a whole resource, or a declared range of it. */
export interface MediaPart {
  readonly url: string;
  readonly range: ByteRange | null;
  readonly key: PlaybackKey | null;
}

export interface MediaSegment extends MediaPart {
  readonly durationMs: number;
  readonly init: MediaPart | null;
}

export interface Media {
  /** More segments may follow. */
  readonly live: boolean;
  readonly segments: readonly MediaSegment[];
  /** DASH SegmentBase: the segments stand in the index box at this range. */
  readonly index: { readonly part: MediaPart; readonly init: MediaPart | null } | null;
}

/** A variant or an audio rendition that has a playlist of its own (HLS), or a representation (DASH). */
export interface Track {
  readonly kind: "video" | "audio";
  readonly name: string;
  /** Bits per second. */
  readonly bandwidth: number | null;
  readonly codecs: string | null;
  readonly url: string;
  /** Null where it stands in a media playlist that has to be fetched. */
  readonly media: Media | null;
}

export interface ParsedManifest {
  readonly protocol: Protocol;
  /** Variants first, then audio. */
  readonly tracks: readonly Track[];
}

/** Parses what a manifest URL answered. Null where the text is neither an HLS playlist nor an MPD. */
export function parseManifest(text: string, url: string): ParsedManifest | null {
  if (isPlaylist(text)) return usable(() => hlsManifest(text, url));
  return isMpd(text) ? usable(() => dashManifest(text, url)) : null;
}

/** Parses a media playlist. Null where the text is none. */
export function parseMediaPlaylist(text: string, url: string): Media | null {
  if (!isPlaylist(text)) return null;
  return usable(() => {
    const manifest = readPlaylist(text);
    return manifest.playlists === undefined ? hlsMedia(manifest, url) : null;
  });
}

/** The parsers, and URLs that cannot be resolved, throw plain errors of many kinds; to the caller all of them are "not a manifest". */
function usable<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

/** The parser takes any text for a playlist; players insist on the first line (RFC 8216, 4.3.1.1). */
function isPlaylist(text: string): boolean {
  return /^#EXTM3U[ \t]*(\r?\n|$)/.test(text);
}

function isMpd(text: string): boolean {
  return /^\uFEFF?\s*<(\?xml|!--|MPD[\s>])/.test(text) && /<MPD[\s>]/.test(text) && isWellFormed(text.replace(/^\uFEFF/, ""));
}

function readPlaylist(text: string): HlsManifest {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

function resolve(uri: string, base: string): string {
  return new URL(uri, base).href;
}

function hlsManifest(text: string, url: string): ParsedManifest {
  const manifest = readPlaylist(text);
  if (manifest.playlists === undefined) {
    const only: Track = { kind: "video", name: "media playlist", bandwidth: null, codecs: null, url, media: hlsMedia(manifest, url) };
    return { protocol: "hls", tracks: [only] };
  }
  return { protocol: "hls", tracks: [...hlsVariants(manifest, url), ...hlsAudio(manifest, url)] };
}

function hlsVariants(manifest: HlsManifest, base: string): Track[] {
  return (manifest.playlists ?? []).flatMap(({ uri, attributes }) => {
    if (uri === undefined) return [];
    const bandwidth = attributes?.BANDWIDTH ?? null;
    const name = bandwidth === null ? uri : `${Math.round(bandwidth / 1000)} kbit/s`;
    return [{ kind: "video" as const, name, bandwidth, codecs: attributes?.CODECS ?? null, url: resolve(uri, base), media: null }];
  });
}

function hlsAudio(manifest: HlsManifest, base: string): Track[] {
  const renditions = Object.values(manifest.mediaGroups?.AUDIO ?? {}).flatMap((group) => Object.entries(group));
  return renditions.flatMap(([name, { uri }]) =>
    uri === undefined ? [] : [{ kind: "audio" as const, name, bandwidth: null, codecs: null, url: resolve(uri, base), media: null }],
  );
}

function hlsMedia(manifest: HlsManifest, base: string): Media {
  const first = manifest.mediaSequence ?? 0;
  const segments = manifest.segments.flatMap((segment, index) => hlsSegment(segment, first + index, base));
  return { live: manifest.endList !== true, segments, index: null };
}

function hlsSegment(segment: HlsSegment, sequence: number, base: string): MediaSegment[] {
  if (segment.uri === undefined) return [];
  return [
    {
      url: resolve(segment.uri, base),
      range: byteRange(segment.byterange),
      durationMs: Math.round((segment.duration ?? 0) * 1000),
      key: hlsKey(segment.key, sequence, base),
      init: hlsInit(segment.map, sequence, base),
    },
  ];
}

function hlsInit(map: InitSection | undefined, sequence: number, base: string): MediaPart | null {
  if (map === undefined) return null;
  return { url: resolve(map.uri, base), range: byteRange(map.byterange), key: hlsKey(map.key, sequence, base) };
}

function hlsKey(key: Key | undefined, sequence: number, base: string): PlaybackKey | null {
  if (key === undefined) return null;
  const { method, uri, iv } = key;
  if (iv === undefined && method !== "AES-128") return { method, uri: resolve(uri, base), iv: null };
  return { method, uri: resolve(uri, base), iv: initialisationVector(iv ?? wordsOf(sequence)) };
}

function wordsOf(sequence: number): Uint32Array {
  return new Uint32Array([0, 0, Math.floor(sequence / 0x1_0000_0000), sequence]);
}

function initialisationVector(words: Uint32Array): string {
  if (words.length !== 4) throw new RangeError(`an IV of ${words.length} words`);
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

function byteRange(range: ByteRange | undefined): ByteRange | null {
  if (range === undefined) return null;
  const { offset, length } = range;
  if (!Number.isSafeInteger(offset + length) || offset < 0 || length < 1) throw new RangeError("a byte range that is none");
  return { offset, length };
}

function dashManifest(text: string, url: string): ParsedManifest {
  const manifest = parseMpd(text, { manifestUri: url });
  const key = segmentEncryption(text, url);
  const audio = Object.values(manifest.mediaGroups.AUDIO).flatMap((group) => Object.values(group));
  const tracks = [
    ...manifest.playlists.map((playlist) => dashTrack("video", playlist, url, key)),
    ...audio.flatMap(({ playlists }) => playlists ?? []).map((playlist) => dashTrack("audio", playlist, url, key)),
  ];
  return { protocol: "dash", tracks };
}

function dashTrack(kind: Track["kind"], representation: Representation, url: string, key: PlaybackKey | null): Track {
  const { attributes, sidx } = representation;
  return {
    kind,
    name: attributes.NAME ?? kind,
    bandwidth: attributes.BANDWIDTH ?? null,
    codecs: attributes.CODECS ?? null,
    url,
    media: {
      live: representation.endList !== true,
      segments: representation.segments.map((segment) => ({
        ...dashPart(segment, key),
        durationMs: Math.round(segment.duration * 1000),
        init: segment.map === undefined ? null : dashPart(segment.map, key),
      })),
      index: sidx === undefined ? null : { part: dashPart(sidx, null), init: sidx.map === undefined ? null : dashPart(sidx.map, key) },
    },
  };
}

function dashPart(located: Located, key: PlaybackKey | null): MediaPart {
  return { url: located.resolvedUri, range: byteRange(located.byterange), key };
}

/** Whole-segment AES-128 in DASH (ISO/IEC 23009-4 `urn:mpeg:dash:sea:2012`), which the parser does not read. One crypto period is taken. */
function segmentEncryption(text: string, base: string): PlaybackKey | null {
  if (!text.includes("urn:mpeg:dash:sea:aes128-cbc:2013")) return null;
  const period = /<(?:\w+:)?CryptoPeriod\s[^>]*>/.exec(text)?.[0] ?? "";
  const uri = /\skeyUriTemplate="([^"]*)"/.exec(period)?.[1];
  if (uri === undefined) return null;
  const iv = /\sIV="(?:0[xX])?([0-9a-fA-F]{32})"/.exec(period)?.[1]?.toLowerCase() ?? null;
  return { method: "AES-128", uri: resolve(uri.replaceAll("&amp;", "&"), base), iv };
}
