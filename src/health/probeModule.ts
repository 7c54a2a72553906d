/** One probe on demand, for `/probe?target=&module=`: what monitoring elsewhere asks through this gateway. */
import type { Clock } from "../core/clock.ts";
import type { FailureReason } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import { withoutQuery } from "../core/http.ts";
import { walkPlayback } from "../core/playback.ts";
import type { ProbeReport } from "../core/ports/health.ts";
import type { CertificateSource, HttpAnswer, HttpClient } from "../core/ports/http.ts";
import { examineKey } from "./probes/keyAnswer.ts";
import { look, type Finding } from "./probes/probe.ts";

/**
 * - `hls`, `dash` the playback path of a manifest: every variant's first and newest segment are not visited, one variant's newest is
 * - `key` a GET that has to answer a 16-byte key · `http` any resource, a status below 400 · `tls` a handshake
 */
export const PROBE_MODULES = ["hls", "dash", "key", "tls", "http"] as const;
export type ProbeModule = (typeof PROBE_MODULES)[number];

export interface ProbeModuleDeps {
  readonly http: HttpClient;
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  /** For the whole probe. */
  readonly timeoutMs: number;
  /** Aborts the probe: the asker has gone. */
  readonly signal?: AbortSignal;
  /** Origins (`https://host:port`) of the configured regions: nothing else is asked. */
  readonly origins: readonly string[];
}

/**
 * Probes `target`. What the target does is in the result. Rejects with `probe_target` where it is no http(s) URL, with `not_configured` where
 * it is not at an origin of a configured region, and with the reason of `signal` once that has aborted.
 */
export async function runProbeModule(module: ProbeModule, target: string, deps: ProbeModuleDeps): Promise<ProbeReport> {
  refuseForeign(target, deps.origins);
  const run = new Run(target, deps);
  const { outcome, detail } = await look(async (signal) => run.probe(module, signal), {
    clock: deps.clock,
    timeoutMs: deps.timeoutMs,
    signal: deps.signal ?? new AbortController().signal,
  });
  return {
    success: outcome.ok,
    durationSeconds: outcome.durationMs / 1000,
    phases: run.phases,
    statusCode: run.statusCode,
    tlsExpiry: run.tlsExpiry,
    failureReason: outcome.ok ? null : outcome.reason,
    detail,
  };
}

function refuseForeign(target: string, origins: readonly string[]): void {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new PaircastError("probe_target", "target is no http:// or https:// URL");
  if (origins.includes(url.origin)) return;
  throw new PaircastError("not_configured", `refused to probe ${url.origin}: it is not the address of a configured region`);
}

const ANSWER_BYTES = 64 * 1024 * 1024;

class Run {
  readonly phases: Record<string, number> = {};
  statusCode: number | null = null;
  tlsExpiry: number | null = null;
  readonly #target: string;
  readonly #deps: ProbeModuleDeps;

  constructor(target: string, deps: ProbeModuleDeps) {
    this.#target = target;
    this.#deps = deps;
  }

  async probe(module: ProbeModule, signal: AbortSignal): Promise<Finding> {
    const [finding] = await Promise.all([this.#ask(module, signal), this.#handshake()]);
    return finding;
  }

  async #ask(module: ProbeModule, signal: AbortSignal): Promise<Finding> {
    switch (module) {
      case "tls":
        return this.#secure();
      case "hls":
      case "dash":
        return this.#play(module, signal);
      case "key":
        return this.#key(signal);
      case "http":
        return this.#resource(signal);
    }
  }

  #secure(): Finding {
    if (new URL(this.#target).protocol === "https:") return { ok: true, detail: "TLS handshake" };
    return { ok: false, reason: "tls", detail: `${withoutQuery(this.#target)} is not https` };
  }

  /** For every module: the certificate's end is worth knowing, and a handshake that fails is a failure of all of them. */
  async #handshake(): Promise<void> {
    const { certificates, clock, timeoutMs } = this.#deps;
    const began = clock.monotonic();
    const peer = await certificates.peer(this.#target, timeoutMs);
    if (peer === null) return;
    this.phases["handshake"] = (clock.monotonic() - began) / 1000;
    this.tlsExpiry = peer.expiresAt / 1000;
  }

  async #play(module: "hls" | "dash", signal: AbortSignal): Promise<Finding> {
    const { http, timeoutMs, clock } = this.#deps;
    let last = clock.monotonic();
    const onAnswer = (step: string, answer: HttpAnswer): void => {
      const now = clock.monotonic();
      this.phases[step] = (this.phases[step] ?? 0) + (now - last) / 1000;
      this.statusCode = answer.status;
      last = now;
    };
    const playback = await walkPlayback({ http, manifestUrl: this.#target, segment: "last", timeoutMs, signal, clock, onAnswer });
    if (playback.protocol === module) return { ok: true, detail: `${playback.variant.name}: ${playback.segment.evidence}` };
    return { ok: false, reason: "body", detail: `${withoutQuery(this.#target)} is ${playback.protocol}, not ${module}` };
  }

  async #key(signal: AbortSignal): Promise<Finding> {
    const answer = await this.#get(signal);
    return examineKey(answer, withoutQuery(this.#target)).finding;
  }

  async #resource(signal: AbortSignal): Promise<Finding> {
    const { status, body } = await this.#get(signal);
    const detail = `${withoutQuery(this.#target)} answered ${status}, ${body.length} bytes`;
    return status < 400 ? { ok: true, detail } : { ok: false, reason: statusReason(status), detail };
  }

  async #get(signal: AbortSignal): Promise<HttpAnswer> {
    const { http, timeoutMs } = this.#deps;
    const answer = await http.ask({ method: "GET", url: this.#target, timeoutMs, maxBytes: ANSWER_BYTES, signal });
    this.statusCode = answer.status;
    const { timing } = answer;
    if (timing !== undefined) {
      this.phases["first_byte"] = timing.firstByteMs / 1000;
      this.phases["transfer"] = (timing.totalMs - timing.firstByteMs) / 1000;
    }
    return answer;
  }
}

function statusReason(status: number): FailureReason {
  if (status === 404 || status === 410) return "not_found";
  return status === 401 || status === 403 ? "unauthorized" : "status";
}
