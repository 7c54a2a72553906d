/** One run of one asset's job: every step looks at the destination first, and can be done again from any point. */
import type { Region } from "../core/contracts.ts";
import { PaircastError, errorCode } from "../core/errors.ts";
import type { MediaAsset, StreamingLocator } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { measureAlignment } from "./align.ts";
import { ReplicaConflict, type Conflict } from "./conflict.ts";
import { copyBlobs, jobCopyOptions, refuseBlobConflicts, surveyBlobs, type CopyOptions } from "./copy.ts";
import { diffAsset } from "./diff.ts";
import { accountFilterTasks, assetFilterTasks } from "./filters.ts";
import type { JobDeps } from "./jobDeps.ts";
import { locatorTasks } from "./locators.ts";
import { isProven, type BlobPlan } from "./planBlobs.ts";
import { policyTasks } from "./policies.ts";
import { publishVerified, withdrawFrom, type VerifiedVideo } from "./publish.ts";
import type { JobContext, JobStep } from "./runJob.ts";
import { servingChecks } from "./serving.ts";
import { surveySource, type Survey } from "./survey.ts";
import { carryOut, lookAtAll, refuse, refuseConflicts, type EntityTask, type LookedAt } from "./tasks.ts";
import { VerificationFailure, manifestPaths, verifyServing, videoFacts, type VerifyOptions } from "./verify.ts";

interface Accounts {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
}

interface Tasks {
  readonly assetFilters: readonly EntityTask[];
  readonly policies: readonly EntityTask[];
}

/** What it has seen of both sides passes from step to step, and is forgotten with it: secrets are among it. */
export class AssetReplication {
  readonly #deps: JobDeps & Accounts;
  readonly #context: JobContext;
  readonly #wanted: ReadonlySet<string> | null;
  #survey: Survey | null = null;
  #asset: MediaAsset | null = null;
  #blobs: BlobPlan | null = null;
  #policies: readonly LookedAt[] = [];
  #locators: readonly LookedAt[] = [];
  /** Locators that are in the way of each other's; the asset's others go on without them. */
  #setAside: readonly Conflict[] = [];
  #verified: readonly VerifiedVideo[] = [];

  constructor(deps: JobDeps & Accounts, context: JobContext, wanted: ReadonlySet<string> | null) {
    this.#deps = deps;
    this.#context = context;
    this.#wanted = wanted;
  }

