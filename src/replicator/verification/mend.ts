/** Copies again what is known to be damaged, before a job may publish the copy that has it. */
import type { CopyDamage } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo } from "../../core/ports/storage.ts";
import type { ContainerPair } from "../copy.ts";
import type { JobContext } from "../runJob.ts";
import { compareContainers, wholeMd5 } from "./compare.ts";
import { problemsText, type Problem } from "./consequences.ts";
import { DEFAULT_VERIFICATION } from "./policy.ts";
import { FIRST_MARK } from "./sample.ts";

async function damageIn({ deps }: JobContext, region: string, locatorIds: readonly string[]): Promise<CopyDamage | null> {
  const found: CopyDamage[] = [];
  for (const id of locatorIds) {
    const damage = (await deps.catalogue.get(id))?.entry.regions[region]?.damage;
    if (damage !== undefined) found.push(damage);
  }
  if (found.length === 0) return null;
  return { blobs: found.flatMap(({ blobs }) => blobs), more: found.some(({ more }) => more) };
}

/**
 * Makes the blobs good that the catalogue names as damaged in the target. Looks at them first: somebody may have done it. `open` gives both
 * containers, null where the target has none yet; it is called only where there is damage. For the original (target equal to source) nothing is
 * copied: what is named has to be good. Throws `source_damaged`
 * (never) where the source is not to be trusted either, and `copy_damaged` (never) where nothing says which side is right.
 */
export async function mendDamage(
  context: JobContext,
  locatorIds: readonly string[],
  open: () => Promise<ContainerPair | null>,
): Promise<void> {
  const { source, target } = context.identity;
  const [sourceDamage, damage] = [await damageIn(context, source, locatorIds), await damageIn(context, target, locatorIds)];
  if (sourceDamage === null && damage === null) return;
  const pair = await open();
  if (pair === null) return;
  if (source === target) return refuseDamagedOriginal(context, pair.source, damage);
  await refuseDamagedSource(context, pair, sourceDamage);
  if (damage !== null) await mendBlobs(context, pair, await damagedBlobs(context, pair, damage));
}

/** It must not serve while it is not what was copied from it. */
async function refuseDamagedOriginal({ signal }: JobContext, container: BlobContainer, damage: CopyDamage | null): Promise<void> {
  for (const { name, md5 } of damage?.blobs ?? []) if (!(await isGood(container, name, md5, signal))) throw sourceDamaged(container, name);
}

/** What the target has already is not copied; what it lacks must not come from damaged bytes. */
async function refuseDamagedSource({ signal }: JobContext, { source, target }: ContainerPair, damage: CopyDamage | null): Promise<void> {
  for (const { name, md5 } of damage?.blobs ?? []) {
    if ((await target.head(name, signal)) === null && !(await isGood(source, name, md5, signal))) throw sourceDamaged(source, name);
  }
}

async function isGood(container: BlobContainer, name: string, md5: string | null, signal: AbortSignal): Promise<boolean> {
  const blob = await container.head(name, signal);
  return blob !== null && (md5 === null || (await wholeMd5({ container, blob }, signal)) === md5);
}

async function damagedBlobs({ deps, jobId, signal }: JobContext, pair: ContainerPair, damage: CopyDamage): Promise<readonly Problem[]> {
  const { problems } = await compareContainers({
    ...pair,
    journal: deps.journal,
    jobId,
    policy: { ...DEFAULT_VERIFICATION, content: "full" },
    seed: "",
    from: FIRST_MARK,
    ...(damage.more ? {} : { only: new Set(damage.blobs.map(({ name }) => name)) }),
    signal,
    onProven: async (blob) => deps.journal.recordBlob(jobId, blob),
  });
  return problems;
}

type Kinds = ReadonlySet<Problem["kind"]>;
const RELABELLED: Kinds = new Set<Problem["kind"]>(["target_properties", "target_labels"]);
const MENDED: Kinds = new Set<Problem["kind"]>(["target_damaged", ...RELABELLED]);
/** What the job's copying sees to, as it does for any new or changed blob. */
const COPIED: Kinds = new Set<Problem["kind"]>(["target_missing", "source_added", "source_rewritten", "source_properties"]);

/** Replaces, on condition that the damaged version is still there, and believes nothing but the bytes that then lie there. */
export async function mendBlobs(context: JobContext, pair: ContainerPair, problems: readonly Problem[]): Promise<void> {
  const others = problems.filter(({ kind }) => !MENDED.has(kind) && !COPIED.has(kind));
  if (others.some(({ kind }) => kind.startsWith("source_")))
    throw new PaircastError("source_damaged", `copy ${pair.source.label} again: ${problemsText(others)}; restore it in the source`);
  if (others.length > 0)
    throw new PaircastError("copy_damaged", `mend ${pair.target.label}: ${problemsText(others)}; delete the wrong one and replicate again`);
  for (const problem of problems) if (MENDED.has(problem.kind)) await mendBlob(context, pair, problem);
}

async function mendBlob(context: JobContext, { source, target }: ContainerPair, { kind, blob: wanted }: Problem): Promise<void> {
  const { deps, jobId, signal } = context;
  const name = wanted?.name ?? "";
  const [blob, damaged] = [await source.head(name, signal), await target.head(name, signal)];
  if (blob === null || damaged === null)
    throw new PaircastError("blob_changed", `mend ${target.label}/${name}: it went away meanwhile`, { retry: "retry" });
  const md5 = await goodMd5(source, blob, wanted?.md5 ?? null, signal);
  // Somebody has written there: properties may be replaced where the content proves to be ours, and content never.
  if (RELABELLED.has(kind) && (await wholeMd5({ container: target, blob: damaged }, signal)) !== md5)
    throw new PaircastError("copy_damaged", `mend ${target.label}/${name}: somebody else's content; delete it and replicate again`);
  const copied = await target.copyFrom(source, blob, { etag: damaged.etag }, signal);
  if ((await wholeMd5({ container: target, blob: copied }, signal)) !== md5)
    throw new PaircastError("copy_mismatch", `mend ${target.label}/${name}: other bytes arrived than the source gave`, { retry: "retry" });
  await deps.journal.recordBlob(jobId, { name, sourceEtag: blob.etag, targetEtag: copied.etag, length: blob.length, md5 });
  count(context, blob.length);
}

async function goodMd5(container: BlobContainer, blob: BlobInfo, expected: string | null, signal: AbortSignal): Promise<string> {
  const md5 = await wholeMd5({ container, blob }, signal);
  if (md5 === null || (expected !== null && md5 !== expected)) throw sourceDamaged(container, blob.name);
  return md5;
}

function count({ deps, identity, tally }: JobContext, bytes: number): void {
  tally.blobsCopied += 1;
  tally.bytesCopied += bytes;
  deps.metrics?.copied(identity.target, bytes);
}

function sourceDamaged({ label }: BlobContainer, name: string): PaircastError {
  return new PaircastError(
    "source_damaged",
    `copy ${label}/${name}: these bytes are not those that were published; restore the blob there from a copy that still serves`,
  );
}
