/** HLS playlists in the words of `manifest.ts`. */
import { Parser, type InitSection, type Key, type Manifest, type Segment } from "m3u8-parser";
import { byteRange } from "./byteRange.ts";
import type { Media, MediaPart, MediaSegment, ParsedManifest, PlaybackKey, Track } from "./media.ts";

/** A multivariant playlist, or a media playlist as its own only variant. Throws where a URL or a number in it is none. */
export function hlsManifest(text: string, url: string): ParsedManifest {
  const manifest = readPlaylist(text);
  if (manifest.playlists !== undefined) {
    return { protocol: "hls", tracks: [...variants(manifest, url), ...audioRenditions(manifest, url)], keyIds: [] };
  }
  const only: Track = { kind: "video", name: "media playlist", bandwidth: null, codecs: null, url, media: mediaOf(manifest, url) };
  return { protocol: "hls", tracks: [only], keyIds: [] };
}

/** A media playlist; null for a multivariant one. Throws where a URL or a number in it is none. */
export function hlsPlaylist(text: string, url: string): Media | null {
  const manifest = readPlaylist(text);
  return manifest.playlists === undefined ? mediaOf(manifest, url) : null;
}

function readPlaylist(text: string): Manifest {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

function resolve(uri: string, base: string): string {
  return new URL(uri, base).href;
}

function variants(manifest: Manifest, base: string): Track[] {
  return (manifest.playlists ?? []).flatMap(({ uri, attributes }) => {
    if (uri === undefined) return [];
    const bandwidth = attributes?.BANDWIDTH ?? null;
    const name = bandwidth === null ? uri : `${Math.round(bandwidth / 1000)} kbit/s`;
    return [{ kind: "video" as const, name, bandwidth, codecs: attributes?.CODECS ?? null, url: resolve(uri, base), media: null }];
  });
}

function audioRenditions(manifest: Manifest, base: string): Track[] {
  const renditions = Object.values(manifest.mediaGroups?.AUDIO ?? {}).flatMap((group) => Object.entries(group));
  return renditions.flatMap(([name, { uri }]) =>
    uri === undefined ? [] : [{ kind: "audio" as const, name, bandwidth: null, codecs: null, url: resolve(uri, base), media: null }],
  );
}

function mediaOf(manifest: Manifest, base: string): Media {
  const first = manifest.mediaSequence ?? 0;
  return {
    live: manifest.endList !== true,
    segments: manifest.segments.flatMap((segment, index) => segmentOf(segment, first + index, base)),
    index: null,
    targetMs: manifest.targetDuration === undefined ? null : manifest.targetDuration * 1000,
    updateMs: null,
    publishedAt: null,
    listed: true,
  };
}

function segmentOf(segment: Segment, sequence: number, base: string): MediaSegment[] {
  if (segment.uri === undefined) return [];
  const time = segment.dateTimeObject?.getTime() ?? segment.programDateTime ?? Number.NaN;
  return [
    {
      url: resolve(segment.uri, base),
      range: byteRange(segment.byterange),
      durationMs: Math.round((segment.duration ?? 0) * 1000),
      key: keyOf(segment.key, sequence, base),
      init: initOf(segment.map, sequence, base),
      at: sequence,
      discontinuity: segment.discontinuity === true,
      programDateTime: Number.isFinite(time) ? time : null,
    },
  ];
}

function initOf(map: InitSection | undefined, sequence: number, base: string): MediaPart | null {
  if (map === undefined) return null;
  return { url: resolve(map.uri, base), range: byteRange(map.byterange), key: keyOf(map.key, sequence, base) };
}

function keyOf(key: Key | undefined, sequence: number, base: string): PlaybackKey | null {
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
