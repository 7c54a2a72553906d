/** `paircast encode submit`: one job, or those of a list. */
import { readFile } from "node:fs/promises";
import { systemClock as clock } from "../core/clock.ts";
import type { EncodingInput, Priority } from "../core/encoding.ts";
import { errorChain, PaircastError } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { ShownJob } from "../core/ports/encodingService.ts";
import { askAdmin, changeByAdmin } from "./adminClient.ts";
import { isUrl, uploaded } from "./encodeInputs.ts";
import { jobLine, jobPath, JOBS_PATH, type EncodeOptions } from "./encodeJobs.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import type { Terminal } from "./terminal.ts";

export interface SubmitOptions extends EncodeOptions {
  readonly transform: string;
  readonly priority: Priority;
  /** A file with one input a line. */
  readonly list: string | null;
  readonly id: string | null;
  readonly region: string | null;
  readonly asset: string | null;
  readonly wait: boolean;
}

interface Wanted {
  readonly given: string;
  readonly clientId: string | null;
}

interface Submitted {
  readonly job: ShownJob;
  readonly created: boolean;
}

type Result = (Submitted & { readonly given: string }) | { readonly given: string; readonly error: string };

const AT_A_TIME = 8;
const POLL_MS = 1_000;

/** The exit code: 1 where one was refused, or (with `wait`) did not finish. */
export async function encodeSubmit(terminal: Terminal, given: string | null, options: SubmitOptions): Promise<number> {
  const wanted = await wantedOf(given, options);
  const inputs = await inputsOf(wanted, options, terminal);
  const results: Result[] = [];
  for (let at = 0; at < wanted.length; at += AT_A_TIME)
    results.push(...(await Promise.all(wanted.slice(at, at + AT_A_TIME).map(async (each) => submit(each, inputs, options)))));
  const ended = options.wait ? await Promise.all(results.map(async (result) => waited(result, options, terminal.stop))) : results;
  terminal.print(options.json ? JSON.stringify({ jobs: ended }) : ended.map(lineOf).join("\n"));
  return ended.every((result) => isWell(result, options.wait)) ? EXIT_CODES.ok : EXIT_CODES.wrong;
}

async function wantedOf(given: string | null, { list, id, asset }: SubmitOptions): Promise<readonly Wanted[]> {
  if (list === null) {
    if (given === null && asset === null)
      throw new PaircastError("bad_option", "name a file or an https URL, --asset, or a --list of them");
    return [{ given: given ?? "", clientId: id }];
  }
  if (given !== null || id !== null || asset !== null)
    throw new PaircastError("bad_option", "with --list neither an input, nor --id, nor --asset: the list has them");
  const lines = (await readFile(list, "utf8")).split("\n").map((line) => line.trim());
  return lines.flatMap((line) => {
    const [first = "", clientId = null] = line.split(/\s+/);
    return first === "" || first.startsWith("#") ? [] : [{ given: first, clientId }];
  });
}

async function inputsOf(wanted: readonly Wanted[], options: SubmitOptions, terminal: Terminal): Promise<(given: string) => EncodingInput> {
  const { asset, region, config } = options;
  if (asset !== null) {
    if (region === null) throw new PaircastError("bad_option", "--asset: say with --region where it is");
    return (given) => ({ kind: "asset", region, assetName: asset, files: given === "" ? [] : [given] });
  }
  const files = [...new Set(wanted.map(({ given }) => given).filter((given) => !isUrl(given)))];
  if (files.length > 0) terminal.note(`uploading ${files.length === 1 ? files[0] : `${files.length} files`}`);
  const inputs =
    files.length === 0 ? new Map<string, EncodingInput>() : await uploaded(files, { config, region, version: terminal.version });
  return (given) => inputs.get(given) ?? { kind: "url", url: given };
}

async function submit({ given, clientId }: Wanted, inputs: (given: string) => EncodingInput, options: SubmitOptions): Promise<Result> {
  const { transform, priority } = options;
  const body = { transform, priority, input: inputs(given), ...(clientId === null ? {} : { clientId }) };
  const shown = isUrl(given) ? (given.split("?")[0] ?? "") : given;
  try {
    const { job, created } = (await changeByAdmin(options, JOBS_PATH, { method: "POST", body })) as Submitted;
    return { given: shown, job, created };
  } catch (error) {
    // One alone speaks for itself; of a list, the others go on.
    if (options.list === null || !(error instanceof PaircastError)) throw error;
    return { given: shown, error: scrub(errorChain(error)) };
  }
}

const OVER: readonly string[] = ["finished", "failed", "canceled"];

async function waited(result: Result, options: SubmitOptions, stop: AbortSignal): Promise<Result> {
  if ("error" in result) return result;
  let { job } = result;
  while (!OVER.includes(job.state)) {
    await clock.sleep(POLL_MS, stop);
    ({ job } = (await askAdmin(options, jobPath(job.id))) as { job: ShownJob });
  }
  return { ...result, job };
}

function lineOf(result: Result): string {
  if ("error" in result) return `${result.given}  refused: ${result.error}`;
  return `${jobLine(result.job)}${result.created ? "" : "  (was there already)"}`;
}

function isWell(result: Result, wait: boolean): boolean {
  return "job" in result && (!wait || result.job.state === "finished");
}
