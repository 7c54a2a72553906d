/** What `encode submit` is given, as inputs of jobs: addresses as they are, files by name, to be sent once their job is there. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { systemClock as clock } from "../core/clock.ts";
import type { EncodingInput } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import type { ShownJob } from "../core/ports/encodingService.ts";
import { changeByAdmin, type AdminOptions } from "./adminClient.ts";

export function isUrl(given: string): boolean {
  return /^https?:\/\//i.test(given);
}

export type FileInput = Extract<EncodingInput, { readonly kind: "upload" }>;

/** Throws `bad_option` where the file cannot be uploaded. */
export async function fileInput(path: string): Promise<FileInput> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true) throw new PaircastError("bad_option", `${path}: neither an https URL nor a file that is there`);
  if (found.size === 0) throw new PaircastError("bad_option", `${path} is empty`);
  return { kind: "upload", fileName: fileName(path), bytes: found.size };
}

/** A blob's name without what means something in addresses. */
function fileName(path: string): string {
  const name = basename(path)
    .replaceAll(/[\p{Cc}\\?#%]/gu, "-")
    .replace(/\.+$/, "");
  return name.slice(-200) || "input";
}

const PASSING = ["uploads_busy", "upload_unavailable", "upload_stalled", "admin_unreachable"];
const TRIES = 5;
const PAUSE_MS = 2_000;

/** Sends the file to where the job waits for it, again where that may help. */
export async function sendFile(
  options: AdminOptions,
  to: string,
  path: string,
  { bytes }: FileInput,
  stop: AbortSignal,
): Promise<ShownJob> {
  for (let tries = 1; ; tries += 1) {
    try {
      return ((await changeByAdmin(options, to, { method: "PUT", file: { path, bytes } })) as { job: ShownJob }).job;
    } catch (error) {
      if (!PASSING.includes(errorCode(error)) || tries >= TRIES) throw error;
      await clock.sleep(PAUSE_MS, stop);
    }
  }
}
