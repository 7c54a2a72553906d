/** The segments of a DASH SegmentBase representation, which stand in an index box. */
import { withoutQuery } from "../http.ts";
import { PlaybackFailure } from "./failure.ts";
import type { Media, MediaSegment } from "./media.ts";
import { readPart, type ReadPartOptions } from "./part.ts";
import { indexedRanges } from "./segmentIndex.ts";

/** Fetches the index box where there is one; other media are returned as they are. Rejects with `PlaybackFailure`. */
export async function withSegments(options: ReadPartOptions, media: Media, url: string): Promise<Media> {
  if (media.index === null || media.segments.length > 0) return media;
  const { part, init } = media.index;
  const { content } = await readPart(options, "index", part, true);
  const ranges = indexedRanges(content, part.range?.offset ?? 0);
  if (ranges === null) throw new PlaybackFailure("segment", "index", `index of ${withoutQuery(url)} is no segment index box`);
  let start = 0;
  const segments = ranges.map(({ durationMs, offset, length }): MediaSegment => {
    const common = { url: part.url, range: { offset, length }, key: init?.key ?? null, durationMs, init };
    const segment = { ...common, at: start, discontinuity: false, programDateTime: null };
    start += durationMs;
    return segment;
  });
  return { ...media, segments };
}
