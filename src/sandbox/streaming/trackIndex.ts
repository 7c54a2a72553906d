/** What the head of a fragmented MP4 file says: the movie box for players, and by the global segment index where each fragment lies. */
import { type ISOFile, MP4BoxBuffer, createFile } from "mp4box";
import { OriginError } from "./originErrors.ts";

export interface Fragment {
  /** In `timescale`. */
  readonly time: number;
  readonly duration: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

export interface VideoShape {
  readonly width: number;
  readonly height: number;
  /** Frames per second as a fraction in lowest terms; null where the first fragment does not tell. */
  readonly frameRate: { readonly numerator: number; readonly denominator: number } | null;
}

export interface AudioShape {
  readonly channels: number;
  readonly sampleRate: number;
}

export interface TrackIndex {
  /** The initialization segment is the file up to here. */
  readonly initLength: number;
  /** Units per second. */
  readonly timescale: number;
  readonly fragments: readonly Fragment[];
  /** RFC 6381. */
  readonly codec: string;
  readonly video: VideoShape | null;
  readonly audio: AudioShape | null;
}

/**
 * Reads the head of a file. Null: the bytes end before the index does, read more.
 * Throws `OriginError` (`asset_unusable`) for a file that is not one track with a flat `sidx` (ISO/IEC 14496-12, 8.16.3).
 */
export function parseTrackIndex(head: Uint8Array<ArrayBuffer>, file: string): TrackIndex | null {
  const iso = parse(head, file);
  const end = iso.boxes.find(({ type }) => type === "moov");
  const segmentIndex = iso.boxes.find((box) => isSegmentIndex(box));
  if (end?.start === undefined || segmentIndex === undefined) return null;
  const [track, ...others] = iso.getInfo().tracks;
  if (track === undefined || others.length > 0) throw new OriginError("asset_unusable", `${file} must hold exactly one track`);
  return {
    initLength: end.start + end.size,
    timescale: segmentIndex.timescale,
    fragments: fragmentsOf(segmentIndex, file),
    codec: track.codec,
    video: track.video === undefined ? null : { ...size(track.video), frameRate: frameRateOf(iso, segmentIndex) },
    audio: track.audio === undefined ? null : { channels: track.audio.channel_count, sampleRate: track.audio.sample_rate },
  };
}

type SegmentIndex = ISOFile["sidx"];

function isSegmentIndex(box: { readonly type: string }): box is SegmentIndex {
  return box.type === "sidx" && "references" in box;
}

function parse(head: Uint8Array<ArrayBuffer>, file: string): ISOFile {
  const iso = createFile();
  // A copy: the parser keeps the buffer, and a Node buffer may be a window on a shared pool.
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(head.slice().buffer, 0));
  if (head.length > 8 && iso.boxes.length === 0) throw new OriginError("asset_unusable", `${file} is not an MP4 file`);
  return iso;
}

function fragmentsOf(segmentIndex: SegmentIndex, file: string): Fragment[] {
  let time = segmentIndex.earliest_presentation_time;
  let offset = (segmentIndex.start ?? 0) + segmentIndex.size + segmentIndex.first_offset;
  return segmentIndex.references.map((reference) => {
    if (reference.reference_type !== 0) throw new OriginError("asset_unusable", `${file} has an index of indexes; write one global sidx`);
    const fragment = { time, duration: reference.subsegment_duration, offset, size: reference.referenced_size };
    time += fragment.duration;
    offset += fragment.size;
    return fragment;
  });
}

function size({ width, height }: { readonly width: number; readonly height: number }): { width: number; height: number } {
  return { width, height };
}

/** Pictures in the first fragment over its duration; exact where the rate is constant. */
function frameRateOf(iso: ISOFile, segmentIndex: SegmentIndex): VideoShape["frameRate"] {
  const runs = iso.moofs?.[0]?.trafs[0]?.truns ?? [];
  const pictures = runs.reduce((sum, { sample_count: count }) => sum + count, 0);
  const duration = segmentIndex.references[0]?.subsegment_duration ?? 0;
  if (pictures === 0 || duration === 0) return null;
  const numerator = pictures * segmentIndex.timescale;
  const divisor = greatestCommonDivisor(numerator, duration);
  return { numerator: numerator / divisor, denominator: duration / divisor };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
