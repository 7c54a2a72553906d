/** The streaming probe: every canary is played, its live playlists have to go on, and its segments have to decrypt with their key. */
import { withoutQuery } from "../../core/http.ts";
import { serverTime } from "../../core/playback/read.ts";
import { walkKinds, type KindsPlayback, type TrackPlayback } from "../../core/playback.ts";
import type { HttpAnswer, PeerCertificate } from "../../core/ports/http.ts";
import { askForTarget, manifestTargets, type ManifestTarget, type ProbedRegion, type Targets } from "./canary.ts";
import type { ProbeContext } from "./context.ts";
import { KeyProof } from "./keyProof.ts";
import { LiveWatch } from "./liveWatch.ts";
import { findingFrom, type Finding, type Probe } from "./probe.ts";
import { probeReachability } from "./reachability.ts";
import { signalsOf, type Measured, type SegmentRead } from "./signals.ts";
import { joined } from "./verdicts.ts";

/** Timers may be a little early, and a stream is stale only after its time. */
const PAST_MS = 2;

/** One verdict over all canaries of the region. Each keeps its turn among the variants and the places of its live playlists. */
export function streamingProbe(region: ProbedRegion, context: ProbeContext): Probe {
  const targets = manifestTargets(region, context.canaries);
  const canaries = targets.map((each) => new StreamingCanary(region, each, context));
  return async (signal) => {
    const findings = await Promise.all(canaries.map(async (canary) => canary.probe(signal)));
    return joined(findings.map((finding, index) => ({ name: canaries.length > 1 ? (canaries[index]?.name ?? null) : null, finding })));
  };
}

class StreamingCanary {
  /** Path of the manifest that was played last. */
  name: string | null = null;
  readonly #region: ProbedRegion;
  readonly #targets: Targets<ManifestTarget>;
  readonly #context: ProbeContext;
  readonly #proof: KeyProof;
  #live = new LiveWatch();
  /**
   * Every success moves on to the next variant and the next audio rendition; a failure stays with them, so that a single broken one is
   * confirmed and not lost among the good ones.
   */
  #turn = { video: 0, audio: 0 };

  constructor(region: ProbedRegion, targets: Targets<ManifestTarget>, context: ProbeContext) {
    this.#region = region;
    this.#targets = targets;
    this.#context = context;
    this.#proof = new KeyProof(region, context);
  }

  async probe(signal: AbortSignal): Promise<Finding> {
    const { http, timeoutMs } = this.#context;
    return askForTarget(
      this.#targets,
      async (target) => this.#ask(target, signal),
      async () => probeReachability(http, this.#region.streaming, timeoutMs, signal),
    );
  }

  async #ask(target: ManifestTarget, signal: AbortSignal): Promise<Finding> {
    try {
      // Both to their end: a walk that goes on after the verdict would meet the next one.
      const [played, peer] = await Promise.allSettled([this.#play(target, signal), this.#context.handshake(this.#region.streaming)]);
      if (played.status === "rejected") throw played.reason;
      if (peer.status === "rejected") throw peer.reason;
      return await this.#judged(target, played.value, peer.value, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return findingFrom(error);
    }
  }

  async #play(target: ManifestTarget, signal: AbortSignal): Promise<Played> {
    const { http, timeoutMs, clock } = this.#context;
    if (this.name !== target.path) {
      this.name = withoutQuery(target.path);
      this.#live = new LiveWatch();
    }
    const meter = new AnswerMeter(() => clock.now());
    const playback = await walkKinds({
      http,
      manifestUrl: `${this.#region.streaming}${target.path}`,
      turn: this.#turn,
      segment: "last",
      timeoutMs,
      signal,
      clock,
      retry: true,
      onAnswer: (step, answer) => {
        meter.take(step, answer);
      },
    });
    this.#turn = { video: this.#turn.video + 1, audio: this.#turn.audio + 1 };
    return { playback, meter };
  }

  async #judged(target: ManifestTarget, { playback, meter }: Played, peer: PeerCertificate | null, signal: AbortSignal): Promise<Finding> {
    const { clock, signals: limits } = this.#context;
    const { fault, staleAt } = this.#live.observe(playback.watched);
    if (fault !== null) return { ok: false, ...fault };
    const proof = await this.#proof.check(this.name ?? target.path, playback.played, target.key, signal);
    if (proof.failure !== null) return proof.failure;
    const signals = signalsOf({ ...meter.measured(), ...measuredOf(playback, peer, clock.now()) }, limits);
    return {
      ok: true,
      detail: described(playback, proof.notes),
      ...(signals.length === 0 ? {} : { signals }),
      ...(staleAt === null ? {} : { lookAgainMs: Math.max(0, staleAt - clock.monotonic()) + PAST_MS }),
    };
  }
}

interface Played {
  readonly playback: KindsPlayback;
  readonly meter: AnswerMeter;
}

/** Collects what the answers of one walk say of the server's clock and of its first bytes. */
class AnswerMeter {
  #skew: number | null = null;
  #slowest: Measured["slowest"] = null;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  take(step: string, { headers, timing }: HttpAnswer): void {
    const date = serverTime(headers);
    const transferMs = timing === undefined ? 0 : timing.totalMs - timing.firstByteMs;
    const skew = date === null ? null : date - (this.#now() - transferMs);
    // A cache may show the time at which it was filled: the best answer counts.
    if (skew !== null && (this.#skew === null || Math.abs(skew) < Math.abs(this.#skew))) this.#skew = skew;
    if (timing !== undefined && (this.#slowest === null || timing.firstByteMs > this.#slowest.firstByteMs))
      this.#slowest = { what: step, firstByteMs: timing.firstByteMs };
  }

  measured(): Pick<Measured, "skew" | "slowest"> {
    return { skew: this.#skew, slowest: this.#slowest };
  }
}

function measuredOf({ played }: KindsPlayback, peer: PeerCertificate | null, now: number): Pick<Measured, "certificateLeft" | "reads"> {
  return { certificateLeft: peer === null ? null : peer.expiresAt - now, reads: played.flatMap(segmentRead) };
}

function segmentRead({ variant, segment: { transfer } }: TrackPlayback): SegmentRead[] {
  if (transfer === null) return [];
  const { bytes, firstByteMs, totalMs } = transfer;
  return [{ what: `${variant.kind} ${variant.name}`, bitrate: variant.bandwidth, bytes, transferMs: totalMs - firstByteMs }];
}

function described({ protocol, played }: KindsPlayback, notes: readonly string[]): string {
  const tracks = played.map(({ variant, segment, segments }) => {
    const place = `segment ${segment.index + 1} of ${segments}`;
    return `${variant.kind} ${variant.name}, ${place}: ${segment.bytes} bytes, ${segment.evidence}`;
  });
  return [`${protocol} ${tracks.join("; ")}`, ...notes].join("; ");
}
