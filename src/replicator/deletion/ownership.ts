/** What a deletion would take away on its target, and whether all of that is ours. Looks, and changes nothing. */
import type { MediaAsset, StreamingLocator } from "../../core/media.ts";
import type { Deletion } from "../../core/ports/deletions.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import { jobId } from "../job.ts";
import { isPredefined } from "../references.ts";
import { CREATED, wasCreated } from "./creation.ts";
import type { DeletionDeps } from "./deps.ts";
import { isNewer } from "./evidence.ts";

export interface Holding {
  /** Null where it is not there (any more). */
  readonly locator: StreamingLocator | null;
  /** That of the locator; null where it is none of ours. */
  readonly streamingPolicy: string | null;
  /** Null where the asset stays, or is not there. */
  readonly asset: MediaAsset | null;
  readonly bytes: number | null;
  /** For people: why something stays. */
  readonly stays: readonly string[];
}

export type Ownership = { readonly ours: true; readonly holding: Holding } | { readonly ours: false; readonly why: string };

export async function lookAtHolding(deps: DeletionDeps, target: MediaAccount, deletion: Deletion, signal: AbortSignal): Promise<Ownership> {
  const there = await target.locator(deletion.locatorName, signal);
  const locator = there?.streamingLocatorId.toLowerCase() === deletion.locatorId ? there : null;
  const why = locator === null ? null : await locatorObjection(deps, locator, deletion);
  if (why !== null) return { ours: false, why };
  const found = await assetOf(deps, target, deletion, signal);
  if (!found.ours) return found;
  const streamingPolicy = await ownPolicy(deps, deletion);
  return { ours: true, holding: { locator, streamingPolicy, ...found.holding } };
}

async function locatorObjection(deps: DeletionDeps, locator: StreamingLocator, deletion: Deletion): Promise<string | null> {
  const { name, assetName } = locator;
  if (assetName !== deletion.assetName) return `locator ${name} is of asset ${assetName} now`;
  if (isNewer(locator, deletion)) return `locator ${name} was published there after its source had stopped publishing it`;
  return (await wasCreated(creation(deps, deletion, `locator ${name}`), CREATED))
    ? null
    : `nothing shows that replication made locator ${name}`;
}

type AssetFound =
  | { readonly ours: true; readonly holding: Pick<Holding, "asset" | "bytes" | "stays"> }
  | Extract<Ownership, { ours: false }>;

async function assetOf(deps: DeletionDeps, target: MediaAccount, deletion: Deletion, signal: AbortSignal): Promise<AssetFound> {
  const asset = await target.asset(deletion.assetName, signal);
  const reason = asset === null ? null : await reasonToStay(deps, target, deletion, signal);
  if (asset === null || reason !== null)
    return { ours: true, holding: { asset: null, bytes: null, stays: reason === null ? [] : [`its asset stays: ${reason}`] } };
  if (!(await wasCreated(creation(deps, deletion, `asset ${asset.name}`), asset.container)))
    return { ours: false, why: `nothing shows that replication made asset ${asset.name} with container ${asset.container}` };
  const { bytes, foreign } = await filesOf(deps, target, asset, deletion, signal);
  if (foreign !== null) return { ours: false, why: `${foreign} in container ${asset.container} is not as replication has written it` };
  return { ours: true, holding: { asset, bytes, stays: [] } };
}

/** Also what another locator streams, on either side. */
async function reasonToStay(deps: DeletionDeps, target: MediaAccount, deletion: Deletion, signal: AbortSignal): Promise<string | null> {
  const { assets, accounts } = deps;
  const { assetName, locatorId, source } = deletion;
  if (!assets) return "replication.deletion.assets is off";
  if (target.deleteAsset === undefined) return "this kind of account gives no way to delete assets";
  const others = (await target.assetLocators(assetName, signal)).filter((one) => one.streamingLocatorId.toLowerCase() !== locatorId);
  const [other] = others;
  if (other !== undefined) return `locator ${other.name} streams it`;
  const [published] = (await accounts.get(source)?.assetLocators(assetName, signal)) ?? [];
  return published === undefined ? null : `${source} publishes it as ${published.name}`;
}

/** Every file must be the very version that a job of ours has proven. One round of their list, and of the journal's records. */
async function filesOf(deps: DeletionDeps, target: MediaAccount, asset: MediaAsset, deletion: Deletion, signal: AbortSignal) {
  const { source, assetName, target: region } = deletion;
  const records = await deps.journal.blobs(jobId({ source, target: region, assetName }));
  let bytes = 0;
  for await (const { name, etag, length } of target.container(asset, "read").list(signal)) {
    if (records.get(name)?.targetEtag !== etag) return { bytes, foreign: name };
    bytes += length;
  }
  return { bytes, foreign: null };
}

/** By the catalogue: after a crash the locator may be gone, and its policy not yet. */
async function ownPolicy(deps: DeletionDeps, deletion: Deletion): Promise<string | null> {
  const name = (await deps.catalogue.get(deletion.locatorId))?.entry.streamingPolicyName ?? null;
  if (name === null || isPredefined(name)) return null;
  return (await wasCreated(creation(deps, deletion, `streaming policy ${name}`), CREATED)) ? name : null;
}

export function creation({ journal, sources }: Pick<DeletionDeps, "journal" | "sources">, { source, target }: Deletion, what: string) {
  return { journal, sources: [...new Set([source, ...sources])], target, what };
}
