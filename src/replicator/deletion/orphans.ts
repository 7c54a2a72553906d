/**
 * What lies in a target although no region publishes it and the catalogue knows nothing of it. Found by lists of the target, reported, and never
 * deleted. Of a target that is a source too, what it publishes itself is none: only what replication has once made there is looked at.
 */
import type { MediaAsset } from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import { wasCreated } from "./creation.ts";
import type { DeletionDeps } from "./deps.ts";

export interface Orphan {
  readonly target: string;
  readonly kind: "locator" | "asset";
  readonly name: string;
  /** One sentence for people. */
  readonly why: string;
}

type OrphanDeps = Pick<DeletionDeps, "accounts" | "catalogue" | "journal" | "sources" | "targets">;

/** Rejects where a region cannot be asked: half a list would say too much. The names of all assets are held meanwhile. */
export async function* findOrphans(deps: OrphanDeps, stop: AbortSignal): AsyncGenerator<Orphan> {
  const known = new Set<string>();
  for await (const { entry } of deps.catalogue.list()) known.add(entry.assetName);
  for (const target of deps.targets) {
    const account = deps.accounts.get(target);
    if (account === undefined) continue;
    const located = new Set<string>();
    yield* orphanLocators(deps, account, located, stop);
    yield* orphanAssets(deps, account, located.union(known), stop);
  }
}

/** Notes in `located` what any locator streams. */
async function* orphanLocators(deps: OrphanDeps, account: MediaAccount, located: Set<string>, stop: AbortSignal): AsyncGenerator<Orphan> {
  const { region: target } = account;
  for await (const { name, assetName, streamingLocatorId } of account.locators(stop)) {
    located.add(assetName);
    if (deps.sources.includes(target) || (await deps.catalogue.get(streamingLocatorId.toLowerCase())) !== null) continue;
    if (await isPublished(deps, assetName, streamingLocatorId, stop)) continue;
    yield { target, kind: "locator", name, why: `no source publishes ${streamingLocatorId}, and the catalogue does not know it` };
  }
}

async function* orphanAssets(
  deps: OrphanDeps,
  account: MediaAccount,
  known: ReadonlySet<string>,
  stop: AbortSignal,
): AsyncGenerator<Orphan> {
  const { region: target } = account;
  for await (const asset of account.assets(stop)) {
    const { name, container } = asset;
    if (known.has(name) || !(await isCopy(deps, account, asset)) || (await isInSource(deps, target, name, stop))) continue;
    yield { target, kind: "asset", name, why: `no locator streams container ${container}, and no source has the asset` };
  }
}

/** A target that is no source has nothing but copies. */
async function isCopy({ journal, sources }: OrphanDeps, { region }: MediaAccount, { name, container }: MediaAsset): Promise<boolean> {
  if (!sources.includes(region)) return true;
  const others = sources.filter((source) => source !== region);
  return wasCreated({ journal, sources: others, target: region, what: `asset ${name}` }, container);
}

async function isPublished({ accounts, sources }: OrphanDeps, assetName: string, id: string, stop: AbortSignal): Promise<boolean> {
  for (const source of sources) {
    const own = (await accounts.get(source)?.assetLocators(assetName, stop)) ?? [];
    if (own.some(({ streamingLocatorId }) => streamingLocatorId.toLowerCase() === id.toLowerCase())) return true;
  }
  return false;
}

async function isInSource({ accounts, sources }: OrphanDeps, target: string, assetName: string, stop: AbortSignal): Promise<boolean> {
  for (const source of sources) {
    const account = source === target ? undefined : accounts.get(source);
    if (account !== undefined && (await account.asset(assetName, stop)) !== null) return true;
  }
  return false;
}
