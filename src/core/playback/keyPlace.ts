/** Where the key of a playlist is asked for, and which service answers for it. Pure. */
import type { PlaylistKeyHost } from "../contracts.ts";

/** Base URLs of a region's services. */
export interface KeyRegion {
  readonly name: string;
  readonly streaming: string;
  readonly keys?: string | undefined;
}

/** How the gateway's own key URLs are recognised, which stand in the playlists of videos that are routed by it. */
export interface KeyDoor {
  readonly prefix: string;
  readonly host: string | null;
}

export type KeyPlace =
  /** The region's key delivery. `sure` is false where the URI names a host that nobody here knows, and the same path is tried. */
  | { readonly service: "keys"; readonly target: string; readonly sure: boolean }
  /** A file beside the video: without it the region cannot play it. */
  | { readonly service: "streaming"; readonly url: string; readonly target: string }
  /** At another region: what it says is no verdict on this one. */
  | { readonly service: "elsewhere"; readonly url: string; readonly target: string };

/** Null where nobody can be asked: a scheme of a DRM, or a region without key delivery. */
export function keyPlace(uri: string, region: KeyRegion, others: readonly KeyRegion[], door: KeyDoor): KeyPlace | null {
  const parts = /^https?:\/\/([^/?#:]+)(?::\d+)?([^#]*)/i.exec(uri);
  if (parts === null) return null;
  const [, host = "", after = ""] = parts;
  const own = ownPlace(uri, region);
  if (own !== null) return own;
  const target = after.startsWith("/") ? after : `/${after}`;
  const routed = throughGateway(host, target, door);
  if (routed !== null) return region.keys === undefined ? null : { service: "keys", target: routed, sure: true };
  const elsewhere = others.flatMap(({ keys, streaming }) => [keys, streaming]).some((base) => below(uri, base) !== null);
  if (elsewhere) return { service: "elsewhere", url: uri, target };
  return region.keys === undefined ? null : { service: "keys", target, sure: false };
}

/** `region` is the one whose copy has the URI. Only a URI that is relative leads to a host of each region's own. */
export function keyHostOf(uri: string, region: KeyRegion, door: KeyDoor): PlaylistKeyHost {
  const own = ownPlace(uri, region);
  if (own?.service === "streaming") return "streaming";
  if (own !== null) return originOf(region.keys) === originOf(region.streaming) ? "region" : "elsewhere";
  const [, host = "", target = ""] = /^https?:\/\/([^/?#:]+)(?::\d+)?([^#]*)/i.exec(uri) ?? [];
  return throughGateway(host, target.startsWith("/") ? target : `/${target}`, door) === null ? "elsewhere" : "gateway";
}

/** The same URI as `to`'s copy of the playlist has it. */
export function movedUri(uri: string, from: KeyRegion, to: KeyRegion): string {
  const place = ownPlace(uri, from);
  const base = place === null ? undefined : to[place.service === "keys" ? "keys" : "streaming"];
  return place === null || base === undefined ? uri : base + place.target;
}

function originOf(url: string | undefined): string | null {
  return /^https?:\/\/[^/?#]+/i.exec(url ?? "")?.[0].toLowerCase() ?? null;
}

/** The longer base URL is the more exact one. */
function ownPlace(uri: string, { streaming, keys }: KeyRegion): Exclude<KeyPlace, { service: "elsewhere" }> | null {
  const atKeys = below(uri, keys);
  const atStreaming = below(uri, streaming);
  if (atKeys !== null && (atStreaming === null || atKeys.length <= atStreaming.length))
    return { service: "keys", target: atKeys, sure: true };
  return atStreaming === null ? null : { service: "streaming", url: uri, target: atStreaming };
}

function throughGateway(host: string, target: string, door: KeyDoor): string | null {
  if (door.host !== null && host.toLowerCase() === door.host) return below(target, door.prefix) ?? target;
  return below(target, door.prefix);
}

/** What follows `base` in `url`, with its leading slash; null where it is not below it. */
function below(url: string, base: string | undefined): string | null {
  if (base === undefined || !url.startsWith(base)) return null;
  const rest = url.slice(base.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : null;
}
