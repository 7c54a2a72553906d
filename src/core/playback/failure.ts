/** How a walk through a published video can fail. */
import type { FailureReason } from "../contracts.ts";
import { PaircastError } from "../errors.ts";

/** Where in the walk it failed, in the order of the walk. */
export type PlaybackStep = "manifest" | "playlist" | "index" | "init" | "segment" | "key";

/** The video does not play. `reason` is the metric label; the message says what was asked and what came back. */
export class PlaybackFailure extends PaircastError {
  readonly reason: FailureReason;
  readonly step: PlaybackStep;

  constructor(reason: FailureReason, step: PlaybackStep, message: string, cause?: unknown) {
    super(`playback_${reason}`, message, { retry: "retry", cause });
    this.reason = reason;
    this.step = step;
  }
}

/**
 * What a status that is not 2xx means. Once the manifest was fine, a part of it that does not answer is `segment`: only the manifest's
 * own 404 says that the region does not have the video.
 */
export function statusReason(status: number, step: PlaybackStep): FailureReason {
  if (step !== "manifest") return "segment";
  if (status === 404 || status === 410) return "not_found";
  if (status === 401 || status === 403) return "unauthorized";
  return "status";
}
