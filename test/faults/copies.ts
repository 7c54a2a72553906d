/** Counts what a target's storage was made to take in: whole blobs and blocks, and which of them more than once. Pure. */
import type { Answer, Call } from "./gate.ts";
import { blobOf } from "./operation.ts";

/** What a call brought in: the same text for the same thing. Null for a call that moves no content, or failed. */
export function transferOf(call: Pick<Call, "service" | "method" | "target">, answer: Pick<Answer, "status">): string | null {
  if (call.service !== "storage" || call.method !== "PUT" || answer.status < 200 || answer.status > 202) return null;
  const query = new URLSearchParams(call.target.slice(call.target.indexOf("?") + 1));
  const at = blobOf(call.target);
  if (at === null || at.blob === "") return null;
  const place = `${at.container}/${at.blob}`;
  switch (query.get("comp")) {
    case null:
      return place;
    case "block":
      return `${place} block ${query.get("blockid") ?? ""}`;
    default:
      return null;
  }
}

export class Copies {
  readonly #counts = new Map<string, number>();
  /** Those whose caller died before it had an answer. */
  readonly #inFlight = new Map<string, number>();

  count(transfer: string): void {
    add(this.#counts, transfer);
  }

  diedDuring(transfer: string): void {
    add(this.#inFlight, transfer);
  }

  get all(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Taken in more often than once, beyond those that were in flight when their caller died. */
  repeated(): readonly string[] {
    return [...this.#counts].filter(([transfer, count]) => count - 1 > (this.#inFlight.get(transfer) ?? 0)).map(([transfer]) => transfer);
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
