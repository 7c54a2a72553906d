/** Pure: what others are told of a job. The same thing has the same id, however often it is told. */
import type { Attempt, EncodingJob, EncodingMessage, EncodingMessageKind, InputCopy } from "../core/encoding.ts";

/** A job ends once in each round. */
export function endMessage(job: EncodingJob, at: number, detail: string): EncodingMessage {
  const kind: EncodingMessageKind = job.state === "finished" ? "finished" : job.state === "canceled" ? "canceled" : "failed";
  const id = `${job.id}:r${job.round}:${kind}`;
  const { account = null, assets = [] } = job.result ?? {};
  return { id, kind, jobId: job.id, clientId: job.clientId, at, account, assets, detail };
}

export function attemptMessage(job: EncodingJob, attempt: Attempt, kind: "superseded" | "left_behind", at: number): EncodingMessage {
  const id = `${job.id}:a${attempt.number}:${kind}`;
  const assets = attempt.outputs.map(({ assetName }) => assetName);
  const detail =
    kind === "superseded"
      ? `attempt ${attempt.number} finished in ${attempt.account} after it was given up (${attempt.endDetail ?? "no reason"}); its output was removed`
      : `attempt ${attempt.number} could not be cleaned up in ${attempt.account}: remove job ${attempt.jobName} and its assets by hand`;
  return { id, kind, jobId: job.id, clientId: job.clientId, at, account: attempt.account, assets, detail };
}

/** A copy of the job's uploaded file that stays where it is. */
export function copyMessage(job: EncodingJob, { region, upload, assetName }: InputCopy, at: number): EncodingMessage {
  const detail = `the uploaded input could not be removed from ${region}: remove asset ${assetName} by hand`;
  const id = `${job.id}:i${upload}:${region}:left_behind`;
  return { id, kind: "left_behind", jobId: job.id, clientId: job.clientId, at, account: region, assets: [assetName], detail };
}
