/** The steering manifest (draft-pantos-content-steering §4; ETSI TS 103 998 §6). Pure. */
import type { SteeringProtocol } from "./session.ts";

/**
 * Of HLS, the type that Apple's authoring specification asks for; of DASH, what its examples have. WebKit takes both for HLS, and every player
 * that was read takes any.
 */
export const CONTENT_TYPES: Readonly<Record<SteeringProtocol, string>> = {
  hls: "application/vnd.apple.steering-list",
  dash: "application/json",
};

/** `priority` is a JSON list. Without clones: they break in most players, and an empty list of them breaks Media3. */
export function steeringManifest(ttlSeconds: number, reloadUri: string, priority: string): string {
  return `{"VERSION":1,"TTL":${ttlSeconds},"RELOAD-URI":${JSON.stringify(reloadUri)},"PATHWAY-PRIORITY":${priority}}`;
}
