/**
 * Pure: from a preset and a source to the renditions that are made. A small ladder: the sandbox shows how encoding behaves, not how well it
 * can be done.
 */
import type { JsonObject } from "../contracts.ts";
import { objectField, textField } from "../management/fields.ts";
import { EncodingFailure } from "../management/jobErrors.ts";
import { customPlan } from "./customPreset.ts";
import { bitrateFor, DEFAULT_GOP_S, HEIGHTS, numberField, sized, unsupported, type EncodingPlan, type VideoRung } from "./rungs.ts";
import type { Source } from "./source.ts";

interface Shape {
  readonly maxHeight: number;
  readonly layers: number;
}

const MOST_LAYERS = 3;
const LEAST_BITRATE = 40_000;
/** Between one rung of a poor source and the next. */
const STEP = 1.6;
const AUDIO_BITRATE = 96_000;
const GOOD_AUDIO_BITRATE = 192_000;

/** Of the service's presets, those that make H.264 and AAC. */
const SHAPES: Readonly<Record<string, Shape>> = {
  AdaptiveStreaming: { maxHeight: 1080, layers: MOST_LAYERS },
  ContentAwareEncoding: { maxHeight: 1080, layers: MOST_LAYERS },
  ContentAwareEncodingExperimental: { maxHeight: 1080, layers: MOST_LAYERS },
  H264MultipleBitrate1080p: { maxHeight: 1080, layers: MOST_LAYERS },
  H264MultipleBitrate720p: { maxHeight: 720, layers: MOST_LAYERS },
  H264MultipleBitrateSD: { maxHeight: 480, layers: MOST_LAYERS },
  H264SingleBitrate1080p: { maxHeight: 1080, layers: 1 },
  H264SingleBitrate720p: { maxHeight: 720, layers: 1 },
  H264SingleBitrateSD: { maxHeight: 480, layers: 1 },
};

/** Throws `ConfigurationUnsupported` for what the sandbox cannot make, or not of this source. */
export function planOf(preset: JsonObject, source: Source): EncodingPlan {
  const type = textField(preset, "@odata.type")?.split(".").at(-1) ?? "";
  if (type === "StandardEncoderPreset") return customPlan(preset, source);
  if (type !== "BuiltInStandardEncoderPreset") throw unsupported(`presets of the type '${type}': it encodes, and analyses nothing`);
  const name = textField(preset, "presetName") ?? "";
  if (name === "AACGoodQualityAudio") return audioOnly(source);
  const shape = SHAPES[name];
  if (shape === undefined) throw unsupported(`the preset ${name}: it makes H.264 and AAC`);
  return adaptive(shape, source, objectField(preset, "configurations"));
}

function audioOnly({ audio }: Source): EncodingPlan {
  if (audio === null) throw new EncodingFailure("ConfigurationUnsupported", "the input has no audio");
  return { video: [], audio: { bitrate: GOOD_AUDIO_BITRATE, channels: Math.min(audio.channels, 2) }, gopS: DEFAULT_GOP_S };
}

function adaptive(shape: Shape, source: Source, wishes: JsonObject): EncodingPlan {
  const { audio } = source;
  return {
    video: source.video === null ? [] : ladder(source.video, source.bitrate, wished(shape, wishes), wishes),
    audio: audio === null ? null : { bitrate: AUDIO_BITRATE, channels: Math.min(audio.channels, 2) },
    gopS: numberField(wishes, "keyFrameIntervalInSeconds") ?? DEFAULT_GOP_S,
  };
}

function wished({ maxHeight, layers }: Shape, wishes: JsonObject): Shape {
  return {
    maxHeight: Math.min(maxHeight, numberField(wishes, "maxHeight") ?? Infinity),
    layers: Math.max(1, Math.min(layers, numberField(wishes, "maxLayers") ?? Infinity)),
  };
}

/** From the source's own height, or the highest allowed, downwards; never larger, and hardly ever more bits, than the source. */
function ladder(video: NonNullable<Source["video"]>, sourceBitrate: number | null, shape: Shape, wishes: JsonObject): VideoRung[] {
  const top = Math.min(video.height, shape.maxHeight);
  const least = numberField(wishes, "minHeight") ?? 0;
  const floor = Math.max(LEAST_BITRATE, numberField(wishes, "minBitrateBps") ?? 0);
  const most = Math.min(numberField(wishes, "maxBitrateBps") ?? Infinity, sourceBitrate ?? Infinity);
  const lower = HEIGHTS.filter((height) => height < top * 0.9 && height >= least);
  return [top, ...lower].slice(0, shape.layers).map((height, at) => ({
    ...sized(video, height),
    bitrate: Math.round(Math.max(floor, Math.min(bitrateFor(height), most / STEP ** at))),
  }));
}
