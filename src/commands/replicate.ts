/** `paircast replicate`: one pass, and what it did. */
import { composeFoundations, type Foundations } from "../compose/foundations.ts";
import { canBeReplicated, followReplication, replicateOnce } from "../compose/replication.ts";
import { systemClock } from "../core/clock.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog, type Log } from "../core/log.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { counted } from "./figures.ts";
import { collectEarly } from "./heap.ts";
import { STOPPED, withProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

export interface ReplicateOptions extends ReplicateFlags {
  readonly config: string;
  readonly asset: string | null;
}

export interface ReplicateFlags {
  /** Withdraw also where a source has unpublished most of its videos at once. */
  readonly acceptWithdrawals: boolean;
  /** Delete and create anew what cannot be changed and differs on a target. */
  readonly recreate: boolean;
  /** Only what lists and catalogue show to have changed. */
  readonly changed: boolean;
  /** Go on until stopped, together with every process that shares the state. */
  readonly follow: boolean;
  readonly json: boolean;
}

type Summary = NonNullable<Awaited<ReturnType<typeof replicateOnce>>>;

/** The exit code: 0 where everything is as it should be, 1 where something failed or conflicts. */
export async function replicate(terminal: Terminal, options: ReplicateOptions): Promise<number> {
  collectEarly();
  const config = loadConfig(options.config);
  const { level } = config.log;
  const compose = async (log: Log) => composeFoundations({ config, version: terminal.version, log, routes: false });
  if (!options.follow) {
    const summary = await withProgress(terminal, { json: options.json, clock: systemClock, level }, async ({ logger, sink: progress }) => {
      await using foundations = await compose(logger);
      return await replicateOnce({ ...foundations, jobs: { ...foundations.jobs, progress } }, options, terminal.stop);
    });
    return once(summary, terminal, options);
  }
  await using foundations = await compose(createLog(level));
  // Awaited here: the stores close when this returns.
  return await follow(foundations, terminal, options);
}

function once(summary: Summary | null, terminal: Terminal, options: ReplicateOptions): number {
  if (summary === null) throw nothingToReplicate(options);
  if (options.asset !== null && summary.assets + summary.withdrawn + summary.unreachable.length === 0) {
    throw new PaircastError(
      "unknown_asset",
      `no source region publishes an asset named ${options.asset}: check the name, or publish it with a locator first`,
    );
  }
  terminal.print(options.json ? JSON.stringify(summary) : text(summary));
  const wrong = summary.failed + summary.conflicts + summary.unreachable.length + summary.withdrawalsRefused.length;
  if (terminal.stop.aborted) terminal.note(STOPPED);
  return wrong > 0 || terminal.stop.aborted ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** Passes that found or did something, a line each. What workers do is in the log. */
async function follow(foundations: Foundations, terminal: Terminal, options: ReplicateOptions): Promise<number> {
  const { asset, json } = options;
  if (!canBeReplicated(foundations)) throw nothingToReplicate(options);
  if (asset !== null) throw new PaircastError("bad_options", "--follow is for all assets: leave --asset out, or --follow");
  await followReplication(foundations, terminal.stop, (summary) => {
    const { results: _results, ...counts } = summary;
    if (json) terminal.print(JSON.stringify(counts));
    else if (!isQuiet(summary) || summary.queued > 0) terminal.print(text(summary));
  });
  return 0;
}

function nothingToReplicate({ config }: ReplicateOptions): PaircastError {
  return new PaircastError("nothing_to_replicate", `${config}: no region has a media account or storage, so there is nothing to replicate`);
}

function isQuiet({ changed, conflicts, failed, elsewhere, withdrawn, withdrawalsRefused, unreachable }: Summary): boolean {
  return changed + conflicts + failed + elsewhere + withdrawn + withdrawalsRefused.length + unreachable.length === 0;
}

function text(summary: Summary): string {
  const { assets, changed, conflicts, failed, elsewhere, bytes, withdrawn, withdrawalsRefused, unreachable } = summary;
  const lines = summary.results
    .filter(({ result }) => result !== "unchanged")
    .map(({ assetName, source, target, result, counts, error }) => {
      const done = `${counts.blobsCopied} blobs (${counts.bytesCopied} bytes) copied, ${counts.published} locators verified`;
      return `${assetName}: ${source} -> ${target}: ${result}: ${error === null ? done : error.message}`;
    });
  const total =
    isQuiet(summary) && summary.queued === 0
      ? `nothing to do: ${counted(assets, "asset")} ${assets === 1 ? "is" : "are"} the same everywhere`
      : `${counted(assets, "asset")}: ${counted(changed, "job")} changed something, ${bytes} bytes copied, ${counted(conflicts, "conflict")}, ${failed} failed, ${counted(withdrawn, "locator")} withdrawn${elsewhere === 0 ? "" : `, ${elsewhere} by other processes`}${summary.queued === 0 ? "" : `, ${counted(summary.queued, "piece")} of work queued`}`;
  const { resultsLeftOut } = summary;
  return [
    ...lines,
    ...(resultsLeftOut === 0 ? [] : [`and ${counted(resultsLeftOut, "more result")}: the log has them`]),
    ...unreachable.map((region) => `${region}: cannot be asked what it publishes; see the log above`),
    ...withdrawalsRefused.map(
      ({ region, gone, of }) =>
        `${region}: ${gone} of ${of} videos seem to be unpublished; none was withdrawn. Add --accept-withdrawals if that is meant`,
    ),
    total,
  ].join("\n");
}
