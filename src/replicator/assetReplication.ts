/** One run of one asset's job: every step looks at the destination first, and can be done again from any point. */
import type { CopyVerification } from "../core/contracts.ts";
import { PaircastError, errorCode } from "../core/errors.ts";
import type { MediaAsset, StreamingLocator } from "../core/media.ts";
import { measureAlignment } from "./align.ts";
import { ReplicaConflict } from "./conflict.ts";
import { surveyAlone } from "./copying/survey.ts";
import { copyBlobs, jobCopyOptions, refuseBlobConflicts, surveyBlobs, type CopyOptions } from "./copy.ts";
import { recordCreation } from "./deletion/creation.ts";
import { diffAsset } from "./diff.ts";
import type { JobDeps } from "./jobDeps.ts";
import { recordPublication } from "./keyRecords/record.ts";
import { locatorTasks } from "./locators.ts";
import { entityTasks, lookAtAsset, type LookedAsset } from "./lookAsset.ts";
import { planAsset, type AssetPlan } from "./planAsset.ts";
import { isProven, type BlobPlan } from "./planBlobs.ts";
import { publishVerified, withdrawFrom, type VerifiedVideo } from "./publish.ts";
import { clearTheWay } from "./recreate.ts";
import type { JobContext, JobStep } from "./runJob.ts";
import { servingChecks } from "./serving.ts";
import { Sides, type SidesDeps } from "./sides.ts";
import { ledToGateway, surveySource, type Survey } from "./survey.ts";
import { carryOut, lookAtAll, refuse, refuseConflicts, type LookedAt } from "./tasks.ts";
import { isUnverified, verifyContent } from "./verification/afterCopy.ts";
import { mendDamage } from "./verification/mend.ts";
import { VerificationFailure, verifyServing, videoFacts, type VerifyOptions } from "./verify.ts";

export interface AssetReplicationOptions {
  /** Lower-case ids of the locators to carry; null: all. */
  readonly wanted: ReadonlySet<string> | null;
  /** When the job was asked for, epoch milliseconds; left out: nothing that was read for another job will do. */
  readonly since?: number;
}

/** What it has seen of both sides passes from step to step, and is forgotten with it: secrets are among it. */
export class AssetReplication {
  readonly #deps: JobDeps;
  readonly #context: JobContext;
  readonly #sides: Sides;
  readonly #wanted: ReadonlySet<string> | null;
  /** As the source has it. */
  #source: Survey | null = null;
  /** As the target is to have it: without the locators that are set aside. */
  #survey: Survey | null = null;
  #asset: MediaAsset | null = null;
  #blobs: BlobPlan | null = null;
  #seen: LookedAsset | null = null;
  #plan: AssetPlan | null = null;
  /** The target's asset is this job's work. */
  #isMade = false;
  #isNew = false;
  #content: CopyVerification | null = null;
  #verified: readonly VerifiedVideo[] = [];

  constructor(deps: JobDeps & SidesDeps, context: JobContext, { wanted, since }: AssetReplicationOptions) {
    this.#deps = deps;
    this.#context = context;
    this.#sides = new Sides(deps, context, since);
    this.#wanted = wanted;
  }

