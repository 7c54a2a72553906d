/** Pure: the renditions that an encoding makes. */
import type { JsonObject } from "../contracts.ts";
import { EncodingFailure } from "../management/jobErrors.ts";

export interface VideoRung {
  readonly width: number;
  readonly height: number;
  /** Bits per second. */
  readonly bitrate: number;
}

export interface AudioRung {
  readonly bitrate: number;
  readonly channels: number;
}

export interface EncodingPlan {
  /** The highest first. */
  readonly video: readonly VideoRung[];
  readonly audio: AudioRung | null;
  /** Seconds between key frames: the length of the groups of pictures, and of the fragments. */
  readonly gopS: number;
}

export const DEFAULT_GOP_S = 2;

/** Bits per second by height, for usual pictures of 25 or 30 frames per second. */
const BITRATES = [
  { height: 1080, bitrate: 3_000_000 },
  { height: 720, bitrate: 1_500_000 },
  { height: 480, bitrate: 800_000 },
  { height: 360, bitrate: 500_000 },
  { height: 240, bitrate: 250_000 },
  { height: 144, bitrate: 100_000 },
] as const;

export const HEIGHTS: readonly number[] = BITRATES.map(({ height }) => height);

/** Between two of the table by the area of the picture. */
export function bitrateFor(height: number): number {
  const above = BITRATES.findLast((rung) => rung.height >= height) ?? BITRATES[0];
  return above.bitrate * Math.min(1, (height / above.height) ** 2);
}

/** With the source's proportions. */
export function sized(video: { readonly width: number; readonly height: number }, height: number): { width: number; height: number } {
  return { width: even((video.width * height) / video.height), height: even(height) };
}

/** 4:2:0 needs even lengths. */
export function even(length: number): number {
  return Math.max(2, Math.round(length / 2) * 2);
}

export function unsupported(what: string): EncodingFailure {
  return new EncodingFailure("ConfigurationUnsupported", `the sandbox does not do ${what}`);
}

export function numberField(from: JsonObject, name: string): number | null {
  const value = from[name];
  return typeof value === "number" ? value : null;
}
