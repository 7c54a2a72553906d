/** Pure: what is to be encoded, as ffprobe describes it. */
import { z } from "zod";
import { EncodingFailure } from "../management/jobErrors.ts";

export interface Source {
  /** Null where it is not known. */
  readonly durationS: number | null;
  /** Of the whole file, bits per second; null where it is not known. */
  readonly bitrate: number | null;
  readonly video: { readonly width: number; readonly height: number; readonly framesPerSecond: number } | null;
  readonly audio: { readonly channels: number } | null;
}

const stream = z.object({
  codec_type: z.string().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  avg_frame_rate: z.string().optional(),
  channels: z.number().optional(),
  disposition: z.object({ attached_pic: z.number().optional() }).optional(),
});
const description = z.object({
  streams: z.array(stream).prefault([]),
  format: z.object({ duration: z.coerce.number().optional(), bit_rate: z.coerce.number().optional() }).prefault({}),
});

/** What ffprobe is to show. */
export const PROBED = "stream=codec_type,width,height,avg_frame_rate,channels:stream_disposition=attached_pic:format=duration,bit_rate";

const MOST_FRAMES_PER_SECOND = 60;

/** Throws `ContentUnsupported` for what has neither picture nor sound. */
export function parseSource(json: string): Source {
  const { streams, format } = description.parse(JSON.parse(json));
  // The cover of a song is no video.
  const video = streams.find(({ codec_type: type, disposition }) => type === "video" && disposition?.attached_pic !== 1);
  const audio = streams.find(({ codec_type: type }) => type === "audio");
  if (video === undefined && audio === undefined) throw new EncodingFailure("ContentUnsupported", "the input has neither video nor audio");
  return {
    durationS: format.duration ?? null,
    bitrate: format.bit_rate ?? null,
    video:
      video === undefined ? null : { width: video.width ?? 0, height: video.height ?? 0, framesPerSecond: frameRate(video.avg_frame_rate) },
    audio: audio === undefined ? null : { channels: audio.channels ?? 2 },
  };
}

/** `30000/1001`; 25 where it is not told. */
function frameRate(text = ""): number {
  const [numerator = 0, denominator = 1] = text.split("/").map(Number);
  const rate = numerator / denominator;
  return Number.isFinite(rate) && rate > 0 ? Math.min(rate, MOST_FRAMES_PER_SECOND) : 25;
}
