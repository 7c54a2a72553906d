/** The six streaming policies that every account has, as the SDK shows them. */
import type { StreamingPolicy, TreeObject } from "../../src/core/media.ts";

type Protocol = "download" | "dash" | "hls" | "smoothStreaming";

function protocols(...enabled: readonly Protocol[]): TreeObject {
  const on = (protocol: Protocol): boolean => enabled.includes(protocol);
  return { download: on("download"), dash: on("dash"), hls: on("hls"), smoothStreaming: on("smoothStreaming") };
}

function keys(label: string): TreeObject {
  return { defaultKey: { label }, keyToTrackMappings: [] };
}

const CENC: TreeObject = {
  enabledProtocols: protocols("dash", "smoothStreaming"),
  clearTracks: [],
  contentKeys: keys("cencKeyDefault"),
  drm: { playReady: {}, widevine: {} },
};

const CBCS: TreeObject = {
  enabledProtocols: protocols("hls"),
  clearTracks: [],
  contentKeys: keys("cbcsKeyDefault"),
  drm: { fairPlay: { allowPersistentLicense: false } },
};

export const PREDEFINED_POLICIES: readonly StreamingPolicy[] = [
  {
    name: "Predefined_ClearKey",
    properties: {
      envelopeEncryption: {
        enabledProtocols: protocols("dash", "hls", "smoothStreaming"),
        clearTracks: [],
        contentKeys: keys("clearKeyDefault"),
      },
    },
  },
  {
    name: "Predefined_ClearStreamingOnly",
    properties: { noEncryption: { enabledProtocols: protocols("dash", "hls", "smoothStreaming") } },
  },
  {
    name: "Predefined_DownloadAndClearStreaming",
    properties: { noEncryption: { enabledProtocols: protocols("download", "dash", "hls", "smoothStreaming") } },
  },
  { name: "Predefined_DownloadOnly", properties: { noEncryption: { enabledProtocols: protocols("download") } } },
  { name: "Predefined_MultiDrmCencStreaming", properties: { commonEncryptionCenc: CENC } },
  { name: "Predefined_MultiDrmStreaming", properties: { commonEncryptionCenc: CENC, commonEncryptionCbcs: CBCS } },
];
