/** What a verification found and what follows from it. Pure. */
import type { FailureReason } from "../core/contracts.ts";

/** One thing that was looked at. */
export interface Finding {
  /** For people: `HLS manifest and segment`, `content key 0a…`. */
  readonly subject: string;
  /** `proven`; `unproven`: could not be looked at, and that is nobody's fault; `failed`: looked at, and wrong or no answer. */
  readonly result: "proven" | "unproven" | "failed";
  readonly detail: string;
  readonly reason: FailureReason | null;
}

export interface VerificationReport {
  readonly ok: boolean;
  /** A failure that lies in this copy and not in the region's health: the copy must not serve. */
  readonly wrong: boolean;
  /** One sentence for people. */
  readonly detail: string;
  readonly findings: readonly Finding[];
}

/** Reasons that speak of this video. All others can be the region's passing illness, which health watches. */
const OF_THE_VIDEO: ReadonlySet<FailureReason> = new Set<FailureReason>(["not_found", "key_mismatch"]);

/** Good when nothing failed; what could not be looked at is said and does not count against the copy. */
export function judge(findings: readonly Finding[]): VerificationReport {
  const failed = findings.filter((finding) => finding.result === "failed");
  const wrong = failed.some(({ reason }) => reason !== null && OF_THE_VIDEO.has(reason));
  return { ok: failed.length === 0, wrong, findings, detail: sentence(findings, failed) };
}

function sentence(findings: readonly Finding[], failed: readonly Finding[]): string {
  if (failed.length > 0) return failed.map(({ subject, detail }) => `${subject}: ${detail}`).join("; ");
  const proven = findings.filter(({ result }) => result === "proven").map(({ subject }) => subject);
  const open = findings.filter(({ result }) => result === "unproven").map(({ subject, detail }) => `${subject} not proven: ${detail}`);
  return [proven.length === 0 ? "nothing could be proven" : `verified ${proven.join(", ")}`, ...open].join("; ");
}
