/** Pure: a `StandardEncoderPreset` as renditions. H.264 and AAC into MP4 files; what else the service can do is refused, not left out. */
import type { JsonObject } from "../contracts.ts";
import { objectField, objectsField, textField } from "../management/fields.ts";
import { EncodingFailure } from "../management/jobErrors.ts";
import {
  bitrateFor,
  DEFAULT_GOP_S,
  even,
  numberField,
  sized,
  unsupported,
  type AudioRung,
  type EncodingPlan,
  type VideoRung,
} from "./rungs.ts";
import type { Source } from "./source.ts";

const AAC_BITRATE = 128_000;
const MOST_LAYERS = 6;

/** Throws `ConfigurationUnsupported`. */
export function customPlan(preset: JsonObject, source: Source): EncodingPlan {
  refuseOthers(preset);
  const codecs = objectsField(preset, "codecs");
  const h264 = codecs.find((codec) => kind(codec) === "H264Video");
  const aac = codecs.find((codec) => kind(codec) === "AacAudio");
  const plan = {
    video: h264 === undefined || source.video === null ? [] : layers(h264, source.video),
    audio: aac === undefined || source.audio === null ? null : audioOf(aac, source.audio),
    gopS: seconds(h264),
  };
  if (plan.video.length > 0 || plan.audio !== null) return plan;
  throw new EncodingFailure("ConfigurationUnsupported", "the input has nothing that the preset's codecs encode");
}

const FORMATS = ["Mp4Format", "MultiBitrateFormat"];
const CODECS = ["H264Video", "AacAudio"];

function refuseOthers(preset: JsonObject): void {
  if (Object.keys(objectField(preset, "filters")).length > 0) throw unsupported("filters and overlays");
  const format = objectsField(preset, "formats")
    .map(kind)
    .find((name) => !FORMATS.includes(name));
  if (format !== undefined) throw unsupported(`the format ${format}`);
  const codec = objectsField(preset, "codecs")
    .map(kind)
    .find((name) => !CODECS.includes(name));
  if (codec !== undefined) throw unsupported(`the codec ${codec}`);
}

function kind(item: JsonObject): string {
  return textField(item, "@odata.type")?.split(".").at(-1) ?? "";
}

function layers(codec: JsonObject, video: NonNullable<Source["video"]>): VideoRung[] {
  const wanted = objectsField(codec, "layers");
  if (wanted.length > MOST_LAYERS) throw unsupported(`more than ${MOST_LAYERS} layers`);
  const rungs = (wanted.length === 0 ? [{}] : wanted).map((layer) => layerOf(layer, video));
  return rungs.toSorted((one, other) => other.height - one.height || other.bitrate - one.bitrate);
}

function layerOf(layer: JsonObject, video: NonNullable<Source["video"]>): VideoRung {
  const [width, height] = [length(layer, "width", video.width), length(layer, "height", video.height)];
  const fallback = height ?? (width === null ? video.height : (video.height * width) / video.width);
  const size = width === null || height === null ? sized(video, fallback) : { width: even(width), height: even(height) };
  return { ...size, bitrate: numberField(layer, "bitrate") ?? Math.round(bitrateFor(size.height)) };
}

/** Pixels, or percent of the source's: `50%`. */
function length(layer: JsonObject, name: string, whole: number): number | null {
  const text = textField(layer, name);
  if (text === null || text === "") return null;
  const value = text.endsWith("%") ? (whole * Number(text.slice(0, -1))) / 100 : Number(text);
  if (value >= 16 && value <= 4096) return value;
  throw new EncodingFailure("ConfigurationUnsupported", `the ${name} '${text}' of a layer is not 16 to 4096 pixels`);
}

function audioOf(codec: JsonObject, audio: NonNullable<Source["audio"]>): AudioRung {
  const channels = Math.min(numberField(codec, "channels") ?? 2, audio.channels, 2);
  return { bitrate: numberField(codec, "bitrate") ?? AAC_BITRATE, channels };
}

/** `PT2S`. */
function seconds(codec: JsonObject | undefined): number {
  const text = codec === undefined ? null : textField(codec, "keyFrameInterval");
  if (text === null) return DEFAULT_GOP_S;
  const value = Number(/^PT(\d+(?:\.\d+)?)S$/.exec(text)?.[1] ?? Number.NaN);
  if (value >= 0.5 && value <= 20) return value;
  throw new EncodingFailure("ConfigurationUnsupported", `the keyFrameInterval '${text}' is not PT0.5S to PT20S`);
}
