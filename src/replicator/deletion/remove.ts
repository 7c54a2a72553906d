/**
 * Deletes one copy, in this order: the catalogue, so that no gateway sends anybody there; the locator; its streaming policy, where nothing else uses
 * it; the asset with its container. Each step can be done again. The source is never touched.
 */
import { errorCode, PaircastError } from "../../core/errors.ts";
import type { Deletion, VersionedDeletion } from "../../core/ports/deletions.ts";
import type { Fence } from "../../core/ports/journal.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import { withoutCopy } from "../entry.ts";
import { jobId } from "../job.ts";
import { withLease } from "../lease.ts";
import { changeEntry } from "../publish.ts";
import { forgetCreation } from "./creation.ts";
import type { DeletionDeps } from "./deps.ts";
import { evidenceOf } from "./evidence.ts";
import { DELETED } from "./note.ts";
import { creation, lookAtHolding, type Holding } from "./ownership.ts";

/** Gateways follow the catalogue within a second (`CatalogueView`); what is under way at them is given as much again. */
const GATEWAYS_FOLLOW_MS = 2_000;

/** The deletion as it is stored afterwards. Throws where it could not be brought to its end: it is gone on with the next time. */
export async function removeCopy(deps: DeletionDeps, stored: VersionedDeletion, stop: AbortSignal): Promise<Deletion> {
  const { journal, clock, owner, options } = deps;
  const { source, target: region, assetName } = stored.deletion;
  const target = deps.accounts.get(region);
  if (target === undefined)
    throw new PaircastError("not_configured", `delete ${assetName} in ${region}: the region has no media account; configure one`);
  const id = jobId({ source, target: region, assetName });
  const lease = { journal, clock, owner, leaseMs: options.leaseMs ?? 15_000, wait: false };
  return withLease(lease, id, stop, async (lost, holder) =>
    new Removal(deps, target, stored, { jobId: id, owner: holder }, AbortSignal.any([stop, lost])).run(),
  );
}

class Removal {
  readonly #deps: DeletionDeps;
  readonly #target: MediaAccount;
  readonly #fence: Fence;
  readonly #signal: AbortSignal;
  #deletion: Deletion;
  #version: string;

  constructor(deps: DeletionDeps, target: MediaAccount, { deletion, version }: VersionedDeletion, fence: Fence, signal: AbortSignal) {
    this.#deps = deps;
    this.#target = target;
    this.#deletion = deletion;
    this.#version = version;
    this.#fence = fence;
    this.#signal = signal;
  }

  /** Everything is looked at once more, now that no job can be at it. */
  async run(): Promise<Deletion> {
    if ((await evidenceOf(this.#deps, this.#deletion, this.#signal)) !== "gone") return this.#deletion;
    const found = await lookAtHolding(this.#deps, this.#target, this.#deletion, this.#signal);
    if (!found.ours) return this.#store({ state: "foreign", detail: found.why });
    const { holding } = found;
    await this.#store({ state: "deleting", begunAt: this.#deps.clock.now(), bytes: holding.bytes ?? this.#deletion.bytes });
    await this.#takeOutOfService(holding);
    const deleted = [
      ...(await this.#deleteLocator(holding)),
      ...(await this.#deletePolicy(holding)),
      ...(await this.#deleteAsset(holding)),
    ];
    const what = deleted.length === 0 ? "it was not there any more" : `deleted: ${deleted.join(", ")}`;
    return this.#store({ state: "done", detail: [what, ...holding.stays].join("; ") });
  }

  /** Written before anything is deleted: what was begun counts, and is gone on with, whatever happens here. */
  async #store(change: Partial<Deletion>): Promise<Deletion> {
    this.#signal.throwIfAborted();
    const next = { ...this.#deletion, ...change, at: this.#deps.clock.now() };
    this.#version = await this.#deps.deletions.put(next, this.#version);
    this.#deletion = next;
    return next;
  }

  async #takeOutOfService({ locator }: Holding): Promise<void> {
    const { catalogue, clock } = this.#deps;
    const { locatorId, target } = this.#deletion;
    const change = (stored: Parameters<typeof withoutCopy>[0] | null) =>
      stored === null ? null : withoutCopy(stored, target, clock.now(), DELETED);
    await changeEntry(catalogue, locatorId, change, this.#fence);
    if (locator !== null) await clock.sleep(GATEWAYS_FOLLOW_MS, this.#signal);
  }

  async #deleteLocator({ locator }: Holding): Promise<readonly string[]> {
    const what = `locator ${this.#deletion.locatorName}`;
    if (locator !== null) {
      this.#signal.throwIfAborted();
      await this.#target.deleteLocator(locator.name, this.#signal);
      if ((await this.#target.locator(locator.name, this.#signal)) !== null) throw this.#stillThere(what);
    }
    await this.#forget(what);
    return locator === null ? [] : [what];
  }

  /** One that another locator uses stays, and goes with the last of them. */
  async #deletePolicy({ streamingPolicy: name }: Holding): Promise<readonly string[]> {
    if (name === null) return [];
    this.#signal.throwIfAborted();
    const what = `streaming policy ${name}`;
    try {
      await this.#target.deleteStreamingPolicy(name, this.#signal);
    } catch (error) {
      if (errorCode(error) === "media_in_use") return [];
      throw error;
    }
    await this.#forget(what);
    return [what];
  }

  async #deleteAsset({ asset }: Holding): Promise<readonly string[]> {
    if (asset === null) return [];
    this.#signal.throwIfAborted();
    const what = `asset ${asset.name}`;
    await this.#target.deleteAsset?.(asset.name, this.#signal);
    if ((await this.#target.asset(asset.name, this.#signal)) !== null) throw this.#stillThere(what);
    await this.#forget(what);
    return [`${what} with container ${asset.container}`];
  }

  async #forget(what: string): Promise<void> {
    await forgetCreation(creation(this.#deps, this.#deletion, what));
  }

  #stillThere(what: string): PaircastError {
    return new PaircastError("delete_failed", `delete ${what} in ${this.#target.region}: it is still there afterwards`, { retry: "retry" });
  }
}
