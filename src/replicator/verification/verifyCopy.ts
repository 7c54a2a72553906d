/** Verifies one copy again, long after it was published: looks at everything, takes what is wrong out of service, has it made good. */
import type { CatalogueEntry, CopyVerification } from "../../core/contracts.ts";
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import type { BlobRecord } from "../../core/ports/journal.ts";
import type { BlobContainer } from "../../core/ports/storage.ts";
import { jobId, type JobIdentity } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import { withLease } from "../lease.ts";
import { changeEntry } from "../publish.ts";
import type { JobContext, JobResult } from "../runJob.ts";
import { servingChecks, type ServingChecks } from "../serving.ts";
import type { Finding } from "../verdict.ts";
import { compareContainers, type Comparison } from "./compare.ts";
import { consequences, damageOf, problemsText, type Consequences, type Problem } from "./consequences.ts";
import { withDamage, withMark, withVerification } from "./entryChange.ts";
import type { InspectedVideo, Inspection, Inspector } from "./inspector.ts";
import { compareOriginal } from "./original.ts";
import type { VerificationPolicy } from "./policy.ts";
import { FIRST_MARK } from "./sample.ts";

export interface VerifyCopyOptions {
  readonly policy: VerificationPolicy;
  /** Have made good again what can be. */
  readonly repair: boolean;
  /** Only look: withdraw nothing, remember nothing. */
  readonly dryRun?: boolean;
}

interface LookOptions extends VerifyCopyOptions {
  /** After a repair: these blobs, whole, instead of a sample of all. */
  readonly only?: ReadonlySet<string>;
}

/**
 * - `sound` everything that was looked at is as it should be · `behind` it serves, and the source has gone on
 * - `repaired` something was wrong and is good again · `broken` something is wrong
 * - `unanswered` a region could not be asked: nothing is known · `busy` another process is at this copy
 */
export type VerifyResult = "sound" | "behind" | "repaired" | "broken" | "unanswered" | "busy";

export interface CopyReport extends JobIdentity {
  readonly result: VerifyResult;
  readonly problems: readonly Problem[];
  /** Regions whose copy was taken out of service. */
  readonly withdrawn: readonly string[];
  /** One sentence for people. */
  readonly detail: string;
  readonly readBytes: number;
  /** Of the repair; null where there was none. */
  readonly repair: Pick<JobResult, "result" | "error"> | null;
}

interface Looked {
  readonly problems: readonly Problem[];
  /** What could not be told, for people. */
  readonly unanswered: readonly string[];
  readonly videos: readonly InspectedVideo[];
  readonly verification: CopyVerification;
}

interface Taken {
  readonly looked: Looked;
  readonly found: Consequences;
  readonly withdrawn: readonly string[];
}

/** Never rejects for a region that cannot be asked. `stop` ends it at once: nothing is lost. */
export async function verifyCopy(
  deps: JobDeps,
  inspector: Inspector,
  identity: JobIdentity,
  options: VerifyCopyOptions,
  stop?: AbortSignal,
): Promise<CopyReport> {
  try {
    const found = await look(deps, inspector, identity, options, stop);
    if (!options.repair || options.dryRun === true || !found.repairable) return found.report;
    return await repaired(deps, inspector, options, found.report, stop);
  } catch (error) {
    const result = errorCode(error) === "job_busy" ? "busy" : "unanswered";
    return { ...identity, result, problems: [], withdrawn: [], detail: scrub(errorChain(error)), readBytes: 0, repair: null };
  }
}

/** What the repair says of itself is not believed before it was looked at. */
async function repaired(
  deps: JobDeps,
  inspector: Inspector,
  options: VerifyCopyOptions,
  report: CopyReport,
  stop: AbortSignal | undefined,
): Promise<CopyReport> {
  const { source, target, assetName, problems, detail } = report;
  const identity = { source, target, assetName };
  const { result, error } = await inspector.replicate(identity, stop);
  const repair = { result, error };
  if (error !== null) return { ...report, result: "broken", detail: `${detail}; not repaired: ${error.message}`, repair };
  const only = new Set(problems.flatMap(({ blob }) => (blob === undefined ? [] : [blob.name])));
  const again = await look(deps, inspector, identity, { ...options, repair: false, dryRun: true, only }, stop);
  if (again.report.result === "sound") return { ...report, result: "repaired", repair };
  return { ...report, result: "broken", detail: `${detail}; after the repair: ${again.report.detail}`, repair };
}

