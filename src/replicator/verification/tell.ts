/** Logs and counts what a verification found, once. */
import type { Log } from "../../core/log.ts";
import type { VerificationMetrics } from "../../core/verificationMetrics.ts";
import { classOf, sideOf } from "./consequences.ts";
import type { CopyReport } from "./verifyCopy.ts";

export type VerificationRecorder = Pick<VerificationMetrics, "check" | "problem" | "oldest" | "interval">;

export function tell(report: CopyReport, log: Log, metrics: VerificationRecorder | null): void {
  const { source, target, assetName, result, problems, withdrawn, detail, readBytes } = report;
  if (result === "busy") return;
  metrics?.check(target, result, readBytes);
  for (const problem of problems) metrics?.problem(sideOf(problem) === "source" ? source : target, classOf(problem));
  const fields = { asset: assetName, source, target, detail, problems: problems.length, withdrawn };
  if (result === "sound") log.debug("verification.sound", fields);
  else if (result === "broken") log.error("verification.broken", fields);
  else log.warn(`verification.${result}`, fields);
}
