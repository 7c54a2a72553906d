/** `paircast encode submit`: one job, or those of a list. */
import { readFile } from "node:fs/promises";
import { systemClock as clock } from "../core/clock.ts";
import type { EncodingInput, Priority } from "../core/encoding.ts";
import { errorChain, PaircastError } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { ShownJob } from "../core/ports/encodingService.ts";
import { askAdmin, changeByAdmin } from "./adminClient.ts";
import { fileInput, isUrl, sendFile } from "./encodeInputs.ts";
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
  /** Where the job waits for its file; null: it does not. */
  readonly upload: string | null;
}

type Result = (Omit<Submitted, "upload"> & { readonly given: string }) | { readonly given: string; readonly error: string };

interface Handed extends Wanted {
  readonly input: EncodingInput;
}

const AT_A_TIME = 8;
const POLL_MS = 1_000;

/** The exit code: 1 where one was refused, or (with `wait`) did not finish. */
export async function encodeSubmit(terminal: Terminal, given: string | null, options: SubmitOptions): Promise<number> {
  const wanted = await wantedOf(given, options);
  const handed = await Promise.all(wanted.map(async (each): Promise<Handed> => ({ ...each, input: await inputOf(each.given, options) })));
  // Files go one after the other: together they would be no faster.
  const [uploads, others] = [handed.filter(isUpload), handed.filter((each) => !isUpload(each))];
  const results = new Map<Handed, Result>();
  for (let at = 0; at < others.length; at += AT_A_TIME)
    await Promise.all(others.slice(at, at + AT_A_TIME).map(async (each) => results.set(each, await submit(each, options, terminal))));
  for (const each of uploads) results.set(each, await submit(each, options, terminal));
  const inOrder = handed.flatMap((each) => results.get(each) ?? []);
  const ended = options.wait ? await Promise.all(inOrder.map(async (result) => waited(result, options, terminal.stop))) : inOrder;
  terminal.print(options.json ? JSON.stringify({ jobs: ended }) : ended.map(lineOf).join("\n"));
  return ended.every((result) => isWell(result, options.wait)) ? EXIT_CODES.ok : EXIT_CODES.wrong;
}

function isUpload({ input }: Handed): boolean {
  return input.kind === "upload";
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

async function inputOf(given: string, { asset, region }: SubmitOptions): Promise<EncodingInput> {
  if (asset !== null) {
    if (region === null) throw new PaircastError("bad_option", "--asset: say with --region where it is");
    return { kind: "asset", region, assetName: asset, files: given === "" ? [] : [given] };
  }
  if (region !== null) throw new PaircastError("bad_option", "--region says where --asset is; an uploaded file is kept in several regions");
  return isUrl(given) ? { kind: "url", url: given } : fileInput(given);
}

async function submit({ given, clientId, input }: Handed, options: SubmitOptions, terminal: Terminal): Promise<Result> {
  const { transform, priority } = options;
  const body = { transform, priority, input, ...(clientId === null ? {} : { clientId }) };
  const shown = isUrl(given) ? (given.split("?")[0] ?? "") : given;
  try {
    const { job, created, upload } = (await changeByAdmin(options, JOBS_PATH, { method: "POST", body })) as Submitted;
    if (upload === null || input.kind !== "upload") return { given: shown, job, created };
    terminal.note(`uploading ${shown} for job ${job.id}`);
    return { given: shown, job: await sendFile(options, upload, given, input, terminal.stop), created };
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
