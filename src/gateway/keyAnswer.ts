/** What a key host's answer means for the player, and for the region. */
import type { FailureReason, PlaybackRequest } from "../core/contracts.ts";

export interface KeyAnswerFacts {
  readonly status: number;
  readonly contentType: string | null;
  /** True where the body is compressed, so that its length says nothing. */
  readonly encoded: boolean;
  readonly body: Uint8Array;
}

export type KeyVerdict =
  /** The body is what was asked for: pass it on. */
  | { readonly type: "key" }
  /** The key host refuses this player, not players: pass the status on, with a body of our own. */
  | { readonly type: "refused" }
  /** This region has no such key. */
  | { readonly type: "absent" }
  /** The next region may do better. `ill`: it speaks against the region, too. */
  | { readonly type: "failure"; readonly reason: FailureReason; readonly ill: boolean };

/** AES-128: RFC 8216 §4.3.2.4 wants exactly 16 octets in binary. */
const CLEAR_KEY_BYTES = 16;
const LICENCE_PATH = /\/(?:widevine|playready|fairplay)(?:\/|\?|$)/i;

/** Judges one answer. A 404 never speaks against the region, nor does 429, which is about the client's own rate. */
export function judgeKeyAnswer(method: string, request: PlaybackRequest, answer: KeyAnswerFacts): KeyVerdict {
  const { status } = answer;
  if (status >= 500) return { type: "failure", reason: "status", ill: true };
  if (status === 404 || status === 410) return { type: "absent" };
  if (status === 429) return { type: "failure", reason: "status", ill: false };
  if (status >= 400) return { type: "refused" };
  // A key host has no business redirecting, and to follow would mean to ask an address that nobody configured.
  if (status < 200 || status > 299) return { type: "failure", reason: "status", ill: true };
  if (method === "HEAD") return { type: "key" };
  return judgeBody(method, request, answer);
}

function judgeBody(method: string, request: PlaybackRequest, answer: KeyAnswerFacts): KeyVerdict {
  if (isHtml(answer)) return { type: "failure", reason: "body", ill: true };
  const clearKey = method === "GET" && request.keyId !== null && !LICENCE_PATH.test(request.target);
  if (clearKey && !answer.encoded && answer.body.length !== CLEAR_KEY_BYTES) return { type: "failure", reason: "key_length", ill: true };
  return { type: "key" };
}

/** A login or maintenance page with status 200, whatever it calls itself. */
function isHtml({ contentType, body }: KeyAnswerFacts): boolean {
  if (contentType?.toLowerCase().startsWith("text/html") === true) return true;
  const start = String.fromCharCode(...body.subarray(0, 64))
    .trimStart()
    .toLowerCase();
  return start.startsWith("<!doctype html") || start.startsWith("<html");
}
