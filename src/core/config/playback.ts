/** What players get for a manifest: a redirect, or the manifest itself with every region in it or under the gateway's own path. */
import { z } from "zod";
import { duration, durationFrom } from "./units.ts";

/**
 * - `redirect` 302 to the region: the next viewer is saved, the one who is watching is not
 * - `steer` the manifest with every region, best first, and content steering: the player goes on at another region by itself
 * - `anchor` the manifest under the gateway's own path, so that every later request comes back and is redirected by itself
 */
export const playback = z.enum(["redirect", "steer", "anchor"]);

/** Content steering of routes with `playback: steer`. */
export const steering = z
  .strictObject({
    /** After how long players ask again which region is best. */
    ttl: durationFrom(1_000).prefault("30s"),
    /** The same while a region is ill or returning. */
    incidentTtl: durationFrom(1_000).prefault("5s"),
    /** Whether the gateway's own path stands last in every list, as the way out where all regions fail a player. */
    anchorLast: z.boolean().prefault(true),
  })
  .prefault({});

/** Manifests that the gateway reads itself, for `steer` and `anchor`. */
export const manifests = z
  .strictObject({
    /** How many are kept, and how many bytes of them at most, as they were read and again as they are answered. */
    entries: z.int().min(10).max(1_000_000).prefault(1_000),
    cacheBytes: z.int().min(1_000_000).prefault(64_000_000),
    /** Larger ones are redirected. */
    maxBytes: z.int().min(10_000).max(64_000_000).prefault(4_000_000),
    /** For one region. */
    timeout: durationFrom(50).prefault("2s"),
    /** Time after which a region that has not answered gets company: the next one is asked, too, and the first good answer counts. 0s: never. */
    hedge: duration.prefault("300ms"),
    /** How long one that does not change is used without asking again; a live one for a second at most. */
    freshFor: duration.prefault("1m"),
  })
  .prefault({});

export type PlaybackMode = z.output<typeof playback>;
export type ManifestsConfig = z.output<typeof manifests>;

interface PlaybackSettings {
  readonly playback: PlaybackMode;
  readonly routes: readonly { readonly playback?: PlaybackMode | undefined }[];
}

/** The default, and what routes have instead of it. */
function modes({ playback: usual, routes }: PlaybackSettings): readonly (PlaybackMode | undefined)[] {
  return [usual, ...routes.map((route) => route.playback)];
}

/** Whether any route steers. */
export function steersManifests(settings: PlaybackSettings): boolean {
  return modes(settings).includes("steer");
}

/** Whether any route answers manifests itself: steers or anchors. */
export function rewritesManifests(settings: PlaybackSettings): boolean {
  return modes(settings).some((mode) => mode === "steer" || mode === "anchor");
}
