/**
 * In place of the gateway: the bed in which the real players were measured. Both regions stand in a hand-written manifest, with or without content
 * steering, whose list changes two seconds after the loss. What the model does here can be held against what was seen of the players.
 */
import { serve } from "./origin.ts";
import { GATEWAY } from "./network.ts";
import { REGION_NAMES, SITES } from "./regions.ts";
import type { Gateway, GatewayParts } from "./gateway.ts";

/** `redirect`: 302 to region A. `listed`: both regions in the manifest and nobody who steers. `steer`: both, steered. */
export type Bed = "redirect" | "listed" | "steer";

/** Seconds, as in the experiment. */
const TTL = 5;
const NOTICED_MS = 2_000;

/** The first region is lost `lostAfterMs` after the first viewer has asked for a manifest. */
export function laboratory(bed: Bed, lostAfterMs: number): (parts: GatewayParts) => Gateway {
  return ({ clock }) => {
    let beganAt: number | null = null;
    const noticed = (): boolean => beganAt !== null && clock.monotonic() >= beganAt + lostAfterMs + NOTICED_MS;
    const ask: Gateway["ask"] = async (url) => {
      const { pathname } = new URL(url);
      beganAt ??= clock.monotonic();
      if (pathname.startsWith("/steering/")) return Promise.resolve({ status: 200, location: null, text: steeringManifest(noticed()) });
      if (bed === "redirect")
        return Promise.resolve({ status: 302, location: SITES[noticed() ? "northeurope" : "westeurope"] + pathname, text: "" });
      return Promise.resolve({ status: 200, location: null, text: manifest(pathname, bed) });
    };
    return { ask, isIll: noticed, probedAt: () => 0, stop: async () => Promise.resolve() };
  };
}

function steeringManifest(noticed: boolean): string {
  const [a, b] = REGION_NAMES;
  return JSON.stringify({ VERSION: 1, TTL, "RELOAD-URI": `${GATEWAY}/steering/list`, "PATHWAY-PRIORITY": noticed ? [b, a] : [a, b] });
}

function manifest(path: string, bed: "listed" | "steer"): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (path.endsWith(".mpd")) return mpd(path, folder, bed);
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7"];
  if (bed === "steer") lines.push(`#EXT-X-CONTENT-STEERING:SERVER-URI="${GATEWAY}/steering/list",PATHWAY-ID="${REGION_NAMES[0]}"`);
  for (const name of REGION_NAMES) {
    const at = SITES[name] + folder;
    const pathway = bed === "steer" ? `,PATHWAY-ID="${name}"` : `,PATHWAY-ID="${name === REGION_NAMES[0] ? "." : ".."}"`;
    lines.push(`#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac-${name}",NAME="English",DEFAULT=YES,AUTOSELECT=YES,URI="${at}a1.m3u8"`);
    for (const [variant, bandwidth] of VARIANTS) {
      lines.push(
        `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="avc1.4d401e,mp4a.40.2",AUDIO="aac-${name}"${pathway}`,
        `${at}${variant}.m3u8`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

const VARIANTS = [
  ["v1", 696_000],
  ["v2", 1_596_000],
] as const;

function mpd(path: string, folder: string, bed: "listed" | "steer"): string {
  const text = Buffer.from(serve(path, 0, 0)?.body ?? "").toString("utf8");
  const places = REGION_NAMES.map((name) => `<BaseURL serviceLocation="${name}">${SITES[name]}${folder}</BaseURL>`).join("");
  const tag = `<ContentSteering defaultServiceLocation="${REGION_NAMES[0]}" queryBeforeStart="true">${GATEWAY}/steering/list</ContentSteering>`;
  return text.replace("<Period", `${places}<Period`).replace("</Period>", bed === "steer" ? `</Period>${tag}` : "</Period>");
}
