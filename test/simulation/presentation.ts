/** What a player reads out of a manifest: every pathway with its variants. By the parsers that video.js plays with. */
import { Parser } from "m3u8-parser";
import { parse as parseMpd } from "mpd-parser";
import type { TrackKind } from "./playback.ts";

export interface Segment {
  /** Media sequence number, or the number of the segment in its period. */
  readonly number: number;
  /** Seconds. */
  readonly duration: number;
  /** As the playlist has it; absolute in DASH. */
  readonly uri: string;
}

export interface MediaPlaylist {
  /** That the URIs are relative to. */
  readonly url: string;
  readonly segments: readonly Segment[];
  readonly live: boolean;
  readonly targetDuration: number;
}

/** One track of one variant in one pathway: a playlist to load (HLS), or one that stands in the manifest (DASH). */
export type Source = { readonly url: string; readonly media: null } | { readonly url: string; readonly media: MediaPlaylist };

export interface Pathway {
  readonly id: string;
  /** Variants, the lowest first; one for audio. */
  readonly video: readonly Source[];
  readonly audio: readonly Source[];
}

export interface SteeringTag {
  readonly serverUri: string;
  readonly pathway: string | null;
  readonly queryBeforeStart: boolean;
}

export interface Presentation {
  /** The manifest's own URL, after redirects. */
  readonly url: string;
  /** In the manifest's order, at least one. */
  readonly pathways: readonly Pathway[];
  readonly steering: SteeringTag | null;
}

/** Of variants without a PATHWAY-ID (draft-pantos-hls-rfc8216bis §4.4.6.2). */
const DEFAULT_PATHWAY = ".";

interface HlsManifest {
  readonly contentSteering?: { readonly serverUri: string; readonly pathwayId?: string };
  readonly playlists?: readonly {
    readonly uri: string;
    readonly attributes: { readonly BANDWIDTH: number; readonly AUDIO?: string; readonly "PATHWAY-ID"?: string };
  }[];
  readonly mediaGroups: { readonly AUDIO: Readonly<Record<string, Readonly<Record<string, { readonly uri?: string }>>>> };
}

export function readMultivariant(text: string, url: string): Presentation {
  const manifest = parsed(text) as unknown as HlsManifest;
  const byPathway = Map.groupBy(manifest.playlists ?? [], ({ attributes }) => attributes["PATHWAY-ID"] ?? DEFAULT_PATHWAY);
  const pathways = [...byPathway].map(([id, variants]) => {
    const groups = new Set(variants.flatMap(({ attributes }) => attributes.AUDIO ?? []));
    const audio = [...groups].flatMap((group) => Object.values(manifest.mediaGroups.AUDIO[group] ?? {}));
    const lowestFirst = variants.toSorted((one, other) => one.attributes.BANDWIDTH - other.attributes.BANDWIDTH);
    return {
      id,
      video: lowestFirst.map(({ uri }) => ({ url: new URL(uri, url).href, media: null })),
      audio: audio.flatMap(({ uri }) => (uri === undefined ? [] : [{ url: new URL(uri, url).href, media: null }])),
    };
  });
  const { contentSteering: tag } = manifest;
  const steering = tag === undefined ? null : { serverUri: tag.serverUri, pathway: tag.pathwayId ?? null, queryBeforeStart: false };
  return checked({ url, pathways, steering });
}

export function readMediaPlaylist(text: string, url: string): MediaPlaylist {
  const { segments, mediaSequence = 0, targetDuration = 0, endList } = parsed(text);
  return {
    url,
    segments: segments.map(({ uri = "", duration = 0 }, index) => ({ number: mediaSequence + index, duration, uri })),
    live: endList !== true,
    targetDuration,
  };
}

function parsed(text: string): Parser["manifest"] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

interface DashPlaylist {
  readonly attributes: { readonly NAME: string; readonly BANDWIDTH: number; readonly serviceLocation?: string };
  readonly resolvedUri: string;
  readonly targetDuration: number;
  readonly segments: readonly { readonly number: number; readonly duration: number; readonly resolvedUri: string }[];
}

interface DashManifest {
  readonly contentSteering?: { readonly serverURL: string; readonly defaultServiceLocation?: string; readonly queryBeforeStart?: boolean };
  readonly playlists: readonly DashPlaylist[];
  readonly mediaGroups: {
    readonly AUDIO: Readonly<Record<string, Readonly<Record<string, { readonly playlists: readonly DashPlaylist[] }>>>>;
  };
}

export function readMpd(text: string, url: string): Presentation {
  const manifest = parseMpd(text, { manifestUri: url }) as unknown as DashManifest;
  const audio = Object.values(manifest.mediaGroups.AUDIO).flatMap((group) => Object.values(group).flatMap(({ playlists }) => playlists));
  const located = (playlists: readonly DashPlaylist[], kind: TrackKind) =>
    playlists.map((playlist) => ({ kind, id: playlist.attributes.serviceLocation ?? playlist.resolvedUri, playlist }));
  const byPathway = Map.groupBy([...located(manifest.playlists, "video"), ...located(audio, "audio")], ({ id }) => id);
  const pathways = [...byPathway].map(([id, all]) => ({ id, video: sourcesOf(all, "video"), audio: sourcesOf(all, "audio") }));
  const { contentSteering: tag } = manifest;
  const steering =
    tag === undefined
      ? null
      : { serverUri: tag.serverURL, pathway: tag.defaultServiceLocation ?? null, queryBeforeStart: tag.queryBeforeStart === true };
  return checked({ url, pathways, steering });
}

interface Located {
  readonly kind: TrackKind;
  readonly playlist: DashPlaylist;
}

function sourcesOf(all: readonly Located[], wanted: TrackKind): readonly Source[] {
  return all
    .filter(({ kind }) => kind === wanted)
    .map(({ playlist }) => playlist)
    .toSorted((one, other) => one.attributes.BANDWIDTH - other.attributes.BANDWIDTH)
    .map(({ resolvedUri: url, segments, targetDuration }) => {
      const listed = segments.map(({ number, duration, resolvedUri }) => ({ number, duration, uri: resolvedUri }));
      return { url, media: { url, segments: listed, live: false, targetDuration } };
    });
}

/** Rejects what no player could play: it would look like a stall. */
function checked(presentation: Presentation): Presentation {
  const { pathways, url } = presentation;
  const sound = pathways.length > 0 && pathways.every(({ video, audio }) => video.length > 0 && audio.length === 1);
  if (!sound)
    throw new Error(`the manifest at ${url} has no pathway with video and one audio: ${JSON.stringify(pathways.map(({ id }) => id))}`);
  return presentation;
}
