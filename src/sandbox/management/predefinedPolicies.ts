/** The six streaming policies that every account has. */
import type { JsonObject } from "../contracts.ts";
import type { StreamingPolicyRecord } from "./records.ts";

type Protocol = "download" | "dash" | "hls" | "smoothStreaming";

export const PREDEFINED_PREFIX = "Predefined_";
const CREATED = "2018-03-19T06:06:06Z";

function protocols(...enabled: readonly Protocol[]): JsonObject {
  const on = (protocol: Protocol) => enabled.includes(protocol);
  return { download: on("download"), dash: on("dash"), hls: on("hls"), smoothStreaming: on("smoothStreaming") };
}

function encrypted(label: string, enabledProtocols: JsonObject): JsonObject {
  return { enabledProtocols, clearTracks: [], contentKeys: { defaultKey: { label }, keyToTrackMappings: [] } };
}

function predefined(name: string, properties: JsonObject): StreamingPolicyRecord {
  return { name: `${PREDEFINED_PREFIX}${name}`, properties: { created: CREATED, ...properties }, stamp: null };
}

const CENC: JsonObject = {
  ...encrypted("cencKeyDefault", protocols("dash", "smoothStreaming")),
  drm: { playReady: {}, widevine: {} },
};
const CBCS: JsonObject = { ...encrypted("cbcsKeyDefault", protocols("hls")), drm: { fairPlay: { allowPersistentLicense: false } } };

export const predefinedPolicies: readonly StreamingPolicyRecord[] = [
  predefined("ClearKey", { envelopeEncryption: encrypted("clearKeyDefault", protocols("dash", "hls", "smoothStreaming")) }),
  predefined("ClearStreamingOnly", { noEncryption: { enabledProtocols: protocols("dash", "hls", "smoothStreaming") } }),
  predefined("DownloadAndClearStreaming", { noEncryption: { enabledProtocols: protocols("download", "dash", "hls", "smoothStreaming") } }),
  predefined("DownloadOnly", { noEncryption: { enabledProtocols: protocols("download") } }),
  predefined("MultiDrmCencStreaming", { commonEncryptionCenc: CENC }),
  predefined("MultiDrmStreaming", { commonEncryptionCenc: CENC, commonEncryptionCbcs: CBCS }),
];
