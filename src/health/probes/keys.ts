/** The key probe: a real key request, its body checked. The key itself is compared by fingerprint and forgotten. */
import type { CanaryKey } from "../../core/contracts.ts";
import { withoutQuery } from "../../core/http.ts";
import { isText, KEY_BYTES } from "../../core/playback/sample.ts";
import type { Fingerprint, HttpAnswer } from "../../core/ports.ts";
import { askForTarget, keyTargets, type ProbedRegion } from "./canary.ts";
import type { Finding, Probe } from "./probe.ts";
import { probeReachability } from "./reachability.ts";
import type { ProbeDeps } from "./streaming.ts";

const ANSWER_BYTES = 64 * 1024;

export interface KeyProbeDeps extends ProbeDeps {
  readonly fingerprint: Fingerprint;
}

/** `base` is the region's key-delivery URL. */
export function keyProbe(region: ProbedRegion, base: string, deps: KeyProbeDeps): Probe {
  const { http, canaries, timeoutMs, fingerprint } = deps;
  const targets = keyTargets(region, canaries);
  const request = async (key: CanaryKey, signal: AbortSignal): Promise<Finding> => {
    const url = `${base}${key.path}`;
    const headers = key.authorization === null ? {} : { authorization: key.authorization };
    const answer = await http.ask({ method: "GET", url, headers, timeoutMs, maxBytes: ANSWER_BYTES, signal });
    return answer.status === 200 ? examined(answer.body, key, fingerprint, withoutQuery(url)) : denied(answer, key, withoutQuery(url));
  };
  return async (signal) =>
    askForTarget(
      targets,
      async (key) => request(key, signal),
      async () => probeReachability(http, base, timeoutMs, signal),
    );
}

/** Key servers have been seen to answer 200 with `Forbidden`, with a line end after the key, and with another key than yesterday's. */
function examined(body: Uint8Array, key: CanaryKey, fingerprint: Fingerprint, where: string): Finding {
  if (body.length !== KEY_BYTES) {
    const detail = `${where} answered ${body.length} bytes in the place of a ${KEY_BYTES}-byte key`;
    return { ok: false, reason: isText(body) ? "body" : "key_length", detail };
  }
  if (key.fingerprint === null) return { ok: true, detail: `${where}: a key of ${KEY_BYTES} bytes; which one it must be is not known` };
  if (fingerprint(body) === key.fingerprint) return { ok: true, detail: `${where}: the verified key` };
  return { ok: false, reason: "key_mismatch", detail: `${where} answered another key than the verified one` };
}

function denied({ status }: HttpAnswer, key: CanaryKey, where: string): Finding {
  const detail = `${where} answered ${status}`;
  if (status === 404 || status === 410) return { ok: false, reason: "not_found", detail };
  if (status !== 401 && status !== 403) return { ok: false, reason: "status", detail };
  if (!key.tokenUnavailable) return { ok: false, reason: "unauthorized", detail };
  return { ok: true, detail: `${detail}: it answers; its policy wants a token, and none can be made here` };
}
