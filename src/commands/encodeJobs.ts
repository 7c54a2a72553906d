/** `paircast encode list | status | cancel | retry | readmit`, and how jobs are put in words. */
import type { EncodingState } from "../core/encoding.ts";
import type { ShownAccount, ShownJob } from "../core/ports/encodingService.ts";
import { askAdmin, changeByAdmin, type AdminOptions } from "./adminClient.ts";
import { operator } from "./drain.ts";
import type { Terminal } from "./terminal.ts";

export interface EncodeOptions extends AdminOptions {
  readonly json: boolean;
}

export const JOBS_PATH = "/api/encoding/jobs";

type Counts = Readonly<Record<EncodingState, number>>;

export async function encodeList(
  terminal: Terminal,
  { state, limit, ...options }: EncodeOptions & { readonly state: string | null; readonly limit: number },
): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(state === null ? {} : { state }) }).toString();
  const answer = await askAdmin(options, `${JOBS_PATH}?${query}`);
  const { jobs, counts } = answer as { jobs: readonly ShownJob[]; counts: Counts };
  terminal.print(options.json ? JSON.stringify(answer) : [...jobs.map(jobLine), countLine(counts)].join("\n"));
}

export async function encodeStatus(terminal: Terminal, id: string | null, options: EncodeOptions): Promise<void> {
  const answer = await askAdmin(options, id === null ? "/api/encoding" : jobPath(id));
  if (options.json) return terminal.print(JSON.stringify(answer));
  if (id === null) return terminal.print(overview(answer as { accounts: readonly ShownAccount[]; counts: Counts }));
  terminal.print(jobText((answer as { job: ShownJob }).job));
}

export async function encodeChange(terminal: Terminal, id: string, what: "cancel" | "retry", options: EncodeOptions): Promise<void> {
  const by = `?by=${encodeURIComponent(operator(null))}`;
  const answer = await changeByAdmin(options, `${jobPath(id)}/${what}${by}`, { method: "POST" });
  terminal.print(options.json ? JSON.stringify(answer) : jobLine((answer as { job: ShownJob }).job));
}

export async function encodeReadmit(terminal: Terminal, region: string, options: EncodeOptions): Promise<void> {
  const path = `/api/encoding/accounts/${encodeURIComponent(region)}/readmit?by=${encodeURIComponent(operator(null))}`;
  const answer = await changeByAdmin(options, path, { method: "POST" });
  terminal.print(options.json ? JSON.stringify(answer) : overview(answer as { accounts: readonly ShownAccount[]; counts: Counts }));
}

export function jobPath(id: string): string {
  return `${JOBS_PATH}/${encodeURIComponent(id)}`;
}

export function jobLine(job: ShownJob): string {
  const live = job.attempts.at(-1);
  const where = job.result?.account ?? (live?.end === null ? `${live.account} ${live.state ?? "placed"} ${live.progress}%` : "");
  const why = job.failure === null ? "" : `${job.failure.code}: ${job.failure.message}`;
  const words = [job.id, job.state.padEnd(8), job.transform, where, `attempts ${job.attempts.length}`, why];
  return words.filter((word) => word !== "").join("  ");
}

function jobText(job: ShownJob): string {
  return [
    jobLine(job),
    `  client id ${job.clientId}, ${inputText(job)}`,
    ...job.attempts.map(
      ({ number, account, state, progress, end, endDetail, placedAt }) =>
        `  attempt ${number}  ${new Date(placedAt).toISOString()}  ${account}  ${state ?? "not submitted"} ${progress}%  ${end ?? "live"}${endDetail === null ? "" : `: ${endDetail}`}`,
    ),
    ...job.actions.map(({ kind, by, at }) => `  ${kind === "cancel" ? "canceled" : "tried again"} by ${by}  ${new Date(at).toISOString()}`),
    ...job.playback.map(({ locatorId, hls, dash }) => `  plays as ${locatorId}  ${[hls, dash].filter((path) => path !== null).join("  ")}`),
  ].join("\n");
}

function inputText({ input, copies, waitingFor }: ShownJob): string {
  switch (input.kind) {
    case "url":
      return input.url;
    case "asset":
      return `${input.assetName} of ${input.region} ${input.files.join(" ")}`;
    case "upload": {
      const kept = copies.filter(({ state }) => state === "kept").map(({ region }) => region);
      const coming = copies.filter(({ state }) => state === "coming").map(({ region }) => region);
      const under = kept.length === 0 || coming.length === 0 ? "" : `, being copied to ${coming.join(" and ")}`;
      const where = waitingFor === "upload" ? ", not uploaded yet" : kept.length === 0 ? "" : ` in ${kept.join(" and ")}`;
      return `file ${input.fileName}${where}${under}`;
    }
  }
}

function overview({ accounts, counts }: { readonly accounts: readonly ShownAccount[]; readonly counts: Counts }): string {
  const lines = accounts.map(({ account, status, inFlight, maxInFlight, reason, detail, disabled, readmitted }) => {
    const who = readmitted === null ? "" : `  re-admitted by ${readmitted.by}, ${new Date(readmitted.at).toISOString()}`;
    const why = reason === null ? who : `  ${reason}: ${detail ?? ""}`;
    return `${account}  ${status}${disabled ? ", disabled by an operator" : ""}  ${inFlight} of ${maxInFlight} jobs${why}`;
  });
  return [...lines, countLine(counts)].join("\n");
}

function countLine(counts: Counts): string {
  return Object.entries(counts)
    .map(([state, jobs]) => `${jobs} ${state}`)
    .join(", ");
}
