/** What a storage service answers that cannot read the source of a copy: its bytes have to pass through the replicator, in blocks. */
import type { Answer } from "./gate.ts";

const XML =
  '<?xml version="1.0" encoding="utf-8"?><Error><Code>CannotVerifyCopySource</Code><Message>It may not be read.</Message></Error>';

export const unreadableSource: Answer = {
  status: 403,
  headers: Object.entries({
    "x-ms-error-code": "CannotVerifyCopySource",
    "x-ms-request-id": "of-a-test",
    "x-ms-version": "2025-01-05",
    "content-type": "application/xml",
  }).flat(),
  body: Buffer.from(XML),
};
