/** How a configuration verifies what it has replicated: once for the command, for ever in `serve`. */
import { canReplicate } from "../core/config/rules.ts";
import type { ProgressSink } from "../replicator/progress.ts";
import { amsInspector } from "../replicator/verification/inspectAms.ts";
import { staticInspector } from "../replicator/verification/inspectStatic.ts";
import type { Inspector } from "../replicator/verification/inspector.ts";
import { verifyLibrary, type LibrarySummary } from "../replicator/verification/library.ts";
import type { VerificationPolicy } from "../replicator/verification/policy.ts";
import { recheckLoop } from "../replicator/verification/recheck.ts";
import { tell } from "../replicator/verification/tell.ts";
import type { CopyReport } from "../replicator/verification/verifyCopy.ts";
import type { Foundations } from "./foundations.ts";
import { onDemandView } from "./onDemand.ts";
import { verificationPolicy } from "./verificationPolicy.ts";

/** Null where there is nothing that was replicated. */
function composeInspector({ config, accounts, libraries, jobs }: Foundations): Inspector | null {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  if (able.length === 0) return null;
  return able.some((name) => libraries.has(name)) ? staticInspector({ ...jobs, libraries }) : amsInspector({ ...jobs, accounts });
}

export interface VerifyOnceOptions {
  /** Null: all. */
  readonly asset: string | null;
  /** Above 0, at most 1: the copies that have waited longest. */
  readonly share: number;
  /** In place of what is configured. */
  readonly policy: Partial<VerificationPolicy>;
  readonly repair: boolean;
  readonly dryRun: boolean;
  readonly onReport?: (report: CopyReport) => void;
  readonly progress?: ProgressSink;
}

/** Null where the configuration has nothing to verify. Rejects with the reason of `stop`. */
export async function verifyOnce(foundations: Foundations, options: VerifyOnceOptions, stop: AbortSignal): Promise<LibrarySummary | null> {
  const inspector = composeInspector(foundations);
  if (inspector === null) return null;
  const { config, jobs, log } = foundations;
  const { asset, share, policy, repair, dryRun, onReport, progress } = options;
  const library = {
    assetName: asset,
    share,
    policy: { ...verificationPolicy(config), ...policy },
    repair,
    dryRun,
    concurrency: config.replication.recheck.concurrency,
    onReport: (report: CopyReport) => {
      tell(report, log, null);
      onReport?.(report);
    },
    ...(progress === undefined ? {} : { progress }),
  };
  return verifyLibrary(jobs, inspector, library, stop);
}

/** As part of `serve`: until `stop` aborts; at once where it is switched off or there is nothing to verify. Never rejects. */
export async function recheckInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { config, jobs, view, metrics } = foundations;
  const { enabled, every, concurrency, repair } = config.replication.recheck;
  const inspector = config.replication.enabled && enabled ? composeInspector(foundations) : null;
  if (inspector === null) {
    metrics.verification.interval(0);
    return;
  }
  const onDemand = onDemandView(view);
  const loop = {
    policy: verificationPolicy(config),
    repair,
    everyMs: every,
    concurrency,
    entries: () => onDemand.entries(),
    metrics: metrics.verification,
  };
  await recheckLoop(jobs, inspector, loop, stop);
}
