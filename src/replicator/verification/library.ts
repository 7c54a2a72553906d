/** Verifies a library, or some of it, once. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { JobResult } from "../../core/metrics.ts";
import { forEachBounded } from "../bounded.ts";
import type { JobIdentity } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import type { ProgressSink } from "../progress.ts";
import { dueCopies } from "./due.ts";
import type { Inspector } from "./inspector.ts";
import { verifyCopy, type CopyReport, type VerifyCopyOptions, type VerifyResult } from "./verifyCopy.ts";

export interface LibraryOptions extends VerifyCopyOptions {
  /** Only this asset; null: all. */
  readonly assetName: string | null;
  /** Above 0, at most 1: those that have waited longest. */
  readonly share: number;
  /** Copies at a time. */
  readonly concurrency: number;
  readonly onReport?: (report: CopyReport) => void;
  /** Told how far it is; left out: nobody. Bytes are those that were read. */
  readonly progress?: ProgressSink;
}

const PROGRESS: Readonly<Record<VerifyResult, JobResult>> = {
  sound: "unchanged",
  behind: "unchanged",
  repaired: "changed",
  broken: "failed",
  unanswered: "failed",
  busy: "unchanged",
};

export interface LibrarySummary {
  /** Copies that serve (with `repair` also those that are out of service), in regions that can be asked. */
  readonly copies: number;
  /** How many of them were looked at, by result. */
  readonly results: Readonly<Record<VerifyResult, number>>;
  readonly readBytes: number;
  /** Of all that are not sound. */
  readonly reports: readonly CopyReport[];
}

/** Rejects where the catalogue cannot be read, or with the reason of `stop`. */
export async function verifyLibrary(
  deps: JobDeps,
  inspector: Inspector,
  options: LibraryOptions,
  stop?: AbortSignal,
): Promise<LibrarySummary> {
  const { copies, chosen } = await choose(deps, inspector, options);
  const results: Record<VerifyResult, number> = { sound: 0, behind: 0, repaired: 0, broken: 0, unanswered: 0, busy: 0 };
  const reports: CopyReport[] = [];
  const { progress } = options;
  let readBytes = 0;
  const verify = async (copy: JobIdentity): Promise<void> => {
    const report = await verifyCopy(deps, inspector, copy, options, stop);
    results[report.result] += 1;
    readBytes += report.readBytes;
    if (report.result !== "sound") reports.push(report);
    options.onReport?.(report);
    if (report.readBytes > 0) progress?.({ type: "copied", ...copy, bytes: report.readBytes });
    progress?.({ type: "done", ...copy, result: PROGRESS[report.result] });
  };
  for (const copy of chosen) progress?.({ type: "found", ...copy });
  await forEachBounded(chosen, options.concurrency, verify, stop);
  return { copies, results, readBytes, reports };
}

interface Chosen {
  readonly copies: number;
  readonly chosen: readonly JobIdentity[];
}

async function choose({ catalogue }: JobDeps, { regions }: Inspector, { assetName, share, repair }: LibraryOptions): Promise<Chosen> {
  const entries: CatalogueEntry[] = [];
  for await (const { entry } of catalogue.list()) if (assetName === null || entry.assetName === assetName) entries.push(entry);
  const all = dueCopies(entries, { now: Infinity, everyMs: 0, most: Infinity, regions, withdrawn: repair });
  const chosen = all.slice(0, Math.ceil(all.length * share));
  return { copies: all.length, chosen: chosen.map(({ source, target, assetName: name }) => ({ source, target, assetName: name })) };
}
