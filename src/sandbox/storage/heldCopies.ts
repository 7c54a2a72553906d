/** Asynchronous copies that take their time. Azurite completes every copy at once, so the waiting is kept here and laid over its answers. */
import type { Clock } from "../../core/clock.ts";

export interface CopyHold {
  /** How many of the next asynchronous copies are meant. */
  readonly next: number;
  /** How long each stays pending. */
  readonly forMs: number;
  readonly outcome: "success" | "failed";
}

export type CopyStatus = "pending" | "success" | "failed" | "aborted";

interface HeldCopy {
  readonly copyId: string;
  readonly until: number;
  readonly outcome: "success" | "failed" | "aborted";
}

export class HeldCopies {
  readonly #clock: Clock;
  readonly #copies = new Map<string, HeldCopy>();
  #hold: CopyHold = { next: 0, forMs: 0, outcome: "success" };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(hold: CopyHold): void {
    this.#hold = hold;
  }

  /** A copy to `name` has been accepted; returns the status to report. */
  started(name: string, copyId: string): CopyStatus {
    this.#copies.delete(name);
    if (this.#hold.next <= 0) return "success";
    this.#hold = { ...this.#hold, next: this.#hold.next - 1 };
    this.#copies.set(name, { copyId, until: this.#clock.now() + this.#hold.forMs, outcome: this.#hold.outcome });
    return this.status(name);
  }

  /** `success` also for a blob that no held copy made. */
  status(name: string): CopyStatus {
    const copy = this.#copies.get(name);
    if (copy === undefined) return "success";
    return this.#clock.now() < copy.until ? "pending" : copy.outcome;
  }

  /** Ends a pending copy; false when `copyId` is not pending at `name`. */
  abort(name: string, copyId: string): boolean {
    const copy = this.#copies.get(name);
    if (copy === undefined || copy.copyId !== copyId || this.status(name) !== "pending") return false;
    this.#copies.set(name, { copyId, until: this.#clock.now(), outcome: "aborted" });
    return true;
  }

  /** The blob was replaced or deleted. */
  forget(name: string): void {
    this.#copies.delete(name);
  }
}

/** The key of a blob in `HeldCopies`. */
export function blobKey({ container, blob }: { readonly container: string; readonly blob: string }): string {
  return `${container}/${blob}`;
}
