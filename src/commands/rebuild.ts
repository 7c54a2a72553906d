/** `paircast rebuild`: a region gets back what it has lost. */
import { composeFoundations } from "../compose/foundations.ts";
import { rebuild, type RebuildRequest } from "../compose/rebuild.ts";
import { systemClock } from "../core/clock.ts";
import { loadConfig } from "../core/config/load.ts";
import type { RebuildJob } from "../replicator/rebuild/plan.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { STOPPED, withProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

export interface RebuildArguments extends RebuildRequest {
  readonly config: string;
  readonly json: boolean;
}

type Summary = Awaited<ReturnType<typeof rebuild>>;

/** The exit code: 0 where the region has everything again, 1 where something failed, conflicts, waits or is lost. */
export async function rebuildCommand(terminal: Terminal, options: RebuildArguments): Promise<number> {
  const config = loadConfig(options.config);
  const view = { json: options.json, clock: systemClock, level: config.log.level };
  const summary = await withProgress(terminal, view, async ({ logger: log, sink: progress }) => {
    await using foundations = await composeFoundations({ config, version: terminal.version, log, routes: false });
    return await rebuild({ ...foundations, jobs: { ...foundations.jobs, progress } }, options, terminal.stop);
  });
  terminal.print(options.json ? JSON.stringify(summary) : text(summary));
  const wrong = summary.failed + summary.conflicts + summary.waiting.length + summary.lost.length;
  if (terminal.stop.aborted) terminal.note(STOPPED);
  return wrong > 0 || terminal.stop.aborted ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

function text(summary: Summary): string {
  const { region, lost, waiting, done, resumedFrom, dryRun } = summary;
  return [
    ...(resumedFrom === null ? [] : [`goes on with the rebuild of ${region} that was begun at ${new Date(resumedFrom).toISOString()}`]),
    ...(dryRun ? summary.jobs.map(planned) : summary.results.flatMap(outcome)),
    ...lost.map(({ locatorId, assetName, why }) => `${assetName} (${locatorId}): lost: ${why}`),
    ...waiting.map(({ locatorId, assetName, why }) => `${assetName} (${locatorId}): waits: ${why}`),
    `${dryRun ? wouldBe(summary) : was(summary)}${done === 0 ? "" : `, ${done} videos were rebuilt before`}, ${lost.length} lost, ${waiting.length} waiting`,
  ].join("\n");
}

function planned({ from, files, assetName, locatorIds }: RebuildJob): string {
  const place = from === files ? from : `${from}, files from ${files}`;
  return `${assetName}: ${locatorIds.length} locators from ${place}`;
}

function outcome({ assetName, source, result, counts, error }: Summary["results"][number]): string[] {
  if (result === "unchanged") return [];
  const copied = `${counts.blobsCopied} blobs (${counts.bytesCopied} bytes) copied, ${counts.published} locators verified`;
  return [`${assetName}: from ${source}: ${result}: ${error === null ? copied : error.message}`];
}

function wouldBe({ region, jobs, withdrawn }: Summary): string {
  return `${region}: ${jobs.length} assets would be rebuilt, ${withdrawn} locators taken out of service until they are verified`;
}

function was({ region, rebuilt, unchanged, conflicts, failed, bytes, withdrawn }: Summary): string {
  return `${region}: ${rebuilt} assets rebuilt, ${unchanged} as they were, ${bytes} bytes copied, ${conflicts} conflicts, ${failed} failed, ${withdrawn} locators taken out of service until they were verified`;
}
