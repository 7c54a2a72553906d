/** `paircast verify`: looks again at copies that serve, and says what is wrong with them. */
import { composeFoundations } from "../compose/foundations.ts";
import { verifyOnce, type VerifyOnceOptions } from "../compose/verification.ts";
import { systemClock } from "../core/clock.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { withProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

export type Level = "properties" | "content" | "full" | "playback";

export interface VerifyOptions extends Pick<VerifyOnceOptions, "asset" | "share" | "repair" | "dryRun"> {
  readonly config: string;
  /** Null: content and playback, as configured. */
  readonly levels: readonly Level[] | null;
  readonly json: boolean;
}

type Summary = NonNullable<Awaited<ReturnType<typeof verifyOnce>>>;
type Report = Summary["reports"][number];

/** Something is wrong and stays so; nothing is, as far as it could be looked at, and not everything could. */
const { wrong: BROKEN, unknown: UNKNOWN } = EXIT_CODES;

/** The exit code: 0 where all that was looked at is good (or was made good), 1 where something is not, 3 where something could not be looked at. */
export async function verify(terminal: Terminal, options: VerifyOptions): Promise<number> {
  const config = loadConfig(options.config);
  const { asset, share, repair, dryRun, json } = options;
  const shown = { json, clock: systemClock, level: config.log.level };
  const summary = await withProgress(terminal, shown, async ({ logger, sink: progress }) => {
    await using foundations = await composeFoundations({ config, version: terminal.version, log: logger, routes: false });
    const once = { asset, share, repair, dryRun, policy: policyOf(options.levels), progress };
    return await verifyOnce(foundations, once, terminal.stop);
  });
  if (summary === null)
    throw new PaircastError(
      "nothing_to_verify",
      `${options.config}: no region has a media account or storage, so there is nothing to verify`,
    );
  if (asset !== null && summary.copies === 0)
    throw new PaircastError("unknown_asset", `no copy of an asset named ${asset} serves: check the name, or see \`paircast status\``);
  terminal.print(options.json ? JSON.stringify(summary) : text(summary));
  return exitCode(summary);
}

/** Lengths and properties are always looked at. */
function policyOf(levels: readonly Level[] | null): VerifyOnceOptions["policy"] {
  if (levels === null) return {};
  return {
    ...(levels.includes("full") ? { content: "full" as const } : levels.includes("content") ? {} : { content: "none" as const }),
    ...(levels.includes("playback") ? {} : { playback: "none" as const }),
  };
}

function exitCode({ results: { broken, unanswered, busy } }: Summary): number {
  if (broken > 0) return BROKEN;
  return unanswered + busy > 0 ? UNKNOWN : 0;
}

function text({ copies, results, readBytes, reports }: Summary): string {
  const looked = Object.values(results).reduce((sum, count) => sum + count, 0);
  const counts = Object.entries(results).flatMap(([result, count]) => (count === 0 ? [] : [`${count} ${result}`]));
  return [...reports.map(line), `${looked} of ${copies} copies: ${counts.join(", ") || "none"}; ${readBytes} bytes read`].join("\n");
}

function line({ assetName, source, target, result, detail, withdrawn }: Report): string {
  const where = source === target ? `in ${target}, the original` : `in ${target}, from ${source}`;
  const taken = withdrawn.length === 0 ? "" : `; out of service: ${withdrawn.join(", ")}`;
  return `${assetName} (${where}): ${result}: ${detail}${taken}`;
}
