/** The least that can be said of a service that holds nothing to ask for: it answers HTTP. */
import { HttpFailure } from "../../core/http.ts";
import { askTwice } from "../../core/playback/get.ts";
import type { HttpClient } from "../../core/ports/http.ts";
import type { Finding } from "./probe.ts";

const ANSWER_BYTES = 64 * 1024;

/**
 * GETs the base URL, once more after what may be chance. Any answer below 500 will do, and the detail says how little it proves. Rejects with
 * `HttpFailure`.
 */
export async function probeReachability(http: HttpClient, baseUrl: string, timeoutMs: number, signal: AbortSignal): Promise<Finding> {
  const url = `${baseUrl}/`;
  try {
    const { status } = await askTwice(async () => http.ask({ method: "GET", url, timeoutMs, maxBytes: ANSWER_BYTES, signal }), signal);
    if (status >= 500) return { ok: false, reason: "status", detail: `${url} answered ${status}` };
    return reachable(`${url} answered ${status}`);
  } catch (error) {
    if (error instanceof HttpFailure && error.reason === "too_large") return reachable(`${url} answered`);
    throw error;
  }
}

function reachable(seen: string): Finding {
  return { ok: true, detail: `${seen}; no video is known here that would prove more` };
}
