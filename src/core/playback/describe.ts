/** Reads all playlists of a video, for the comparison of regions. */
import { withSegments } from "./indexed.ts";
import { keyIdentity } from "./keyIdentity.ts";
import type { DescribedTrack, DescribedVideo } from "./alignment.ts";
import type { Media, Track } from "./media.ts";
import { readManifest, readMedia, timelineOf, trackNames, type ReadManifest, type ReadOptions } from "./read.ts";

/** No segment is fetched. Rejects with `PlaybackFailure`, or with the reason of `signal` once that has aborted. */
export async function describeVideo(options: ReadOptions): Promise<DescribedVideo> {
  const manifest = await readManifest(options);
  const names = trackNames(manifest.tracks);
  const tracks: DescribedTrack[] = [];
  for (const track of manifest.tracks) tracks.push(await describeTrack(options, manifest, track, names.get(track) ?? track.name));
  return { protocol: manifest.protocol, keyIds: manifest.keyIds, tracks };
}

async function describeTrack(options: ReadOptions, manifest: ReadManifest, track: Track, name: string): Promise<DescribedTrack> {
  const read = await readMedia(options, manifest, track);
  const media = await withSegments(options, read.media, track.url);
  return { name, codecs: track.codecs, timeline: timelineOf(media, read.url, manifest.protocol), keys: keysOf(media) };
}

/** Regions have key servers of their own: what stands before the path is no difference. */
function keysOf({ segments }: Media): string[] {
  const uris = segments.flatMap(({ key }) => (key === null ? [] : [key.uri]));
  return [...new Set(uris.map((uri) => keyIdentity(uri.replace(/^https?:\/\/[^/?#]*/i, ""))))];
}
