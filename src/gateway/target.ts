/**
 * The request target at the front door, judged on the bytes the player sent. Nothing is repaired: what two parsers could read in two
 * ways (RFC 3986 against the WHATWG URL standard, an origin that decodes twice) is refused, so that `base URL + target` stays under the base.
 */

/** Longer targets are answered with 414. Players' longest known URLs, with a JWT in the query, stay under 4 KB. */
export const MAX_TARGET_BYTES = 8_192;

export interface TargetProblem {
  readonly status: 400 | 414;
  readonly reason: "path" | "too_long" | "bad_request";
  readonly code: string;
  readonly message: string;
}

/** What is wrong with a request target in origin-form, or null where it may pass. */
export function targetProblem(target: string): TargetProblem | null {
  if (target.length > MAX_TARGET_BYTES) {
    return {
      status: 414,
      reason: "too_long",
      code: "target_too_long",
      message: `the request target is longer than ${MAX_TARGET_BYTES} bytes`,
    };
  }
  const form = formProblem(target);
  if (form !== null) return { status: 400, reason: "bad_request", code: "bad_target", message: form };
  const path = pathProblem(pathOf(target));
  return path === null ? null : { status: 400, reason: "path", code: "bad_path", message: path };
}

/** The target up to its query. */
export function pathOf(target: string): string {
  const cut = target.indexOf("?");
  return cut < 0 ? target : target.slice(0, cut);
}

/** The query of a target without its question mark; empty where there is none. */
export function queryOf(target: string): string {
  const cut = target.indexOf("?");
  return cut < 0 ? "" : target.slice(cut + 1);
}

/** RFC 9112 §3.2: an origin server takes origin-form; the others name a host, and which host is asked is not the player's to say. */
function formProblem(target: string): string | null {
  if (!target.startsWith("/")) return "the request target must be a path that starts with /";
  if (target.startsWith("//")) return "the request target must not start with //, which names a host";
  if (!/^[\x21-\x7e]*$/.test(target)) return "the request target holds control, blank or non-ASCII characters; percent-encode them";
  if (target.includes("#")) return "the request target must not hold a fragment";
  return null;
}

function pathProblem(path: string): string | null {
  if (path.includes("\\")) return "the path holds a backslash";
  if (path.includes("%")) {
    if (/%(?![0-9a-f]{2})/i.test(path)) return "the path holds a percent sign that encodes nothing";
    if (/%(?:2f|5c)/i.test(path)) return "the path holds an encoded slash or backslash";
    if (/%(?:[01][0-9a-f]|7f)/i.test(path)) return "the path holds an encoded control character";
  }
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return "the path holds a . or .. segment";
  return null;
}
