/** What an answer to a key request is. Key servers have been seen to answer 200 with `Forbidden`, with a line end after the key, and with zeros. */
import { isText, KEY_BYTES } from "../../core/playback/sample.ts";
import type { HttpAnswer } from "../../core/ports/http.ts";
import type { Finding } from "./probe.ts";

export interface KeyAnswer {
  readonly finding: Finding;
  /** The 16 bytes, where they can be a key. A secret. */
  readonly key: Uint8Array | null;
}

/** Looks at status and body. Which key it must be is not asked here. `where` is for people. */
export function examineKey({ status, body }: HttpAnswer, where: string): KeyAnswer {
  if (status !== 200) return { finding: refusal(status, where), key: null };
  const problem = body.length === KEY_BYTES ? placeholder(body) : null;
  if (problem !== null) return { finding: { ok: false, reason: "body", detail: `${where} answered ${problem} for a key` }, key: null };
  if (body.length === KEY_BYTES) return { finding: { ok: true, detail: `${where}: a key of ${KEY_BYTES} bytes` }, key: body };
  const detail = `${where} answered ${body.length} bytes in the place of a ${KEY_BYTES}-byte key`;
  return { finding: { ok: false, reason: isText(body) ? "body" : "key_length", detail }, key: null };
}

/** Sixteen printable characters may be somebody's key; a beginning of markup or JSON is an error page that happens to be as long. */
function placeholder(body: Uint8Array): string | null {
  if (body.every((byte) => byte === 0)) return "zeros";
  return isText(body) && (body[0] === 0x3c || body[0] === 0x7b) ? "text" : null;
}

function refusal(status: number, where: string): Finding {
  const detail = `${where} answered ${status}`;
  if (status === 404 || status === 410) return { ok: false, reason: "not_found", detail };
  return { ok: false, reason: status === 401 || status === 403 ? "unauthorized" : "status", detail };
}
