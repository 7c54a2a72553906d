/** What the storage port's error codes mean to an operator, whatever service the storage is. */
import { PaircastError, type RetryClass } from "../../core/errors.ts";

const ADVICE: Readonly<Record<string, readonly [RetryClass, string]>> = {
  container_missing: ["never", "the container is not there"],
  blob_archived: ["never", "the blob is in the archive tier: rehydrate it to an online tier first"],
  blob_conflict: ["conflict", "the blob there is not the one expected: look at what both sides hold"],
  blob_changed: ["retry", "the blob has changed, or is gone, since it was listed: list it again"],
  copy_mismatch: [
    "retry",
    "the content that the service read is not that of the source's Content-MD5: try again; if it stays so, the source is damaged or its property wrong",
  ],
  storage_denied: ["never", "the storage service refused the credential: check its permissions"],
  storage_unavailable: ["retry", "the storage service did not answer properly"],
  storage_rejected: ["never", "the storage service refused the request"],
};

/** `what` says what was tried and where, `answered` what the service said, in brackets or empty. `cause` must hold no secret. */
export function advised(code: string, what: string, answered: string, cause: unknown): PaircastError {
  const [retry, advice] = ADVICE[code] ?? ["never", "the storage service refused the request"];
  return new PaircastError(code, `${what}: ${advice}${answered}`, { retry, cause });
}
