/** HLS playlists of an asset (RFC 8216). Every URI but the key's is relative, so that a redirect or another host keeps working. Pure. */
import type { IndexedTrack } from "./assets.ts";
import { beginsAt, type Broadcast } from "./live.ts";
import { type Packaging, packagingText } from "./path.ts";
import type { Fragment, TrackIndex } from "./trackIndex.ts";

const AUDIO_GROUP = "audio";

/** The multivariant playlist; audio is a group of its own where there is video, else the variants are the audio tracks. */
export function multivariantPlaylist(tracks: readonly IndexedTrack[], packaging: Packaging): string {
  const video = tracks.filter(({ rendition }) => rendition.kind === "video");
  const audio = tracks.filter(({ rendition }) => rendition.kind === "audio");
  const grouped = video.length > 0 ? audio : [];
  return text([
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...grouped.map((track, at) => audioLine(track, at === 0, packaging)),
    ...(video.length > 0 ? video : audio).flatMap((track) => variantLines(track, grouped, packaging)),
  ]);
}

function audioLine(track: IndexedTrack, first: boolean, packaging: Packaging): string {
  const { rendition, index } = track;
  const language = rendition.language === "und" ? [] : [`LANGUAGE="${rendition.language}"`];
  return `#EXT-X-MEDIA:${[
    "TYPE=AUDIO",
    `GROUP-ID="${AUDIO_GROUP}"`,
    `NAME="${rendition.track} ${Math.round(rendition.bitrate / 1000)}k"`,
    ...language,
    `DEFAULT=${first ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    `CHANNELS="${index.audio?.channels ?? 2}"`,
    `URI="${playlistUri(track, packaging)}"`,
  ].join(",")}`;
}

function variantLines(track: IndexedTrack, audio: readonly IndexedTrack[], packaging: Packaging): string[] {
  const { video, codec } = track.index;
  const codecs = [...new Set([codec, ...audio.map(({ index }) => index.codec)])];
  const attributes = [
    `BANDWIDTH=${peakBitrate(track.index) + Math.max(0, ...audio.map(({ index }) => peakBitrate(index)))}`,
    `AVERAGE-BANDWIDTH=${averageBitrate(track.index) + Math.max(0, ...audio.map(({ index }) => averageBitrate(index)))}`,
    `CODECS="${codecs.join(",")}"`,
    ...(video === null ? [] : [`RESOLUTION=${video.width}x${video.height}`]),
    ...frameRate(track.index),
    ...(audio.length === 0 ? [] : [`AUDIO="${AUDIO_GROUP}"`]),
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(",")}`, playlistUri(track, packaging)];
}

function frameRate({ video }: TrackIndex): string[] {
  const rate = video?.frameRate ?? null;
  return rate === null ? [] : [`FRAME-RATE=${(rate.numerator / rate.denominator).toFixed(3)}`];
}

function playlistUri({ rendition }: IndexedTrack, packaging: Packaging): string {
  return `QualityLevels(${rendition.bitrate})/Manifest(${rendition.track},${packagingText(packaging)})`;
}

/** Bits per second of the largest fragment. */
function peakBitrate({ fragments, timescale }: TrackIndex): number {
  return Math.ceil(Math.max(0, ...fragments.map(({ size, duration }) => (size * 8 * timescale) / duration)));
}

function averageBitrate({ fragments, timescale }: TrackIndex): number {
  const bits = fragments.reduce((sum, { size }) => sum + size * 8, 0);
  const duration = fragments.reduce((sum, fragment) => sum + fragment.duration, 0);
  return duration === 0 ? 0 : Math.ceil((bits * timescale) / duration);
}

/** What a manifest tells a player of the key; null for a clear one. */
export type PlayerKey = { readonly keyUri: string; readonly iv: Uint8Array } | null;

/** The media playlist of one track; with `window`, of a live channel. EXT-X-MAP stands before EXT-X-KEY: the initialization segment is clear (RFC 8216, 4.3.2.5). */
export function mediaPlaylist(
  { rendition, index }: IndexedTrack,
  packaging: Packaging,
  key: PlayerKey,
  window: readonly Broadcast[] | null = null,
): string {
  const { timescale } = index;
  const fragments = window === null ? index.fragments : window.map(({ fragment }) => fragment);
  const uri = (time: number | "i") => `Fragments(${rendition.track}=${time},${packagingText(packaging)})`;
  const seconds = ({ duration }: Fragment) => duration / timescale;
  return text([
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${Math.max(1, ...index.fragments.map((fragment) => Math.round(seconds(fragment))))}`,
    `#EXT-X-MEDIA-SEQUENCE:${window?.[0]?.number ?? 0}`,
    ...(window === null ? ["#EXT-X-PLAYLIST-TYPE:VOD"] : []),
    "#EXT-X-INDEPENDENT-SEGMENTS",
    `#EXT-X-MAP:URI="${uri("i")}"`,
    ...(key === null ? [] : [`#EXT-X-KEY:METHOD=AES-128,URI="${key.keyUri}",IV=0x${hex(key.iv)}`]),
    ...(window ?? []).slice(0, 1).map((first) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(beginsAt(first, index)).toISOString()}`),
    ...fragments.flatMap((fragment) => [`#EXTINF:${seconds(fragment).toFixed(6)},`, uri(fragment.time)]),
    ...(window === null ? ["#EXT-X-ENDLIST"] : []),
  ]);
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