  steps(): readonly JobStep[] {
    return [
      { step: "planned", run: () => this.#withdrawingOnConflict(() => this.#prepare()) },
      { step: "copied", run: () => this.#withdrawingOnConflict(() => this.#copy()) },
      { step: "policed", run: () => this.#carryOutEntities() },
      { step: "located", run: () => this.#carryOutLocators() },
      { step: "verified", run: () => this.#verify() },
      { step: "published", run: () => this.#publish() },
    ];
  }

  /** For the source itself: nothing to copy, but only what was seen to play is published. */
  originalSteps(): readonly JobStep[] {
    return [
      { step: "planned", run: () => this.#readSource().then(() => this.#mend()) },
      { step: "verified", run: () => this.#verify() },
      { step: "published", run: () => this.#publish() },
    ];
  }

  /** What `steps` would do now, to the letter. Changes nothing; throws where either side cannot be read. */
  async plan(): Promise<AssetPlan> {
    await this.#readSource();
    await this.#look();
    const plan = this.#known(this.#plan);
    if (plan.blobs !== null) return plan;
    // All that the source has is to be copied, less what an earlier asset may have left in the container.
    const container = this.#sides.source.container(this.#known(this.#source).asset, "read");
    const { totals, notes } = await surveyAlone(container, this.#context.signal);
    return { ...plan, blobs: totals, notes: [...plan.notes, ...notes] };
  }

  /** Reads both sides and refuses conflicts, before anything is written. */
  async #prepare(): Promise<void> {
    await this.#readSource();
    await this.#mend();
    await this.#look();
    const plan = this.#known(this.#plan);
    this.#context.tally.notes.push(...plan.notes);
    refuse(this.#sides.place, plan.refused);
    const survey = this.#known(this.#survey);
    const aside = new Set(plan.setAside.map(({ locatorId }) => locatorId));
    this.#survey = { ...survey, locators: survey.locators.filter((locator) => !aside.has(locator.streamingLocatorId.toLowerCase())) };
  }

  async #readSource(): Promise<void> {
    const { identity, signal, deps } = this.#context;
    const { source: account, isOriginal } = this.#sides;
    const { assetName } = identity;
    // The record of what a region publishes has it all.
    const onlyPlays = isOriginal && (deps.records ?? null) === null;
    const common = this.#sides.common(account);
    this.#source = await surveySource({ account, common, assetName, locatorIds: this.#wanted, onlyPlays, signal });
    this.#survey = isOriginal ? this.#source : ledToGateway(this.#source, deps.options.keyUrls ?? []);
  }

  /** What verification found to be damaged looks to the journal like what it has proven: it is made good before a plan is made. */
  async #mend(): Promise<void> {
    const { asset } = this.#known(this.#source);
    await mendDamage(this.#context, this.#locatorIds(), async () => {
      const there = await this.#sides.target.asset(asset.name, this.#context.signal);
      return there === null ? null : this.#copyOptions(there);
    });
  }

  #locatorIds(): readonly string[] {
    return this.#known(this.#survey).locators.map(({ streamingLocatorId }) => streamingLocatorId.toLowerCase());
  }

  async #look(): Promise<void> {
    this.#seen = await lookAtAsset(this.#context, {
      survey: this.#known(this.#survey),
      target: this.#sides.target,
      common: this.#sides.common(this.#sides.target),
      isMade: () => this.#isMade,
      blobs: async (asset) => {
        this.#blobs = await surveyBlobs(this.#copyOptions(asset));
        return this.#blobs;
      },
    });
    this.#asset = this.#seen.asset;
    this.#plan = planAsset(this.#seen.look);
  }

  async #planBlobs(asset: MediaAsset): Promise<void> {
    this.#blobs = await surveyBlobs(this.#copyOptions(asset));
    refuseBlobConflicts(this.#sides.place, this.#blobs);
    this.#context.tally.notes.push(...this.#blobs.notes);
  }

  async #copy(): Promise<void> {
    if (this.#asset === null) {
      this.#asset = await this.#createAsset();
      await this.#planBlobs(this.#asset);
    }
    await copyBlobs(this.#copyOptions(this.#asset), this.#known(this.#blobs));
  }

  async #createAsset(): Promise<MediaAsset> {
    const { signal, tally } = this.#context;
    const { name, container, alternateId, description } = this.#known(this.#survey).asset;
    try {
      const created = await this.#sides.target.createAsset({ name, container, alternateId, description }, signal);
      this.#isMade = true;
      tally.written.push(`asset ${name}`);
      await recordCreation(this.#context, `asset ${name}`, created.container);
      this.#refuseAsset(created);
      return created;
    } catch (error) {
      const present = errorCode(error) === "media_exists" ? await this.#sides.target.asset(name, signal) : null;
      if (present === null) throw error;
      this.#refuseAsset(present);
      return present;
    }
  }

  async #carryOutEntities(): Promise<void> {
    const survey = this.#known(this.#survey);
    const source = this.#known(this.#source);
    await clearTheWay(this.#context, {
      plan: this.#known(this.#plan),
      target: this.#sides.target,
      common: this.#sides.common(this.#sides.target),
      locators: survey.locators,
      playAtSource: async (locator) => verifyServing(await this.#verifyOptions(source, locator, this.#context.identity.source), locator),
    });
    await this.#carryOut(this.#known(this.#seen).entities);
  }

  async #carryOutLocators(): Promise<void> {
    const kept = new Set(this.#known(this.#survey).locators.map(({ name }) => name));
    await this.#withdrawingOnConflict(() =>
      this.#carryOut(this.#known(this.#seen).locators.filter(({ task }) => kept.has(task.locator.name))),
    );
  }

  /** In the plan's words: what it says to write is looked at once more and written, all else is left as it was found. */
  async #carryOut(seen: readonly LookedAt[]): Promise<void> {
    const writes = new Set(this.#known(this.#plan).writes.map(({ what }) => what));
    for (const { task, verdict } of seen) {
      this.#context.stop?.throwIfAborted();
      await carryOut(this.#context, { task, verdict: writes.has(task.what) ? { action: "create" } : verdict });
    }
  }

  /** Reads everything again where something was written, then asks the region as a player would. What holds is published even if a sibling fails. */
  async #verify(): Promise<void> {
    const { tally, identity } = this.#context;
    if (tally.blobsCopied > 0 || tally.blobsAdopted > 0 || tally.written.length > 0) await this.#verifyStored();
    const survey = this.#known(this.#survey);
    this.#isNew = await isUnverified(this.#context, this.#locatorIds());
    if (this.#isNew && identity.source !== identity.target)
      this.#content = await verifyContent(this.#context, this.#copyOptions(this.#known(this.#asset)));
    const failures: VerificationFailure[] = [];
    for (const locator of survey.locators) {
      const options = await this.#verifyOptions(survey, locator, identity.target);
      const report = await verifyServing(options, locator);
      const facts = videoFacts(locator, survey, identity.source, options.expected, this.#deps.fingerprint);
      if (report.ok) this.#verified = [...this.#verified, await this.#measured(facts, report.detail)];
      else failures.push(new VerificationFailure(identity.target, `locator ${locator.name}`, report));
      if (report.wrong) await withdrawFrom(this.#context, [facts.locatorId], report.detail);
    }
    const [failure] = failures;
    if (failure === undefined) return;
    await this.#publishVerified();
    throw failure;
  }

  async #measured(facts: VerifiedVideo["facts"], verified: string): Promise<VerifiedVideo> {
    const { aligned, detail } = await measureAlignment(this.#context, facts.manifests);
    const content = this.#content === null ? {} : { verification: this.#content };
    return { facts, detail: detail === null ? verified : `${verified}; ${detail}`, aligned, ...content };
  }

  async #verifyStored(): Promise<void> {
    const survey = this.#known(this.#survey);
    const { target } = this.#sides;
    const common = this.#sides.common(target);
    const tasks = [
      ...entityTasks(this.#context, { survey, target, common }),
      ...locatorTasks(this.#context, survey, target, () => !this.#isMade),
    ];
    const seen = await lookAtAll(tasks.filter(({ optional }) => optional !== true));
    refuseConflicts(this.#sides.place, seen);
    const unequal = seen.filter(({ verdict }) => verdict.action !== "skip").map(({ task }) => task.what);
    const blobs = await surveyBlobs(this.#copyOptions(this.#known(this.#asset)));
    if (!isProven(blobs)) unequal.push("blobs");
    if (unequal.length === 0) return;
    throw new PaircastError("replica_changed", `verify ${this.#sides.place}: ${unequal.join(", ")} changed while being replicated`, {
      retry: "retry",
    });
  }

  async #verifyOptions(survey: Survey, locator: StreamingLocator, region: string): Promise<VerifyOptions> {
    const checks = servingChecks(this.#context, this.#isNew);
    const paths = await this.#sides.paths(locator.name, region, checks.signal);
    return { checks, region: this.#sides.region(region), ...paths, survey, keyPrefix: this.#deps.options.keyPrefix };
  }

  async #publishVerified(): Promise<void> {
    await publishVerified(this.#context, this.#verified);
    await recordPublication(this.#context, this.#known(this.#source), this.#verified);
  }

  async #publish(): Promise<void> {
    await this.#publishVerified();
    await this.#withdrawingOnConflict(async () => refuse(this.#sides.place, this.#plan?.setAside ?? []));
  }

  /** A copy that was verified once and differs now must not serve. */
  async #withdrawingOnConflict(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ReplicaConflict) {
        const wrong = error.conflicts.filter(({ keepsServing }) => keepsServing !== true);
        const named = wrong.flatMap(({ locatorId }) => (locatorId === undefined ? [] : [locatorId]));
        const all = this.#known(this.#survey).locators.map((locator) => locator.streamingLocatorId);
        await withdrawFrom(this.#context, named.length === wrong.length ? named : [...named, ...all], error.message);
      }
      throw error;
    }
  }

  #copyOptions(asset: MediaAsset): CopyOptions {
    return jobCopyOptions(this.#context, this.#sides.containers(this.#known(this.#survey).asset, asset));
  }

  #refuseAsset(asset: MediaAsset | null): void {
    const verdict = diffAsset(this.#known(this.#survey).asset, asset);
    if (verdict.action === "conflict") refuse(this.#sides.place, [verdict.conflict]);
  }

  #known<T>(value: T | null): T {
    if (value !== null) return value;
    throw new PaircastError("internal", `replicate ${this.#sides.place}: a step ran before the one that it needs`);
  }
}
