/**
 * Errors of the streaming endpoint. The codes are those that Microsoft documented for the Azure origin ("Streaming Endpoint (Origin)
 * errors"); what that list has no word for carries a code of the emulator's own, in lower case.
 */
import { PaircastError } from "../../core/errors.ts";

/**
 * Code -> HTTP status.
 * - An expired or not yet started locator is `MPE_UNAUTHORIZED`, which Azure's list puts under 404: a player is told no more than that
 *   there is nothing to play.
 * - A stopped endpoint is 503: the region, not the video, is out of service.
 * - A format that the streaming policy blocks and an encryption that it does not set are 403 in Azure's list; the emulator answers
 *   400 to every URL that does not fit the policy.
 */
const STATUS = {
  MPE_BAD_URL_SYNTAX: 400,
  MPE_ENC_ENCRYPTION_NOT_SPECIFIED_IN_URL: 400,
  MPE_ENC_ENCRYPTION_NOT_SET_IN_DELIVERY_POLICY: 400,
  MPE_OUTPUT_FORMAT_BLOCKED: 400,
  MPE_RESOURCE_NOT_FOUND: 404,
  MPE_UNAUTHORIZED: 404,
  MPE_EGRESS_TRACK_NOT_FOUND: 404,
  MPE_MANIFEST_MEDIA_ENTRY_NOT_FOUND: 404,
  MPE_FRAGMENT_TIMESTAMP_NOT_FOUND: 404,
  asset_unusable: 500,
  key_unusable: 500,
  not_emulated: 501,
  endpoint_stopped: 503,
  storage_unreadable: 503,
} as const;

export type OriginErrorCode = keyof typeof STATUS;
export type OriginStatus = (typeof STATUS)[OriginErrorCode];

/** A request that the streaming endpoint does not serve; the message is for the viewer's engineer. */
export class OriginError extends PaircastError {
  readonly status: OriginStatus;

  constructor(code: OriginErrorCode, message: string, cause?: unknown) {
    super(code, message, { cause });
    this.status = STATUS[code];
  }
}
