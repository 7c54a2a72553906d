/** Replicates one packaged video: a container of blobs, without a management API. The rules are those of `replicateAsset`. */
import { measureAlignment } from "./align.ts";
import type { Region } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import type { LocatorSummary } from "../core/media.ts";
import type { StaticLibrary, StaticManifests } from "../core/ports/storage.ts";
import { copyBlobs, jobCopyOptions, refuseBlobConflicts, surveyBlobs, type CopyOptions } from "./copy.ts";
import { surveyAlone } from "./copying/survey.ts";
import { ReplicaConflict } from "./conflict.ts";
import type { AssetJob } from "./run.ts";
import type { JobDeps } from "./jobDeps.ts";
import { inPages, type ReplicationDriver } from "./driver.ts";
import { nothingToCarry, type AssetPlan } from "./planAsset.ts";
import { isProven, type BlobPlan } from "./planBlobs.ts";
import { publishVerified, withdrawFrom, type VerifiedVideo } from "./publish.ts";
import { planningContext, runJob, type JobContext, type JobResult, type JobStep } from "./runJob.ts";
import { PlaylistKeys } from "./playlistKeys.ts";
import { findManifests, servingChecks, type ServingChecks } from "./serving.ts";
import { judge } from "./verdict.ts";
import { isUnverified, verifyContent } from "./verification/afterCopy.ts";
import { mendDamage } from "./verification/mend.ts";
import { VerificationFailure } from "./verify.ts";

export interface StaticDeps extends JobDeps {
  readonly libraries: ReadonlyMap<string, StaticLibrary>;
}

export function staticDriver(deps: StaticDeps): ReplicationDriver {
  return {
    pages: async function* (region, from, signal) {
      const library = deps.libraries.get(region);
      if (library === undefined) return;
      const pages = library.videoPages?.(from, signal) ?? inPages(library.videos(signal));
      for await (const { items, next } of pages) yield { items: items.map(publication), next };
    },
    publicationsOf: async (region, assetName, signal) => {
      const access = await deps.libraries.get(region)?.publicAccess(assetName, signal);
      return access === undefined || access === null ? [] : [publication(assetName)];
    },
    isPublished: async ({ source, assetName }, signal) => (await deps.libraries.get(source)?.publicAccess(assetName, signal)) !== null,
    replicate: (job, stop) => replicateVideo(deps, job, stop),
  };
}

/** A container is its own locator; when it was made is not known. */
function publication(name: string): LocatorSummary {
  return { name, assetName: name, streamingLocatorId: name, created: 0 };
}

/** As `replicateAsset`; `assetName` is the container. A container without manifests is no video (yet) and is left alone. */
export async function replicateVideo(deps: StaticDeps, job: AssetJob, stop?: AbortSignal): Promise<JobResult> {
  const identity = { source: job.source, target: job.target, assetName: job.assetName };
  return runJob(deps, identity, (context) => new VideoReplication(deps, context).steps(), stop, job.sharing);
}

/** As `planAssetReplication`; null for what is no video (yet). */
export async function planVideo(deps: StaticDeps, { source, target, assetName }: AssetJob, signal: AbortSignal): Promise<AssetPlan | null> {
  return new VideoReplication(deps, planningContext(deps, { source, target, assetName }, signal)).plan();
}

class VideoReplication {
  readonly #deps: StaticDeps;
  readonly #context: JobContext;
  readonly #name: string;
  readonly #isOriginal: boolean;
  #manifests: StaticManifests = { hls: null, dash: null };
  #isThere = false;
  #blobs: BlobPlan | null = null;
  #verified: readonly VerifiedVideo[] = [];

  constructor(deps: StaticDeps, context: JobContext) {
    this.#deps = deps;
    this.#context = context;
    this.#name = context.identity.assetName;
    this.#isOriginal = context.identity.source === context.identity.target;
  }

