/**
 * EXT-X-CONTENT-STEERING with its first steering manifest inline: so no player waits for, or is broken by, a steering server that fails when
 * playback begins, and asks the gateway when the TTL has passed (draft-pantos-hls-rfc8216bis §4.4.6.6, draft-pantos-content-steering). Pure.
 */
import { attributeValue, parseAttributes } from "./attributes.ts";

export const STEERING_TAG = "#EXT-X-CONTENT-STEERING";
const INLINE = "data:application/json;base64,";

export interface SteeringManifest {
  readonly ttlSeconds: number;
  readonly reloadUri: string;
  /** Best first. */
  readonly priority: readonly string[];
}

export function steeringLine({ ttlSeconds, reloadUri, priority }: SteeringManifest): string {
  const json = JSON.stringify({
    VERSION: 1,
    TTL: ttlSeconds,
    "RELOAD-URI": new URL(reloadUri).href,
    "PATHWAY-PRIORITY": priority,
  });
  return `${STEERING_TAG}:SERVER-URI="${INLINE}${btoa(json)}",PATHWAY-ID="${priority[0] ?? ""}"`;
}

/** Whether a line is `steeringLine`'s for the endpoint at `reloadUri`, whatever its query and the priority. */
export function isOwnSteering(line: string, reloadUri: string): boolean {
  const server = attributeValue(parseAttributes(line) ?? [], "SERVER-URI");
  if (server === null || !server.startsWith(INLINE)) return false;
  const reload = reloadUriOf(server.slice(INLINE.length));
  return reload !== null && endpoint(reload) === endpoint(reloadUri);
}

function reloadUriOf(base64: string): string | null {
  try {
    const manifest: unknown = JSON.parse(atob(base64));
    const reload = typeof manifest === "object" && manifest !== null && "RELOAD-URI" in manifest ? manifest["RELOAD-URI"] : null;
    return typeof reload === "string" && URL.canParse(reload) ? reload : null;
  } catch {
    return null;
  }
}

function endpoint(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
