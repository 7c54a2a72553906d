/** Looks at what one region has of a pair of live events. Changes nothing. */
import { liveName } from "../../core/live.ts";
import type { MediaAsset } from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { LiveRegion } from "./deps.ts";
import type { RegionLook } from "./pairing.ts";

export async function lookAtRegion({ live, media }: LiveRegion, name: string, signal: AbortSignal): Promise<RegionLook> {
  const own = liveName(name);
  const event = await live.event(name, signal);
  const outputs = event === null ? [] : await live.outputs(name, signal);
  const output = outputs.find((each) => each.name.toLowerCase() === own.toLowerCase()) ?? null;
  const asset = await media.asset(own, signal);
  const hasRecording = asset !== null && output === null && (await isFilled(media, asset, signal));
  return { event, output, asset, hasRecording, locator: await media.locator(own, signal) };
}

async function isFilled(media: MediaAccount, asset: MediaAsset, signal: AbortSignal): Promise<boolean> {
  for await (const _blob of media.container(asset, "read").list(signal)) return true;
  return false;
}
