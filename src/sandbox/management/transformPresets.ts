/** Pure: presets of transforms and jobs, as the specification of encoding names them. They are kept as sent, apart from what the service fills in. */
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { isObject, objectsField, requiredText } from "./fields.ts";

const TYPE = "@odata.type";
const PREFIX = "#Microsoft.Media.";

export const PRESET_NAMES = [
  "H264SingleBitrateSD",
  "H264SingleBitrate720p",
  "H264SingleBitrate1080p",
  "AdaptiveStreaming",
  "AACGoodQualityAudio",
  "DDGoodQualityAudio",
  "ContentAwareEncodingExperimental",
  "ContentAwareEncoding",
  "CopyAllBitrateNonInterleaved",
  "H264MultipleBitrate1080p",
  "H264MultipleBitrate720p",
  "H264MultipleBitrateSD",
  "H265ContentAwareEncoding",
  "H265AdaptiveStreaming",
  "H265SingleBitrate720p",
  "H265SingleBitrate1080p",
  "H265SingleBitrate4K",
] as const;

const KNOWN: readonly string[] = PRESET_NAMES;
const TYPES = ["BuiltInStandardEncoderPreset", "StandardEncoderPreset", "AudioAnalyzerPreset", "VideoAnalyzerPreset", "FaceDetectorPreset"];

/** Throws 400 for what is no preset of the service. */
export function storedPreset(preset: JsonObject): JsonObject {
  const type = requiredText(preset, TYPE);
  if (!TYPES.some((known) => type === `${PREFIX}${known}`)) throw badRequest(`The type '${type}' is not a known preset.`);
  if (type === `${PREFIX}BuiltInStandardEncoderPreset`) checkName(requiredText(preset, "presetName"));
  if (type === `${PREFIX}StandardEncoderPreset`) checkCodecs(preset);
  const codecs = preset["codecs"] === undefined ? {} : { codecs: objectsField(preset, "codecs").map(storedCodec) };
  return { ...preset, ...codecs };
}

function checkName(name: string): void {
  if (!KNOWN.includes(name)) throw badRequest(`The preset '${name}' is not known.`);
}

function checkCodecs(preset: JsonObject): void {
  for (const name of ["codecs", "formats"]) {
    const items = objectsField(preset, name);
    if (items.length === 0) throw badRequest(`A value for '${name}' is required.`);
    for (const item of items) requiredText(item, TYPE);
  }
}

/** H.264 codecs come back with synchronisation, rate control and, per layer, a constant rate factor. */
function storedCodec(codec: JsonObject): JsonObject {
  if (codec[TYPE] !== "#Microsoft.Media.H264Video") return codec;
  const layers = objectsField(codec, "layers").map((layer: JsonObject): Json => (isObject(layer) ? { crf: 23, ...layer } : layer));
  return { syncMode: "Auto", rateControlMode: "ABR", ...codec, layers };
}
