/** What to ask a region for: the canaries of the configuration, else a video that was verified there lately. */
import type { Canary, CanaryKey } from "../../core/contracts.ts";
import type { RegionConfig } from "../../core/config/schema.ts";
import type { CanarySource } from "../../core/ports/health.ts";
import type { Finding } from "./probe.ts";

/** What health needs to know of a region. */
export type ProbedRegion = Pick<RegionConfig, "name" | "streaming" | "keys" | "canary" | "canaries">;

/** Something to ask for, which may change while it is asked for. */
export interface Targets<T> {
  /** Null where the region holds nothing that could be asked for. */
  current(): Promise<T | null>;
  same(one: T, other: T): boolean;
}

export interface ManifestTarget {
  /** Path and query to append to the region's streaming URL. */
  readonly path: string;
  /** What is known of the video's key; null: nothing. */
  readonly key: CanaryKey | null;
}

export interface KeyTarget {
  readonly key: CanaryKey;
  /** It is a licence server: nothing but its answering can be judged without a DRM client. */
  readonly licence: boolean;
}

type ConfiguredCanary = NonNullable<RegionConfig["canary"]>;

function configured({ canary, canaries = [] }: ProbedRegion): readonly ConfiguredCanary[] {
  return canary === undefined ? canaries : [canary, ...canaries];
}

/** Manifests for the streaming probe, one for each canary. All of them must play. */
export function manifestTargets(region: ProbedRegion, source: CanarySource): readonly Targets<ManifestTarget>[] {
  const same = (one: ManifestTarget, other: ManifestTarget): boolean => one.path === other.path;
  const fixed = configured(region).flatMap((canary): ManifestTarget[] =>
    canary.manifest === undefined ? [] : [{ path: canary.manifest, key: configuredKey(canary) }],
  );
  if (fixed.length > 0) return fixed.map((target) => ({ current: async () => target, same }));
  const pick = ({ manifestPath, key }: Canary): ManifestTarget | null => (manifestPath === null ? null : { path: manifestPath, key });
  return [{ current: remembered(region.name, source, pick), same }];
}

/** Keys for the key probe, one for each canary that has one. All of them must be right. */
export function keyTargets(region: ProbedRegion, source: CanarySource): readonly Targets<KeyTarget>[] {
  const same = (one: KeyTarget, other: KeyTarget): boolean => one.key.path === other.key.path;
  const fixed = configured(region).flatMap((canary): KeyTarget[] => {
    const key = keyOf(canary);
    return key === null ? [] : [{ key, licence: canary.licence === true }];
  });
  if (fixed.length > 0) return fixed.map((target) => ({ current: async () => target, same }));
  return [{ current: remembered(region.name, source, ({ key }) => (key === null ? null : { key, licence: false })), same }];
}

function keyOf({ key: path, keyAuthorization }: ConfiguredCanary): CanaryKey | null {
  if (path === undefined) return null;
  return { id: null, path, fingerprint: null, authorization: keyAuthorization ?? null, tokenUnavailable: false };
}

function configuredKey(canary: ConfiguredCanary): CanaryKey | null {
  return canary.licence === true ? null : keyOf(canary);
}

/** A catalogue that cannot be read must not blind health: what was known last is asked for. */
function remembered<T>(region: string, source: CanarySource, pick: (canary: Canary) => T | null): () => Promise<T | null> {
  let known: T | null = null;
  return async () => {
    try {
      const canary = await source.canary(region);
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
