/** Finds the manifests of a packaged video in its container. */
import type { BlobContainer, BlobInfo, StaticManifests } from "../../core/ports/storage.ts";

/** Packagers' usual names come first where a container has more than one manifest of a kind. */
const USUAL = ["master", "main", "index", "manifest", "playlist", "stream"];
/** A multivariant playlist names its variants long before this many bytes. */
const HEAD_BYTES = 64 * 1024;

/** Of a listing, names, lengths and what `read` needs are looked at; it may leave out what is not at the top level. */
type Readable = Pick<BlobContainer, "list" | "read">;

/** Top-level manifests of the container `name`. A lone playlist counts as the multivariant one: videos with a single rendition have no other. */
export async function findManifests(container: Readable, name: string, signal?: AbortSignal): Promise<StaticManifests> {
  const playlists: BlobInfo[] = [];
  const presentations: BlobInfo[] = [];
  for await (const blob of container.list(signal)) {
    if (blob.name.includes("/") || blob.length === 0) continue;
    if (/\.m3u8$/i.test(blob.name)) playlists.push(blob);
    if (/\.mpd$/i.test(blob.name)) presentations.push(blob);
  }
  const hls = await multivariant(container, playlists.sort(usualFirst), signal);
  return { hls: pathOf(name, hls), dash: pathOf(name, presentations.sort(usualFirst)[0]) };
}

async function multivariant(container: Readable, playlists: readonly BlobInfo[], signal?: AbortSignal): Promise<BlobInfo | undefined> {
  if (playlists.length === 1) return playlists[0];
  for (const blob of playlists) {
    const head = new TextDecoder().decode(await container.read(blob, 0, HEAD_BYTES, signal));
    if (/^#EXT-X-STREAM-INF:/m.test(head)) return blob;
  }
  return undefined;
}

function usualFirst(a: BlobInfo, b: BlobInfo): number {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

function rank({ name }: BlobInfo): number {
  const position = USUAL.indexOf(name.replace(/\.[^.]+$/, "").toLowerCase());
  return position < 0 ? USUAL.length : position;
}

function pathOf(container: string, blob: BlobInfo | undefined): string | null {
  return blob === undefined ? null : `/${encodeURIComponent(container)}/${encodeURIComponent(blob.name)}`;
}
