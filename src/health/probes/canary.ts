/** What to ask a region for: the canary of the configuration, else a video that was verified there lately. */
import type { Canary, CanaryKey } from "../../core/contracts.ts";
import type { RegionConfig } from "../../core/config/schema.ts";
import type { CanarySource } from "../../core/ports.ts";
import type { Finding } from "./probe.ts";

/** What health needs to know of a region. */
export type ProbedRegion = Pick<RegionConfig, "name" | "streaming" | "keys" | "canary">;

/** A manifest path to play, or a key to ask for. */
export interface Targets<T> {
  /** Null where the region holds nothing that could be asked for. */
  current(): Promise<T | null>;
  same(one: T, other: T): boolean;
}

/** Manifest paths for the streaming probe. */
export function manifestTargets(region: ProbedRegion, canaries: CanarySource): Targets<string> {
  const same = (one: string, other: string): boolean => one === other;
  const configured = region.canary?.manifest;
  if (configured !== undefined) return { current: async () => configured, same };
  return { current: remembered(region.name, canaries, ({ manifestPath }) => manifestPath), same };
}

/** Keys for the key probe. */
export function keyTargets(region: ProbedRegion, canaries: CanarySource): Targets<CanaryKey> {
  const same = (one: CanaryKey, other: CanaryKey): boolean => one.path === other.path;
  const path = region.canary?.key;
  if (path === undefined) return { current: remembered(region.name, canaries, ({ key }) => key), same };
  const authorization = region.canary?.keyAuthorization ?? null;
  const configured: CanaryKey = { id: null, path, fingerprint: null, authorization, tokenUnavailable: false };
  return { current: async () => configured, same };
}

/** A catalogue that cannot be read must not blind health: what was known last is asked for. */
function remembered<T>(region: string, canaries: CanarySource, pick: (canary: Canary) => T | null): () => Promise<T | null> {
  let known: T | null = null;
  return async () => {
    try {
      const canary = await canaries.canary(region);
      known = canary === null ? null : pick(canary);
    } catch {
      // The catalogue reports its own failures.
    }
    return known;
  };
}

/**
 * Asks for the target. Where the region denies having it, the target is looked up once more, because the video may have been deleted since:
 * only what is still said to be there is missed. Without a target, `reach` has to do.
 */
export async function askForTarget<T>(
  targets: Targets<T>,
  ask: (target: T) => Promise<Finding>,
  reach: () => Promise<Finding>,
): Promise<Finding> {
  const target = await targets.current();
  if (target === null) return reach();
  const finding = await ask(target);
  if (finding.ok || finding.reason !== "not_found") return finding;
  const now = await targets.current();
  if (now === null) return reach();
  return targets.same(target, now) ? finding : ask(now);
}
