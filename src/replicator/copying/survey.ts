/** Sums up what was found of the blobs of two containers. */
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo } from "../../core/ports/storage.ts";
import type { Conflict } from "../conflict.ts";
import { planBlob, type BlobAction, type BlobFinding, type BlobPlan } from "../planBlobs.ts";

/** Actions that a plan holds: a page of the service's listing. */
const HELD = 5000;
/** Conflicts and names that are kept for people. */
const NAMED = 20;

export class Survey {
  readonly #place: string;
  readonly #held: number;
  readonly #totals = { copy: 0, bytes: 0, adopt: 0, skip: 0 };
  readonly #conflicts: Conflict[] = [];
  readonly #named = { extra: new Names(), unready: new Names(), archived: new Names(), converted: new Names() };
  #actions: BlobAction[] | null = [];

  /** `place` is the source's, for errors. */
  constructor(place: string, held: number = HELD) {
    this.#place = place;
    this.#held = held;
  }

  /** False for an action that is counted and not held, as there are too many. */
  add(finding: BlobFinding): boolean {
    switch (finding.kind) {
      case "extra":
      case "unready":
      case "archived":
        this.#named[finding.kind].add(finding.name);
        return true;
      case "skip":
        this.#totals.skip += 1;
        return true;
      case "conflict":
        this.#addConflict(finding.conflict);
        return true;
      case "compare":
        return this.#hold(finding);
      case "adopt":
        this.#totals.adopt += 1;
        return this.#hold(finding);
      case "copy":
        this.#countCopy(finding.source);
        return this.#hold(finding);
    }
  }

  #addConflict(conflict: Conflict): void {
    if (this.#conflicts.length < NAMED) this.#conflicts.push(conflict);
  }

  #countCopy({ name, length, type }: BlobInfo): void {
    this.#totals.copy += 1;
    this.#totals.bytes += length;
    if (type !== "BlockBlob") this.#named.converted.add(name);
  }

  /** Throws where blobs of the source cannot be read: nothing is to be copied before all can be. */
  plan(unordered: boolean): BlobPlan {
    const { unready, archived, extra, converted } = this.#named;
    if (unready.count > 0) refuseUnreadable(this.#place, "unready", unready.first, unready.count);
    if (archived.count > 0) refuseUnreadable(this.#place, "archived", archived.first, archived.count);
    const notes = [
      ...extra.note("left alone on the target: ? blobs that the source lacks"),
      ...converted.note("carried as block blobs: ? page or append blobs of the source"),
    ];
    return { totals: this.#totals, conflicts: this.#conflicts, actions: this.#actions, notes, unordered };
  }

  #hold(action: BlobAction): boolean {
    if (this.#actions !== null && this.#actions.length >= this.#held) this.#actions = null;
    this.#actions?.push(action);
    return this.#actions !== null;
  }
}

/** What is to be copied where the target has nothing yet. Nothing of it is held. */
export async function surveyAlone(source: BlobContainer, signal?: AbortSignal): Promise<BlobPlan> {
  const seen = new Survey(source.label, 0);
  for await (const blob of source.list(signal)) seen.add(planBlob(blob, null, null));
  return seen.plan(false);
}

class Names {
  readonly first: string[] = [];
  count = 0;

  add(name: string): void {
    this.count += 1;
    if (this.first.length < 3) this.first.push(name);
  }

  note(text: string): readonly string[] {
    return this.count === 0 ? [] : [`${text.replace("?", String(this.count))}, such as ${this.first[0]}`];
  }
}

export function refuseUnreadable(place: string, kind: "unready" | "archived", names: readonly string[], count: number): never {
  const named = `${names.join(", ")}${count > names.length ? ` and ${count - names.length} more` : ""}`;
  if (kind === "unready")
    throw new PaircastError(
      "source_unready",
      `copy from ${place}: ${named} is still being written or failed to be; try again when it is complete`,
      { retry: "retry" },
    );
  throw new PaircastError(
    "blob_archived",
    `copy from ${place}: ${named} is in the archive tier, where nothing can be read; rehydrate it to an online tier (this takes hours), or delete it if the video does without`,
  );
}
