/** Two regions with different base paths, and a gateway that mirrors what is below them. */
import { parse, type Manifest } from "mpd-parser";
import type { AnchorDashOptions } from "../../../src/gateway/dash/anchor.ts";
import { steerDash } from "../../../src/gateway/dash/dash.ts";
import type { SteerDashOptions } from "../../../src/gateway/dash/steer.ts";
import type { Rewritten } from "../../../src/gateway/pathway.ts";

export const A = "https://a.example/vod/v1/film.ism/manifest(format=mpd)?token=of-a";
export const B = "https://b.example/v1/film.ism/manifest(format=mpd)?token=of-b";
export const GATEWAY = "https://gateway.example/v1/film.ism/manifest(format=mpd)";
/** An instant at which the live goldens are on air. */
export const NOW = Date.parse("2026-01-01T00:00:00Z");

export function keyUrl(absoluteUrl: string): string | null {
  const { host } = new URL(absoluteUrl);
  return host.startsWith("keys-") ? absoluteUrl.replace(`https://${host}`, "https://gateway.example/keys") : null;
}

export const STEER: SteerDashOptions = {
  pathways: [
    { id: "a", url: A },
    { id: "b", url: B },
  ],
  from: "a",
  reloadUri: "https://gateway.example/steering/dash/v1/film.ism/manifest(format=mpd)?pathways=a,b",
  ttlSeconds: 30,
  keyUrl,
  anchor: GATEWAY,
  location: GATEWAY,
};

export const ANCHOR: AnchorDashOptions = {
  url: A,
  base: "https://a.example/vod",
  gateway: "https://gateway.example",
  keyUrl,
  location: GATEWAY,
};

export function steer(text: string, change: Partial<SteerDashOptions> = {}): string {
  return textOf(steerDash(text, { ...STEER, ...change }));
}

export function textOf(rewritten: Rewritten): string {
  if (!rewritten.ok) throw new Error(`refused: ${rewritten.reason}: ${rewritten.detail}`);
  return rewritten.text;
}

/** A smallest MPD around something of its own. */
export function mpdWith({ head = "", set = "", attributes = "", tail = "" } = {}): string {
  return [
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xlink="http://www.w3.org/1999/xlink" type="static" mediaPresentationDuration="PT4S"${attributes}>`,
    head,
    `<Period><AdaptationSet mimeType="video/mp4">${set}<Representation id="1" bandwidth="1" codecs="avc1.42c01e"/></AdaptationSet></Period>`,
    tail,
    "</MPD>",
  ].join("");
}

/** Every URL that a player of this MPD may ask for, by the parser that video.js has. */
export function mediaUrls(text: string, manifestUrl: string): Set<string> {
  const manifest = parse(text, { manifestUri: manifestUrl, NOW });
  const urls = playlistsOf(manifest).flatMap(({ segments, sidx }) => [
    ...segments.flatMap(({ resolvedUri, map }) => [resolvedUri, map?.resolvedUri]),
    sidx?.resolvedUri,
    sidx?.map?.resolvedUri,
  ]);
  const found = new Set(urls.filter((url) => url !== undefined));
  if (found.size === 0) throw new Error("the parser found nothing to play");
  return found;
}

function playlistsOf({ playlists, mediaGroups }: Manifest): Manifest["playlists"] {
  const groups = Object.values(mediaGroups.AUDIO).flatMap((group) => Object.values(group));
  return [...playlists, ...groups.flatMap((group) => group.playlists ?? [])];
}
