/**
 * `listPaths`: one entry for every enabled protocol of every scheme of the policy, in the service's order. Paths are listed for what the
 * sandbox's streaming endpoint serves (HLS and DASH in CMAF, clear or with envelope encryption); the other entries stay without paths, as
 * they do in the service for an asset without files.
 */
import type { JsonObject } from "../contracts.ts";
import { isObject, objectField } from "./fields.ts";
import { ENCRYPTIONS } from "./locatorKeys.ts";

const SCHEMES = [{ policyField: "noEncryption", type: "NoEncryption" }, ...ENCRYPTIONS] as const;
const PROTOCOLS = [
  { policyField: "hls", name: "Hls", format: "m3u8-cmaf" },
  { policyField: "dash", name: "Dash", format: "mpd-time-cmaf" },
  { policyField: "smoothStreaming", name: "SmoothStreaming", format: null },
] as const;
const SERVED: Readonly<Record<string, string>> = { NoEncryption: "", EnvelopeEncryption: ",encryption=cbc" };

/** `manifestName` is the name of the asset's server manifest without `.ism`, null where there is none. */
export function streamingPaths(policy: JsonObject, locatorId: string, manifestName: string | null): JsonObject {
  const streaming = SCHEMES.flatMap(({ policyField, type }) => {
    const scheme = policy[policyField];
    if (!isObject(scheme)) return [];
    const enabled = objectField(scheme, "enabledProtocols");
    return PROTOCOLS.filter((protocol) => enabled[protocol.policyField] === true).map(({ name, format }) => ({
      streamingProtocol: name,
      encryptionScheme: type,
      paths: paths(locatorId, manifestName, format, SERVED[type]),
    }));
  });
  return { streamingPaths: streaming, downloadPaths: [] };
}

function paths(locatorId: string, manifestName: string | null, format: string | null, encryption: string | undefined): string[] {
  if (manifestName === null || format === null || encryption === undefined) return [];
  return [`/${locatorId}/${manifestName}.ism/manifest(format=${format}${encryption})`];
}
