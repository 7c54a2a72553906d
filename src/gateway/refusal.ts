/** A manifest that cannot be rewritten, because it has something that does not hold in every region. Pure. */
import type { Rewritten, RewriteRefusal } from "./pathway.ts";

/** Thrown inside a kernel, never out of it. */
export class Refusal extends Error {
  readonly reason: RewriteRefusal;

  constructor(reason: RewriteRefusal, detail: string) {
    super(detail);
    this.name = "Refusal";
    this.reason = reason;
  }
}

/** What `rewrite` made, or why it refused. */
export function orRefusal(rewrite: () => Rewritten): Rewritten {
  try {
    return rewrite();
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.reason, detail: error.message };
    throw error;
  }
}
