/** Pure: what ffmpeg and ffprobe are told. Inputs come from anybody: only files are read, and only as what a video or audio file can be. */
import type { Clip } from "../management/jobInputs.ts";
import type { AudioRung, EncodingPlan, VideoRung } from "./rungs.ts";
import { PROBED, type Source } from "./source.ts";

/** No playlists, which name other files, and no pictures or scripts. */
const FORMATS = "mov,mp4,m4a,3gp,matroska,webm,mpegts,mpeg,avi,flv,asf,ogg,mp3,wav,aac,flac,mxf";
const SAFE = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS];
/** Seconds of processor time: ends an encoder whose sandbox was killed outright and cannot end it. */
const CPU_LIMIT_S = 900;
/** What the streaming endpoint serves: one track per file, a global index at the start. */
const FRAGMENTED = "+cmaf+global_sidx+skip_trailer";

export interface Rendition {
  readonly kind: "video" | "audio";
  readonly file: string;
}

/** The files of a plan, without their folder, in the order of `encodeArguments`. */
export function renditionsOf({ video, audio }: EncodingPlan, name: string): Rendition[] {
  return [
    ...video.map(({ width, height, bitrate }): Rendition => ({
      kind: "video",
      file: `${name}_${width}x${height}_${Math.round(bitrate / 1000)}.mp4`,
    })),
    ...(audio === null ? [] : [{ kind: "audio", file: `${name}_audio_${Math.round(audio.bitrate / 1000)}.mp4` } as const]),
  ];
}

export function probeArguments(input: string): string[] {
  return ["-v", "error", ...SAFE, "-show_entries", PROBED, "-of", "json", input];
}

export interface EncodeOrder {
  readonly input: string;
  readonly source: Source;
  readonly plan: EncodingPlan;
  readonly clip: Pick<Clip, "startS" | "endS">;
  /** As `renditionsOf` names them, with their folder. */
  readonly files: readonly string[];
}

/** Writes progress to standard output. One thread: the machine has other things to do. */
export function encodeArguments({ input, source, plan, clip, files }: EncodeOrder): string[] {
  const { video, audio, gopS } = plan;
  const range = [...(clip.startS === null ? [] : ["-ss", String(clip.startS)]), ...(clip.endS === null ? [] : ["-to", String(clip.endS)])];
  const head = [
    "-hide_banner",
    "-nostdin",
    "-v",
    "error",
    "-y",
    "-progress",
    "pipe:1",
    "-nostats",
    "-timelimit",
    String(CPU_LIMIT_S),
    "-filter_threads",
    "1",
  ];
  const outputs = [
    ...video.flatMap((rung, at) => videoOutput(rung, at, gopS, files[at] ?? "")),
    ...(audio === null ? [] : audioOutput(audio, gopS, files[video.length] ?? "")),
  ];
  const graph = video.length === 0 ? [] : ["-filter_complex", pictures(video, source)];
  return [...head, ...SAFE, ...range, "-i", input, ...graph, ...outputs];
}

/** A constant rate from 0 on, so that the fragments of all renditions begin at the same times. */
function pictures(video: readonly VideoRung[], source: Source): string {
  const rate = Math.round((source.video?.framesPerSecond ?? 25) * 1000);
  const split = `[0:v:0]fps=fps=${rate}/1000:start_time=0,split=${video.length}${video.map((_, at) => `[s${at}]`).join("")}`;
  return [split, ...video.map(({ width, height }, at) => `[s${at}]scale=${width}:${height},setsar=1,format=yuv420p[v${at}]`)].join(";");
}

function videoOutput({ bitrate }: VideoRung, at: number, gopS: number, file: string): string[] {
  const rate = ["-b:v", String(bitrate), "-maxrate", String(Math.round(bitrate * 1.2)), "-bufsize", String(bitrate * 2)];
  const gop = ["-force_key_frames", `expr:gte(t,n_forced*${gopS})`, "-g", "9999", "-sc_threshold", "0", "-bf", "0", "-flags:v", "+cgop"];
  const codec = ["-c:v", "libx264", "-profile:v", "main", "-preset", "veryfast", "-threads", "1"];
  return ["-map", `[v${at}]`, ...codec, ...gop, ...rate, ...TAIL, "-movflags", `${FRAGMENTED}+frag_keyframe`, "-f", "mp4", file];
}

function audioOutput({ bitrate, channels }: AudioRung, gopS: number, file: string): string[] {
  // The encoder's 1024 samples of delay are left in, so that the track starts at 0 and needs no edit list.
  const codec = [
    "-af",
    "aresample=48000:async=1:first_pts=0",
    "-c:a",
    "aac",
    "-b:a",
    String(bitrate),
    "-ac",
    String(channels),
    "-bsf:a",
    "setts=ts=TS+1024",
  ];
  const fragments = ["-frag_duration", String(gopS * 1_000_000), "-movflags", FRAGMENTED];
  return ["-map", "0:a:0", ...codec, ...TAIL, ...fragments, "-f", "mp4", file];
}

const TAIL = ["-map_metadata", "-1", "-map_chapters", "-1"];

/** Seconds that are to be encoded; null where they are not known. */
export function lengthOf({ durationS }: Source, { startS, endS }: Pick<Clip, "startS" | "endS">): number | null {
  const end = Math.min(durationS ?? Infinity, endS ?? Infinity);
  return Number.isFinite(end) ? Math.max(0, end - (startS ?? 0)) : null;
}

/** Seconds that are encoded, of a line of ffmpeg's progress; null for any other line. */
export function encodedSeconds(line: string): number | null {
  const microseconds = /^out_time_us=(\d+)$/.exec(line)?.[1];
  return microseconds === undefined ? null : Number(microseconds) / 1_000_000;
}
