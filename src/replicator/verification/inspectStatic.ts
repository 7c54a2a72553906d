/** Looks at the copies of packaged videos: container, manifests, keys by their playlists. */
import type { CatalogueEntry, Region } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { StaticLibrary } from "../../core/ports/storage.ts";
import { PlaylistKeys } from "../playlistKeys.ts";
import type { JobContext } from "../runJob.ts";
import { replicateVideo, type StaticDeps } from "../runStatic.ts";
import { findManifests, type ServingChecks } from "../serving.ts";
import type { Finding } from "../verdict.ts";
import type { Problem } from "./consequences.ts";
import type { Inspection, Inspector } from "./inspector.ts";

export function staticInspector(deps: StaticDeps): Inspector {
  const library = (region: string): StaticLibrary => {
    const found = deps.libraries.get(region);
    if (found !== undefined) return found;
    throw new PaircastError("not_configured", `verify in ${region}: the region has no storage`);
  };
  return {
    regions: new Set(deps.libraries.keys()),
    inspect: async (context) => inspectVideo(deps, context, library),
    container: async (region, { identity, signal }) => {
      const access = await library(region).publicAccess(identity.assetName, signal);
      return access === null ? null : library(region).container(identity.assetName);
    },
    replicate: async (identity, stop) => replicateVideo(deps, identity, stop),
  };
}

async function inspectVideo(deps: StaticDeps, context: JobContext, library: (region: string) => StaticLibrary): Promise<Inspection> {
  const { identity, signal } = context;
  const name = identity.assetName;
  const [source, target] = [library(identity.source), library(identity.target)];
  if ((await source.publicAccess(name, signal)) === null) return missing({ kind: "source_entity", ...GONE, what: `container ${name}` });
  const entry = (await deps.catalogue.get(name))?.entry;
  const isKnown = entry?.source === identity.source && entry.regions[identity.target] !== undefined;
  const videos = isKnown ? [{ entry, play: async (checks: ServingChecks) => play(deps, context, entry, checks) }] : [];
  if ((await target.publicAccess(name, signal)) === null)
    return { ...missing({ kind: "entity_lost", ...GONE, what: `container ${name}` }), videos };
  return { videos, problems: [], source: source.container(name), target: target.container(name) };
}

const GONE = { detail: "there is none (any more)" };

function missing(problem: Problem): Inspection {
  return { videos: [], problems: [problem], source: null, target: null };
}

/** The manifests are those that it was published with: one that is gone is found, too. */
async function play(deps: StaticDeps, { identity }: JobContext, entry: CatalogueEntry, checks: ServingChecks): Promise<readonly Finding[]> {
  const [region, source] = [regionOf(deps, identity.target), regionOf(deps, identity.source)];
  const door = { prefix: deps.options.keyPrefix, host: deps.options.keyHost ?? null };
  const keys = new PlaylistKeys({ checks, region, source, regions: [...deps.regions.values()], door, fingerprint: deps.fingerprint });
  const findings = await findManifests(checks, region, entry.manifests, keys.contentKey);
  const known = new Map(entry.keys.map(({ id, fingerprint }) => [id, fingerprint]));
  const changed = keys.found.filter(({ id, fingerprint }) => fingerprint !== null && (known.get(id) ?? fingerprint) !== fingerprint);
  return [
    ...findings,
    ...changed.map(({ id }): Finding => {
      return {
        subject: `content key ${id}`,
        result: "failed",
        detail: "the region gives another key than the verified one",
        reason: "key_mismatch",
      };
    }),
  ];
}

function regionOf({ regions }: StaticDeps, name: string): Region {
  const region = regions.get(name);
  if (region !== undefined) return region;
  throw new PaircastError("not_configured", `verify in ${name}: there is no such region`);
}
