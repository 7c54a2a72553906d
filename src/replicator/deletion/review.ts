/** One round of deletions: notes what is gone, asks the regions about what is due, decides, and deletes what may go. */
import { errorChain, errorCode } from "../../core/errors.ts";
import type { Deletion, VersionedDeletion } from "../../core/ports/deletions.ts";
import { forEachBounded } from "../bounded.ts";
import { withLease } from "../lease.ts";
import { decideDeletions, dueAt, type Candidate, type Decision, type DeletionVerdict, type Evidence } from "./decide.ts";
import type { DeletionDeps } from "./deps.ts";
import { catalogueEvidence, evidenceOf } from "./evidence.ts";
import { statusOf, type DeletionStatus } from "./list.ts";
import { noteGone, type Noted } from "./note.ts";
import { removeCopy } from "./remove.ts";

export interface Standing {
  readonly target: string;
  readonly status: DeletionStatus | "failed";
  readonly count: number;
}

export interface ReviewSummary {
  /** Deleted just now. */
  readonly deleted: number;
  /** Begun, and not brought to their end. */
  readonly failed: number;
  /** Published again, and forgotten. */
  readonly restored: number;
  /** What stands after this round. */
  readonly standing: readonly Standing[];
}

/** One process reviews at a time. */
const REVIEWING = "deletions";
const AT_A_TIME = 4;
/** What was deleted is kept so long, for auditors. */
const REMEMBERED_MS = 90 * 86_400_000;

/** Rejects where the stores cannot be used, with `job_busy` where another process is at it, and with the reason of `stop`. */
export async function reviewDeletions(deps: DeletionDeps, stop: AbortSignal): Promise<ReviewSummary> {
  const { journal, clock, owner, options } = deps;
  const lease = { journal, clock, owner, leaseMs: options.leaseMs ?? 15_000, wait: false };
  return withLease(lease, REVIEWING, stop, async (lost) => new Review(deps, AbortSignal.any([stop, lost])).run());
}

interface Decided {
  readonly stored: VersionedDeletion;
  readonly verdict: DeletionVerdict;
}

class Review {
  readonly #deps: DeletionDeps;
  readonly #stop: AbortSignal;
  readonly #standing = new Map<string, { target: string; status: Standing["status"]; count: number }>();
  /** Sources that gave no answer are not asked again. */
  readonly #silent = new Set<string>();
  #deleted = 0;
  #failed = 0;
  #restored = 0;

  constructor(deps: DeletionDeps, stop: AbortSignal) {
    this.#deps = deps;
    this.#stop = stop;
  }

  async run(): Promise<ReviewSummary> {
    const noted = await noteGone(this.#deps, this.#stop);
    const byId = new Map(noted.stored.map((stored) => [stored.deletion.id, stored]));
    const decisions = await this.#decide(noted);
    this.#tellRefused(decisions);
    const due: VersionedDeletion[] = [];
    for (const { deletion, verdict } of decisions) {
      const stored = byId.get(deletion.id);
      if (stored === undefined) continue;
      if (verdict.kind === "delete") due.push(stored);
      else await this.#leave({ stored, verdict });
    }
    // Two locators of an asset are one job's.
    const assets = Map.groupBy(due, ({ deletion: { target, source, assetName } }) => `${source}/${assetName}->${target}`);
    const oneByOne = async (locators: readonly VersionedDeletion[]): Promise<void> => {
      for (const each of locators) await this.#remove(each);
    };
    await forEachBounded(assets.values(), AT_A_TIME, oneByOne, this.#stop);
    this.#stop.throwIfAborted();
    return { deleted: this.#deleted, failed: this.#failed, restored: this.#restored, standing: [...this.#standing.values()] };
  }

  /** Regions are asked about what would be deleted, not about what is not due yet. */
  async #decide({ stored, held }: Noted): Promise<readonly Decision[]> {
    const { policy, clock } = this.#deps;
    const now = clock.now();
    const candidates: Candidate[] = [];
    for (const { deletion } of stored) candidates.push({ deletion, evidence: await this.#evidence(deletion, now) });
    return decideDeletions(candidates, { held, policy, now });
  }

  async #evidence(deletion: Deletion, now: number): Promise<Evidence> {
    this.#stop.throwIfAborted();
    if (deletion.state === "done") return "gone";
    const mayGo = now >= dueAt(deletion, this.#deps.policy) && deletion.word !== "keep" && deletion.state !== "foreign";
    if (!mayGo) return catalogueEvidence(this.#deps, deletion);
    if (this.#silent.has(deletion.source)) return "unknown";
    const evidence = await evidenceOf(this.#deps, deletion, this.#stop);
    if (evidence === "unknown") this.#silent.add(deletion.source);
    return evidence;
  }

  async #leave({ stored: { deletion, version }, verdict }: Decided): Promise<void> {
    const { deletions, clock, log } = this.#deps;
    const isOld = deletion.state === "done" && clock.now() - deletion.at > REMEMBERED_MS;
    if (verdict.kind !== "restored" && !isOld) {
      this.#count(deletion.target, statusOf(deletion, verdict));
      return;
    }
    await deletions.remove(deletion.id, version);
    if (isOld) return;
    this.#restored += 1;
    log.info("deletion.restored", { id: deletion.id, asset: deletion.assetName });
  }

  /** Logged here, once: what it did, or why it could not. The next round goes on with it. */
  async #remove(stored: VersionedDeletion): Promise<void> {
    this.#stop.throwIfAborted();
    const { log } = this.#deps;
    const { id, assetName: asset, source, target } = stored.deletion;
    try {
      const after = await removeCopy(this.#deps, stored, this.#stop);
      if (after.state === "done") this.#deleted += 1;
      this.#count(target, statusOf(after, { kind: "unconfirmed" }));
      const fields = { id, asset, source, target, detail: after.detail, bytes: after.bytes };
      if (after.state === "done" || after.state === "foreign") log.warn(`deletion.${after.state}`, fields);
    } catch (error) {
      if (this.#stop.aborted) return;
      this.#failed += 1;
      this.#count(target, "failed");
      log.error("deletion.failed", { id, asset, target, code: errorCode(error), error: errorChain(error) });
    }
  }

  #count(target: string, status: Standing["status"]): void {
    const key = `${target} ${status}`;
    const counted = this.#standing.get(key) ?? { target, status, count: 0 };
    this.#standing.set(key, { ...counted, count: counted.count + 1 });
  }

  #tellRefused(decisions: readonly Decision[]): void {
    const refused = new Map<string, { due: number; limit: number }>();
    for (const { deletion, verdict } of decisions) if (verdict.kind === "refused") refused.set(deletion.target, verdict);
    for (const [target, { due, limit }] of refused)
      this.#deps.log.error("deletion.refused", { target, due, limit, advice: "look at `paircast deletions`, and approve what is meant" });
  }
}