  steps(): readonly JobStep[] {
    const steps: readonly JobStep[] = [
      { step: "planned", run: () => this.#plan() },
      { step: "copied", run: () => this.#ifVideo(() => this.#copy()) },
      { step: "verified", run: () => this.#ifVideo(() => this.#verify()) },
      { step: "published", run: () => publishVerified(this.#context, this.#verified) },
    ];
    return this.#isOriginal ? steps.filter(({ step }) => step !== "copied") : steps;
  }

  /** What `steps` would do now. Changes nothing; throws where either side cannot be read. */
  async plan(): Promise<AssetPlan | null> {
    const { identity, signal } = this.#context;
    const manifests = await this.#library(identity.source).manifests(this.#name, signal);
    if (manifests.hls === null && manifests.dash === null) return null;
    if (this.#isOriginal) return nothingToCarry(identity);
    const isThere = (await this.#library(identity.target).publicAccess(this.#name, signal)) !== null;
    const { totals, conflicts, notes } = isThere
      ? await surveyBlobs(this.#copyOptions())
      : await surveyAlone(this.#library(identity.source).container(this.#name), signal);
    const writes = isThere ? [] : [{ what: `container ${this.#name}`, action: "create" } as const];
    return { ...identity, refused: conflicts, setAside: [], blobs: totals, writes, removals: [], withdrawn: [], notes };
  }

  async #ifVideo(work: () => Promise<void>): Promise<void> {
    if (this.#manifests.hls !== null || this.#manifests.dash !== null) await this.#withdrawingOnConflict(work);
  }

  async #plan(): Promise<void> {
    const { source, target } = this.#context.identity;
    this.#manifests = await this.#library(source).manifests(this.#name, this.#context.signal);
    await this.#ifVideo(async () => {
      await mendDamage(this.#context, [this.#name], () => this.#mendable());
      if (this.#isOriginal) return;
      const access = await this.#library(target).publicAccess(this.#name, this.#context.signal);
      this.#isThere = access !== null;
      if (this.#isThere) await this.#planBlobs();
    });
  }

  async #mendable(): Promise<CopyOptions | null> {
    const { identity, signal } = this.#context;
    return (await this.#library(identity.target).publicAccess(this.#name, signal)) === null ? null : this.#copyOptions();
  }

  async #planBlobs(): Promise<void> {
    this.#blobs = await surveyBlobs(this.#copyOptions());
    refuseBlobConflicts(this.#place(), this.#blobs);
    this.#context.tally.notes.push(...this.#blobs.notes);
  }

  /** Manifests last: a player that finds one finds what it names. */
  async #copy(): Promise<void> {
    if (!this.#isThere) await this.#createContainer();
    if (this.#blobs !== null) await copyBlobs({ ...this.#copyOptions(), last: isManifest }, this.#blobs);
  }

  async #createContainer(): Promise<void> {
    const { identity, signal, tally } = this.#context;
    const access = (await this.#library(identity.source).publicAccess(this.#name, signal)) ?? "none";
    await this.#library(identity.target).createContainer(this.#name, access, signal);
    tally.written.push(`container ${this.#name}`);
    await this.#planBlobs();
  }

  async #verify(): Promise<void> {
    const { identity, tally } = this.#context;
    const region = this.#deps.regions.get(identity.target);
    if (region === undefined)
      throw new PaircastError("not_configured", `replicate ${this.#place()}: there is no region ${identity.target}`);
    if (tally.blobsCopied > 0 || tally.blobsAdopted > 0) await this.#verifyBlobs();
    const isNew = await isUnverified(this.#context, [this.#name]);
    const content = isNew && !this.#isOriginal ? { verification: await verifyContent(this.#context, this.#copyOptions()) } : {};
    const checks = servingChecks(this.#context, isNew);
    const keys = this.#staticKeys(checks, region);
    const report = judge(await findManifests(checks, region, this.#manifests, keys.contentKey));
    if (report.wrong) await withdrawFrom(this.#context, [this.#name], report.detail);
    if (!report.ok) throw new VerificationFailure(identity.target, `video ${this.#name}`, report);
    const { aligned, detail } = await measureAlignment(this.#context, this.#manifests);
    const said = detail === null ? report.detail : `${report.detail}; ${detail}`;
    this.#verified = [{ facts: this.#facts(keys), detail: said, aligned, ...content }];
  }

  async #verifyBlobs(): Promise<void> {
    if (isProven(await surveyBlobs(this.#copyOptions()))) return;
    throw new PaircastError("replica_changed", `verify ${this.#place()}: blobs changed while being replicated`, { retry: "retry" });
  }

  #staticKeys(checks: ServingChecks, region: Region): PlaylistKeys {
    const { regions, fingerprint, options } = this.#deps;
    const door = { prefix: options.keyPrefix, host: options.keyHost ?? null };
    const source = regions.get(this.#context.identity.source) ?? region;
    return new PlaylistKeys({ checks, region, source, regions: [...regions.values()], door, fingerprint });
  }

  #facts({ found, host }: PlaylistKeys): VerifiedVideo["facts"] {
    return {
      locatorId: this.#name,
      locatorName: this.#name,
      assetName: this.#name,
      source: this.#context.identity.source,
      streamingPolicyName: null,
      contentKeyPolicyName: null,
      manifests: { hls: this.#manifests.hls, dash: this.#manifests.dash },
      keys: found,
      ...(host === null ? {} : { keyHost: host }),
    };
  }

  async #withdrawingOnConflict(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ReplicaConflict) await withdrawFrom(this.#context, [this.#name], error.message);
      throw error;
    }
  }

  #copyOptions(): CopyOptions {
    const { source, target } = this.#context.identity;
    return jobCopyOptions(this.#context, {
      source: this.#library(source).container(this.#name),
      target: this.#library(target).container(this.#name),
    });
  }

  #place(): string {
    const { source, target } = this.#context.identity;
    return `${this.#name} from ${source} to ${target}`;
  }

  #library(region: string): StaticLibrary {
    const library = this.#deps.libraries.get(region);
    if (library !== undefined) return library;
    throw new PaircastError("not_configured", `replicate ${this.#place()}: region ${region} has no storage`);
  }
}

function isManifest(name: string): boolean {
  return /\.(m3u8|mpd)$/i.test(name);
}
