/** Pure: names of jobs and of what an attempt makes in an account. All are derived from our id, so that doing it again finds what is there. */

const TIME_DIGITS = 9;

/** An id that ascends with time; `chance` tells those of one moment apart. */
export function jobId(now: number, chance: string): string {
  return `${Math.floor(now).toString(36).padStart(TIME_DIGITS, "0")}${chance.replaceAll("-", "").slice(0, 12)}`;
}

export function accountJobName(id: string, attempt: number): string {
  return `${id}-a${attempt}`;
}

export function outputLabel(index: number): string {
  return `o${index}`;
}

/** Each attempt has assets of its own: what two attempts make never mixes, even in one account. */
export function outputAssetName(id: string, attempt: number, index: number): string {
  return `${accountJobName(id, attempt)}-${outputLabel(index)}`;
}

/** What one try to upload a job's file makes in each region. */
export function inputAssetName(id: string, upload: number): string {
  return `${id}-i${upload}`;
}

/** Whose job that is; null for a job that is none of ours. */
export function ownerOf(jobName: string): { readonly id: string; readonly attempt: number } | null {
  const match = /^([0-9a-z]{21})-a([1-9]\d{0,5})$/.exec(jobName);
  return match === null ? null : { id: match[1] ?? "", attempt: Number(match[2]) };
}