async function look(
  deps: JobDeps,
  inspector: Inspector,
  identity: JobIdentity,
  options: LookOptions,
  stop: AbortSignal | undefined,
): Promise<{ readonly report: CopyReport; readonly repairable: boolean }> {
  const lease = { journal: deps.journal, clock: deps.clock, owner: deps.owner, leaseMs: deps.options.leaseMs ?? 15_000, wait: false };
  const taken = await withLease(lease, jobId(identity), stop, async (lost, owner) =>
    new CopyVerifier(contextOf({ ...deps, owner }, identity, lost, stop), inspector, options).verify(),
  );
  return { report: reportOf(identity, taken), repairable: taken.found.repair || isOutOfService(identity, taken) };
}

function contextOf(deps: JobDeps, identity: JobIdentity, signal: AbortSignal, stop: AbortSignal | undefined): JobContext {
  const id = jobId(identity);
  const tally = { blobsCopied: 0, bytesCopied: 0, blobsAdopted: 0, written: [], published: 0, notes: [] };
  const either = stop === undefined ? signal : AbortSignal.any([signal, stop]);
  return { deps, identity, jobId: id, fence: { jobId: id, owner: deps.owner }, signal: either, stop, tally };
}

const NOTHING: Omit<Comparison, "next"> = { problems: [], notes: [], blobs: 0, readBlobs: 0, readBytes: 0 };

class CopyVerifier {
  readonly #context: JobContext;
  readonly #inspector: Inspector;
  readonly #options: LookOptions;
  readonly #isOriginal: boolean;

  constructor(context: JobContext, inspector: Inspector, options: LookOptions) {
    this.#context = context;
    this.#inspector = inspector;
    this.#options = options;
    this.#isOriginal = context.identity.source === context.identity.target;
  }

  async verify(): Promise<Taken> {
    const inspection = await this.#inspector.inspect(this.#context);
    const looked = await this.#look(inspection);
    const found = consequences(looked.problems, this.#isOriginal);
    const withdrawn = this.#options.dryRun === true ? [] : await this.#takeAway(looked.videos, found);
    if (this.#options.dryRun !== true && looked.problems.length === 0 && looked.unanswered.length === 0) await this.#remember(looked);
    return { looked, found, withdrawn };
  }

  async #look(inspection: Inspection): Promise<Looked> {
    const { policy } = this.#options;
    const { videos } = inspection;
    const compared = await this.#compare(inspection);
    const played = policy.playback === "none" ? [] : await this.#play(videos);
    const { blobs, readBlobs, readBytes, next } = compared;
    return {
      problems: [...inspection.problems, ...compared.problems, ...played.flatMap(problemOf)],
      unanswered: played.flatMap(({ finding }) => (isUnanswered(finding) ? [`${finding.subject}: ${finding.detail}`] : [])),
      videos,
      verification: {
        at: this.#context.deps.clock.now(),
        blobs,
        content: blobs === 0 ? "none" : policy.content,
        readBlobs,
        readBytes,
        playback: policy.playback,
        next,
      },
    };
  }

  async #compare({ source, target, videos }: Inspection): Promise<Comparison> {
    const from = videos[0]?.entry.regions[this.#context.identity.target]?.verification?.next ?? FIRST_MARK;
    if (source === null || target === null) return { ...NOTHING, next: from };
    const { deps, identity, jobId: id, signal } = this.#context;
    const { journal } = deps;
    const { only, policy } = this.#options;
    const common = {
      journal,
      seed: identity.assetName,
      from,
      signal,
      ...(only === undefined ? { policy } : { policy: { ...policy, content: "full" as const }, only }),
    };
    if (!this.#isOriginal) {
      const onProven = async (blob: BlobRecord): Promise<void> => {
        if (this.#options.dryRun !== true) await journal.recordBlob(id, blob);
      };
      return compareContainers({ ...common, jobId: id, source, target, onProven });
    }
    const witness = await this.#witness(videos);
    return witness === null ? { ...NOTHING, next: from } : compareOriginal({ ...common, source, ...witness });
  }

  /** A copy of the original that can tell what was copied; null where there is none: then nothing can be said of its bytes. */
  async #witness(videos: readonly InspectedVideo[]): Promise<{ readonly target: BlobContainer; readonly jobId: string } | null> {
    const { identity } = this.#context;
    const regions = new Set(videos.flatMap(({ entry }) => Object.keys(entry.regions)));
    for (const region of regions) {
      if (region === identity.source || !this.#inspector.regions.has(region)) continue;
      const target = await this.#inspector.container(region, this.#context);
      if (target !== null) return { target, jobId: jobId({ ...identity, target: region }) };
    }
    return null;
  }

  async #play(videos: readonly InspectedVideo[]): Promise<readonly PlayedFinding[]> {
    const checks = this.#checks();
    const played: PlayedFinding[] = [];
    for (const video of videos) for (const finding of await video.play(checks)) played.push({ finding, locatorId: video.entry.locatorId });
    return played;
  }

  #checks(): ServingChecks {
    const checks = servingChecks(this.#context);
    const { playback, renditions } = this.#context.deps;
    return { ...checks, playback: this.#options.policy.playback === "renditions" ? (renditions ?? playback) : playback };
  }

  /** First of all: while it is mended, nobody is sent there. */
  async #takeAway(videos: readonly InspectedVideo[], { asked, source, relabel }: Consequences): Promise<readonly string[]> {
    const { identity } = this.#context;
    const withdrawn = [
      ...(await this.#withdraw(videos, identity.target, asked)),
      ...(await this.#withdraw(videos, identity.source, source)),
    ];
    const damage = damageOf(relabel);
    if (damage !== null && this.#options.repair)
      for (const { entry } of videos) await this.#change(entry, (stored) => withMark(stored, identity.target, damage));
    return [...new Set(withdrawn)];
  }

  async #withdraw(videos: readonly InspectedVideo[], region: string, problems: readonly Problem[]): Promise<readonly string[]> {
    const { clock, log } = this.#context.deps;
    let serves = true;
    for (const { entry } of videos) {
      const own = problems.filter(({ locatorId }) => locatorId === undefined || locatorId === entry.locatorId);
      if (own.length === 0) continue;
      const detail = scrub(problemsText(own));
      const said = { at: clock.now(), detail, damage: damageOf(own) };
      let isTaken = false;
      await this.#change(entry, (stored) => {
        const next = withDamage(stored, region, said);
        isTaken = next !== null && next.regions[region]?.state === "withdrawn";
        return next;
      });
      const fields = { locator: entry.locatorId, asset: entry.assetName, region, detail };
      log.error(isTaken ? "verification.withdrawn" : "verification.still_serving", fields);
      if (isTaken) serves = false;
    }
    return serves ? [] : [region];
  }

  async #remember({ videos, verification }: Looked): Promise<void> {
    const { target } = this.#context.identity;
    for (const { entry } of videos) await this.#change(entry, (stored) => withVerification(stored, target, verification));
  }

