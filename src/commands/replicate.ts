/** `paircast replicate`: one pass, and what it did. */
import { composeFoundations } from "../compose/foundations.ts";
import { replicateOnce } from "../compose/replication.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import type { Terminal } from "./terminal.ts";

export interface ReplicateOptions {
  readonly config: string;
  readonly asset: string | null;
  /** Withdraw also where a source has unpublished most of its videos at once. */
  readonly acceptWithdrawals: boolean;
  readonly json: boolean;
}

type Summary = NonNullable<Awaited<ReturnType<typeof replicateOnce>>>;

/** The exit code: 0 where everything is as it should be, 1 where something failed or conflicts. */
export async function replicate(terminal: Terminal, options: ReplicateOptions): Promise<number> {
  const config = loadConfig(options.config);
  await using foundations = await composeFoundations({
    config,
    version: terminal.version,
    log: createLog(config.log.level),
    routes: false,
  });
  const summary = await replicateOnce(foundations, options, terminal.stop);
  if (summary === null)
    throw new PaircastError(
      "nothing_to_replicate",
      `${options.config}: no region has a media account or storage, so there is nothing to replicate`,
    );
  if (options.asset !== null && summary.assets + summary.withdrawn + summary.unreachable.length === 0) {
    throw new PaircastError(
      "unknown_asset",
      `no source region publishes an asset named ${options.asset}: check the name, or publish it with a locator first`,
    );
  }
  terminal.print(options.json ? JSON.stringify(summary) : text(summary));
  const wrong = summary.failed + summary.conflicts + summary.unreachable.length + summary.withdrawalsRefused.length;
  return wrong > 0 || terminal.stop.aborted ? 1 : 0;
}

function text(summary: Summary): string {
  const { assets, changed, conflicts, failed, elsewhere, bytes, withdrawn, withdrawalsRefused, unreachable } = summary;
  const lines = summary.results
    .filter(({ result }) => result !== "unchanged")
    .map(({ assetName, source, target, result, counts, error }) => {
      const done = `${counts.blobsCopied} blobs (${counts.bytesCopied} bytes) copied, ${counts.published} locators verified`;
      return `${assetName}: ${source} -> ${target}: ${result}: ${error === null ? done : error.message}`;
    });
  const quiet = changed + conflicts + failed + elsewhere + withdrawn + withdrawalsRefused.length + unreachable.length === 0;
  const total = quiet
    ? `nothing to do: ${counted(assets, "asset")} ${assets === 1 ? "is" : "are"} the same everywhere`
    : `${counted(assets, "asset")}: ${counted(changed, "job")} changed something, ${bytes} bytes copied, ${counted(conflicts, "conflict")}, ${failed} failed, ${counted(withdrawn, "locator")} withdrawn${elsewhere === 0 ? "" : `, ${elsewhere} by other processes`}`;
  return [
    ...lines,
    ...unreachable.map((region) => `${region}: cannot be asked what it publishes; see the log above`),
    ...withdrawalsRefused.map(
      ({ region, gone, of }) =>
        `${region}: ${gone} of ${of} videos seem to be unpublished; none was withdrawn. Add --accept-withdrawals if that is meant`,
    ),
    total,
  ].join("\n");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
