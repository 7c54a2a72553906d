/** Locators of outputs. Ids and names follow from the job's id, so that publishing again finds what is there, in whichever account. */
import { createHash } from "node:crypto";
import { outputLabel } from "./names.ts";

/** A GUID, lower case, of version 8 (RFC 9562, 5.8). */
export function locatorIdOf(jobId: string, output: number): string {
  const bytes = createHash("sha256")
    .update(`paircast output ${jobId} ${outputLabel(output)}`)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function locatorNameOf(jobId: string, output: number): string {
  return `${jobId}-${outputLabel(output)}`;
}