  async #change({ locatorId }: CatalogueEntry, change: (stored: CatalogueEntry) => CatalogueEntry | null): Promise<boolean> {
    const { deps, fence } = this.#context;
    return changeEntry(deps.catalogue, locatorId, (stored) => (stored === null ? null : change(stored)), fence);
  }
}

interface PlayedFinding {
  readonly finding: Finding;
  readonly locatorId: string;
}

/** Reasons that speak of this video, of what it is made of, or of neither: then the region may be ill, which health watches. */
const OF_THE_VIDEO: ReadonlySet<Finding["reason"]> = new Set<Finding["reason"]>(["not_found", "key_mismatch"]);
const OF_ITS_BYTES: ReadonlySet<Finding["reason"]> = new Set<Finding["reason"]>([
  "segment",
  "key_length",
  "body",
  "truncated",
  "too_large",
]);

function problemOf({ finding, locatorId }: PlayedFinding): readonly Problem[] {
  const { result, reason, subject, detail } = finding;
  if (result !== "failed") return [];
  if (OF_THE_VIDEO.has(reason)) return [{ kind: "playback", what: subject, detail, locatorId }];
  return OF_ITS_BYTES.has(reason) ? [{ kind: "playback_doubtful", what: subject, detail, locatorId }] : [];
}

function isUnanswered({ result, reason }: Finding): boolean {
  return result === "failed" && !OF_THE_VIDEO.has(reason) && !OF_ITS_BYTES.has(reason);
}

/** As it was before it was looked at. */
function isOutOfService({ target }: JobIdentity, { looked }: Pick<Taken, "looked">): boolean {
  return looked.videos.some(({ entry }) => entry.regions[target]?.state === "withdrawn");
}

function reportOf(identity: JobIdentity, { looked, found, withdrawn }: Taken): CopyReport {
  const { problems, unanswered, verification, videos } = looked;
  const common = { ...identity, problems, withdrawn, readBytes: verification.readBytes, repair: null };
  if (problems.length > 0) return { ...common, result: found.behind ? "behind" : "broken", detail: scrub(problemsText(problems)) };
  if (unanswered.length > 0) return { ...common, result: "unanswered", detail: scrub(unanswered.join("; ")) };
  if (videos.length === 0)
    throw new PaircastError("unknown_asset", `verify ${identity.assetName}: the catalogue has no copy of it in ${identity.target}`);
  if (isOutOfService(identity, { looked }))
    return { ...common, result: "behind", detail: "it is out of service, and nothing is wrong with it" };
  return { ...common, result: "sound", detail: `${verification.blobs} blobs compared, ${verification.readBlobs} read` };
}
