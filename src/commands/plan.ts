/** `paircast plan`: what `replicate` would do, and nothing of it. */
import { composeFoundations } from "../compose/foundations.ts";
import { deletionList } from "../compose/deletions.ts";
import { planOnce, type JobPlan } from "../compose/planning.ts";
import { loadConfig } from "../core/config/load.ts";
import type { CatalogueEntry } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import { conflictText } from "../replicator/conflict.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { bytesText, counted } from "./figures.ts";
import type { ReplicateFlags } from "./replicate.ts";
import type { Terminal } from "./terminal.ts";

export interface PlanOptions extends Omit<ReplicateFlags, "follow"> {
  readonly config: string;
  readonly asset: string | null;
}

type Listed = Awaited<ReturnType<typeof deletionList>>[number];
type Summary = NonNullable<Awaited<ReturnType<typeof planOnce>>>;

/** The exit code: 1 where `replicate` would end with 1. Printed as it is found: a library's plan is not held in memory. */
export async function plan(terminal: Terminal, options: PlanOptions): Promise<number> {
  const { config: file, asset, json } = options;
  const config = loadConfig(file);
  const log = createLog(config.log.level);
  await using foundations = await composeFoundations({ config, version: terminal.version, log, routes: false });
  const printer = json ? new JsonPrinter(terminal) : new TextPrinter(terminal);
  const summary = await planOnce(foundations, options, printer, terminal.stop);
  if (summary === null)
    throw new PaircastError("nothing_to_replicate", `${file}: no region has a media account or storage, so there is nothing to replicate`);
  if (asset !== null && summary.assets + summary.withdrawn + summary.unreachable.length === 0)
    throw new PaircastError("unknown_asset", `no source region publishes an asset named ${asset}: check the name`);
  const listed = asset === null && config.replication.deletion.enabled ? await deletionList(foundations, terminal.stop) : [];
  printer.end(
    summary,
    listed.filter(({ status }) => status === "delete" || status === "deleting"),
  );
  const wrong = summary.failed + summary.conflicts + summary.unreachable.length + summary.withdrawalsRefused.length;
  return wrong > 0 ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** One JSON object, a job a line. */
class JsonPrinter {
  readonly #terminal: Terminal;
  readonly #withdrawals: object[] = [];
  #jobs = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  readonly onJob = (job: JobPlan): void => {
    if (job.result === "unchanged") return;
    this.#terminal.print(`${this.#jobs === 0 ? '{"jobs":[' : ","}${JSON.stringify(job)}`);
    this.#jobs += 1;
  };

  readonly onWithdrawal = ({ locatorId, assetName, source }: CatalogueEntry): void => {
    this.#withdrawals.push({ locatorId, assetName, region: source });
  };

  end(
    { results: _results, resultsLeftOut: _leftOut, elsewhere: _elsewhere, queued: _queued, ...summary }: Summary,
    deletions: readonly Listed[],
  ): void {
    const deleted = deletions.map(({ id, assetName, locatorId, target }) => ({ id, assetName, locatorId, target }));
    const rest = JSON.stringify({ withdrawals: this.#withdrawals, deletions: deleted, summary }).slice(1);
    this.#terminal.print(`${this.#jobs === 0 ? '{"jobs":[' : ""}],${rest}`);
  }
}

class TextPrinter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  readonly onJob = (job: JobPlan): void => {
    if (job.result !== "unchanged") for (const line of linesOf(job)) this.#terminal.print(line);
  };

  readonly onWithdrawal = ({ locatorId, assetName, source }: CatalogueEntry): void => {
    this.#terminal.print(`${assetName}: ${source} does not publish locator ${locatorId} any more: it would be withdrawn there`);
  };

  end(
    { assets, changed, conflicts, failed, bytes, withdrawn, withdrawalsRefused, unreachable }: Summary,
    deletions: readonly Listed[],
  ): void {
    for (const { assetName, target, locatorId } of deletions)
      this.#terminal.print(`${assetName}: locator ${locatorId} would be deleted in ${target}, by \`serve\` or \`deletions run\``);
    for (const region of unreachable) this.#terminal.print(`${region}: cannot be asked what it publishes; see the log above`);
    for (const { region, gone, of } of withdrawalsRefused)
      this.#terminal.print(
        `${region}: ${gone} of ${of} videos seem to be unpublished; none would be withdrawn without --accept-withdrawals`,
      );
    const isQuiet = changed + conflicts + failed + withdrawn + unreachable.length + withdrawalsRefused.length === 0;
    this.#terminal.print(
      isQuiet
        ? `nothing to do: ${counted(assets, "asset")} ${assets === 1 ? "is" : "are"} the same everywhere`
        : `${counted(assets, "asset")}: ${counted(changed, "job")} would change something, ${bytesText(bytes)} would be copied, ${counted(conflicts, "conflict")}, ${failed} cannot be planned, ${counted(withdrawn, "locator")} would be withdrawn`,
    );
  }
}

function linesOf(job: JobPlan): string[] {
  const { assetName, source, target, blobs, damaged, writes, removals, publishes, withdraws, conflicts, notes, error } = job;
  const place = `${assetName}: ${source === target ? `${source}, the original` : `${source} -> ${target}`}`;
  if (error !== null) return [`${place}: cannot be planned: ${error.message}`];
  const copies = [
    ...(blobs.copy === 0 ? [] : [`copy ${counted(blobs.copy, "blob")} (${bytesText(blobs.bytes)})`]),
    ...(blobs.adopt === 0 ? [] : [`take over ${counted(blobs.adopt, "equal blob")}`]),
    ...(damaged === 0 ? [] : [`copy ${counted(damaged, "damaged blob")} again`]),
  ];
  return [
    `${place}:`,
    ...conflicts.map((conflict) => `  conflict: ${conflictText(conflict)}`),
    ...withdraws.map((id) => `  take locator ${id} out of service`),
    ...copies.map((text) => `  ${text}`),
    ...removals.map((what) => `  delete ${what}`),
    ...writes.map(({ what, action }) => `  ${action} ${what}`),
    ...publishes.map((id) => `  verify and serve locator ${id}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
}