  steps(): readonly JobStep[] {
    return [
      { step: "planned", run: () => this.#withdrawingOnConflict(() => this.#plan()) },
      { step: "copied", run: () => this.#withdrawingOnConflict(() => this.#copy()) },
      { step: "policed", run: () => this.#carryOut(this.#policies) },
      { step: "located", run: () => this.#carryOut(this.#locators) },
      { step: "verified", run: () => this.#verify() },
      { step: "published", run: () => this.#publish() },
    ];
  }

  /** For the source itself: nothing to copy, but only what was seen to play is published. */
  originalSteps(): readonly JobStep[] {
    return [
      { step: "planned", run: () => this.#readSource() },
      { step: "verified", run: () => this.#verify() },
      { step: "published", run: () => this.#publish() },
    ];
  }

  /** Reads both sides and refuses conflicts, before anything is written. */
  async #plan(): Promise<void> {
    await this.#readSource();
    const { identity, signal } = this.#context;
    const survey = this.#known(this.#survey);
    this.#asset = await this.#target().asset(identity.assetName, signal);
    this.#refuseAsset(this.#asset);
    this.#noteDrift(survey.asset, this.#asset);
    const tasks = this.#tasks(survey);
    const filters = this.#asset === null ? tasks.assetFilters.map(toCreate) : await lookAtAll(tasks.assetFilters);
    this.#policies = [...filters, ...(await lookAtAll(tasks.policies))];
    refuseConflicts(this.#place(), this.#policies);
    await this.#planLocators(survey);
    if (this.#asset !== null) await this.#planBlobs(this.#asset);
  }

  async #readSource(): Promise<void> {
    const { identity, signal } = this.#context;
    this.#survey = await surveySource(this.#account(identity.source), identity.assetName, this.#wanted, signal);
  }

  async #planLocators(survey: Survey): Promise<void> {
    const seen = await lookAtAll(locatorTasks(this.#context, survey, this.#target()));
    this.#setAside = seen.flatMap(({ verdict }) => (verdict.action === "conflict" ? [verdict.conflict] : []));
    this.#locators = seen.filter(({ verdict }) => verdict.action !== "conflict");
    if (this.#locators.length === 0) refuse(this.#place(), this.#setAside);
    const aside = new Set(this.#setAside.map(({ locatorId }) => locatorId));
    this.#survey = { ...survey, locators: survey.locators.filter((locator) => !aside.has(locator.streamingLocatorId)) };
  }

  async #planBlobs(asset: MediaAsset): Promise<void> {
    this.#blobs = await surveyBlobs(this.#copyOptions(asset));
    refuseBlobConflicts(this.#place(), this.#blobs);
    const { extra } = this.#blobs;
    if (extra.length > 0)
      this.#context.tally.notes.push(`left alone on the target: ${extra.length} blobs that the source lacks, such as ${extra[0]}`);
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
      const created = await this.#target().createAsset({ name, container, alternateId, description }, signal);
      tally.written.push(`asset ${name}`);
      this.#refuseAsset(created);
      return created;
    } catch (error) {
      const present = errorCode(error) === "media_exists" ? await this.#target().asset(name, signal) : null;
      if (present === null) throw error;
      this.#refuseAsset(present);
      return present;
    }
  }

  async #carryOut(seen: readonly LookedAt[]): Promise<void> {
    for (const one of seen) {
      this.#context.stop?.throwIfAborted();
      await carryOut(this.#context, one);
    }
  }

  /** Reads everything again where something was written, then asks the region as a player would. What holds is published even if a sibling fails. */
  async #verify(): Promise<void> {
    const { tally, identity } = this.#context;
    if (tally.blobsCopied > 0 || tally.blobsAdopted > 0 || tally.written.length > 0) await this.#verifyStored();
    const survey = this.#known(this.#survey);
    const failures: VerificationFailure[] = [];
    for (const locator of survey.locators) {
      const options = await this.#verifyOptions(survey, locator);
      const report = await verifyServing(options, locator);
      const facts = videoFacts(locator, survey, identity.source, options.expected, this.#deps.fingerprint);
      if (report.ok) this.#verified = [...this.#verified, await this.#measured(facts, report.detail)];
      else failures.push(new VerificationFailure(identity.target, `locator ${locator.name}`, report));
      if (report.wrong) await withdrawFrom(this.#context, [facts.locatorId], report.detail);
    }
    const [failure] = failures;
    if (failure === undefined) return;
    await publishVerified(this.#context, this.#verified);
    throw failure;
  }

  async #measured(facts: VerifiedVideo["facts"], verified: string): Promise<VerifiedVideo> {
    const { aligned, detail } = await measureAlignment(this.#context, facts.manifests);
    return { facts, detail: detail === null ? verified : `${verified}; ${detail}`, aligned };
  }

  async #verifyStored(): Promise<void> {
    const survey = this.#known(this.#survey);
    const tasks = this.#tasks(survey);
    const locators = locatorTasks(this.#context, survey, this.#target());
    const seen = await lookAtAll([...tasks.assetFilters, ...tasks.policies, ...locators]);
    refuseConflicts(this.#place(), seen);
    const unequal = seen.filter(({ verdict }) => verdict.action !== "skip").map(({ task }) => task.what);
    const blobs = await surveyBlobs(this.#copyOptions(this.#known(this.#asset)));
    if (!isProven(blobs)) unequal.push("blobs");
    if (unequal.length === 0) return;
    throw new PaircastError("replica_changed", `verify ${this.#place()}: ${unequal.join(", ")} changed while being replicated`, {
      retry: "retry",
    });
  }

  async #verifyOptions(survey: Survey, locator: StreamingLocator): Promise<VerifyOptions> {
    const { identity, signal } = this.#context;
    return {
      checks: servingChecks(this.#context),
      region: this.#region(identity.target),
      account: this.#target(),
      expected: manifestPaths(await this.#account(identity.source).paths(locator.name, signal)),
      survey,
      keyPrefix: this.#deps.options.keyPrefix,
    };
  }

  async #publish(): Promise<void> {
    await publishVerified(this.#context, this.#verified);
    await this.#withdrawingOnConflict(async () => refuse(this.#place(), this.#setAside));
  }

  /** A copy that was verified once and differs now must not serve. */
  async #withdrawingOnConflict(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ReplicaConflict) {
        const named = error.conflicts.flatMap(({ locatorId }) => (locatorId === undefined ? [] : [locatorId]));
        const all = this.#known(this.#survey).locators.map((locator) => locator.streamingLocatorId);
        await withdrawFrom(this.#context, named.length === error.conflicts.length ? named : [...named, ...all], error.message);
      }
      throw error;
    }
  }

  #tasks(survey: Survey): Tasks {
    const target = this.#target();
    return {
      assetFilters: assetFilterTasks(this.#context, survey, target),
      policies: [...accountFilterTasks(this.#context, survey, target), ...policyTasks(this.#context, survey, target)],
    };
  }

  #copyOptions(asset: MediaAsset): CopyOptions {
    const source = this.#account(this.#context.identity.source).container(this.#known(this.#survey).asset, "read");
    return jobCopyOptions(this.#context, { source, target: this.#target().container(asset, "write") });
  }

  #refuseAsset(asset: MediaAsset | null): void {
    const verdict = diffAsset(this.#known(this.#survey).asset, asset);
    if (verdict.action === "conflict") refuse(this.#place(), [verdict.conflict]);
  }

  /** The service takes these only when an asset is created, and nothing plays by them. */
  #noteDrift(source: MediaAsset, target: MediaAsset | null): void {
    if (target === null || (source.alternateId === target.alternateId && source.description === target.description)) return;
    this.#context.tally.notes.push(`asset ${source.name}: alternate id or description differ from the source's`);
  }

  #place(): string {
    const { source, target, assetName } = this.#context.identity;
    return `${assetName} from ${source} to ${target}`;
  }

  #target(): MediaAccount {
    return this.#account(this.#context.identity.target);
  }

  #account(region: string): MediaAccount {
    const account = this.#deps.accounts.get(region);
    if (account !== undefined) return account;
    throw new PaircastError("not_configured", `replicate ${this.#place()}: region ${region} has no media account`);
  }

  #region(name: string): Region {
    const region = this.#deps.regions.get(name);
    if (region !== undefined) return region;
    throw new PaircastError("not_configured", `replicate ${this.#place()}: there is no region ${name}`);
  }

  #known<T>(value: T | null): T {
    if (value !== null) return value;
    throw new PaircastError("internal", `replicate ${this.#place()}: a step ran before the one that it needs`);
  }
}

function toCreate(task: EntityTask): LookedAt {
  return { task, verdict: { action: "create" } };
}
