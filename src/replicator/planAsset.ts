/** What replicating one asset to one target would do, as a value: `replicate` goes by it, and `plan` prints it. Pure. */
import type { StreamingLocator } from "../core/media.ts";
import type { Conflict } from "./conflict.ts";
import type { Removable, Verdict } from "./diff.ts";
import type { JobIdentity } from "./job.ts";
import type { BlobPlan, BlobTotals } from "./planBlobs.ts";
import { decideRecreation, type Recreation, type RecreationFacts, type Refused } from "./recreation.ts";

/** One entity as it was found on both sides. */
export interface EntityLook {
  /** For people: `content key policy drm-default`. */
  readonly what: string;
  readonly verdict: Verdict;
  /** Another entity of the account that this asset does not need: what is in its way keeps nothing back. */
  readonly optional?: boolean;
}

export interface LocatorLook extends EntityLook {
  readonly locator: StreamingLocator;
}

/** Everything that was read of both sides and that decides. */
export interface AssetLook {
  readonly identity: JobIdentity;
  readonly asset: Verdict;
  /** In the order in which they have to be written. */
  readonly entities: readonly EntityLook[];
  readonly locators: readonly LocatorLook[];
  /** Null where the target has no asset yet: then every blob of the source is to be copied. */
  readonly blobs: Pick<BlobPlan, "totals" | "conflicts" | "notes"> | null;
  /** Null: immutable entities are not recreated. */
  readonly recreation: RecreationFacts | null;
  readonly notes: readonly string[];
}

export interface PlannedWrite {
  readonly what: string;
  readonly action: "create" | "replace" | "recreate";
}

export interface AssetPlan extends JobIdentity {
  /** Whatever is in the way of the asset as a whole: nothing is done at all. Empty: the rest of the plan is what is done. */
  readonly refused: readonly Conflict[];
  /** Locators that something is in the way of, while the asset's others go on. */
  readonly setAside: readonly Conflict[];
  /** Null where the target has no asset yet. */
  readonly blobs: BlobTotals | null;
  /** In order. What is equal on both sides is not among them. */
  readonly writes: readonly PlannedWrite[];
  /** Deleted on the target before `writes`, once the source was seen to play, and `withdrawn` is withdrawn. In order. */
  readonly removals: readonly Removable[];
  /** Lower-case ids of locators that the target must not serve until they are verified again. */
  readonly withdrawn: readonly string[];
  /** For people: what is noticed and left alone. */
  readonly notes: readonly string[];
}

/** For the source itself: it is only verified. */
export function nothingToCarry(identity: JobIdentity): AssetPlan {
  const blobs = { copy: 0, bytes: 0, adopt: 0, skip: 0 };
  return { ...identity, refused: [], setAside: [], blobs, writes: [], removals: [], withdrawn: [], notes: [] };
}

export function planAsset(look: AssetLook): AssetPlan {
  const { identity, entities, locators, blobs } = look;
  const recreation = recreationOf(look);
  const { refused, setAside } = obstacles(look, recreation.refused);
  return {
    ...identity,
    refused,
    setAside,
    blobs: blobs?.totals ?? null,
    writes: writesOf(look, recreation),
    removals: recreation.removals,
    withdrawn: recreation.withdrawn,
    notes: [...look.notes, ...[...entities, ...locators].flatMap(notesOf), ...(blobs?.notes ?? [])],
  };
}

function obstacles({ identity, asset, entities, locators, blobs }: AssetLook, left: readonly Conflict[]) {
  const of = (looks: readonly EntityLook[]): readonly Conflict[] =>
    looks.flatMap(({ what, optional }) => (optional === true ? [] : left.filter((conflict) => conflict.what === what)));
  const general = [...conflictsOf([{ what: identity.assetName, verdict: asset }]), ...of(entities), ...(blobs?.conflicts ?? [])];
  const aside = of(locators);
  // With every locator in the way there is nothing left to replicate for.
  const all = general.length === 0 && aside.length > 0 && aside.length === locators.length;
  return all ? { refused: aside, setAside: [] } : { refused: general, setAside: aside };
}

function writesOf({ identity, asset, entities, locators }: AssetLook, { refused, removals }: Recreation): readonly PlannedWrite[] {
  const inTheWay = new Set(refused.map(({ what }) => what));
  const gone = new Set(removals.map(({ kind, name }) => `${kind} ${name}`));
  const created = asset.action === "create" ? [{ what: `asset ${identity.assetName}`, action: "create" } as const] : [];
  return [...created, ...[...entities, ...locators].filter(({ what }) => !inTheWay.has(what)).flatMap((one) => writeOf(one, gone))];
}

/** Without facts, whatever is in conflict stays in the way. */
function recreationOf({ identity, entities, locators, recreation }: AssetLook): Recreation {
  const conflicts = [...entities, ...locators].flatMap(({ verdict, optional }): readonly Refused[] =>
    verdict.action === "conflict" && optional !== true ? [verdict] : [],
  );
  const sources = locators.map(({ locator }) => locator);
  if (recreation !== null) return decideRecreation(identity, sources, conflicts, recreation);
  return { removals: [], withdrawn: [], refused: conflicts.map(({ conflict }) => conflict) };
}

function conflictsOf(looks: readonly EntityLook[]): readonly Conflict[] {
  return looks.flatMap(({ verdict }) => (verdict.action === "conflict" ? [verdict.conflict] : []));
}

function writeOf({ what, verdict, optional }: EntityLook, gone: ReadonlySet<string>): readonly PlannedWrite[] {
  if (gone.has(what) || (verdict.action === "conflict" && optional !== true)) return [{ what, action: "recreate" }];
  return verdict.action === "create" || verdict.action === "replace" ? [{ what, action: verdict.action }] : [];
}

function notesOf({ what, verdict, optional }: EntityLook): readonly string[] {
  if (verdict.action !== "conflict" || optional !== true) return [];
  return [`left alone on the target: ${what} differs, and no locator of the asset names it: ${verdict.conflict.advice}`];
}
