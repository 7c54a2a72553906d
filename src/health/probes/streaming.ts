/** The streaming probe: the manifest of a real video, one of its variants, one real segment. */
import type { CanarySource, HttpClient } from "../../core/ports.ts";
import { walkPlayback, type Playback } from "../../core/playback.ts";
import { askForTarget, manifestTargets, type ProbedRegion } from "./canary.ts";
import { findingFrom, type Finding, type Probe } from "./probe.ts";
import { probeReachability } from "./reachability.ts";

export interface ProbeDeps {
  readonly http: HttpClient;
  readonly canaries: CanarySource;
  readonly timeoutMs: number;
}

/**
 * Every success moves on to the next variant; a failure stays with its variant, so that a single broken one is confirmed and not lost
 * among the good ones.
 */
export function streamingProbe(region: ProbedRegion, { http, canaries, timeoutMs }: ProbeDeps): Probe {
  const targets = manifestTargets(region, canaries);
  let variant = 0;
  const play = async (path: string, signal: AbortSignal): Promise<Finding> => {
    const manifestUrl = `${region.streaming}${path}`;
    try {
      const playback = await walkPlayback({ http, manifestUrl, variant, segment: "last", timeoutMs, signal });
      variant = (variant + 1) % playback.variants.length;
      return { ok: true, detail: described(playback) };
    } catch (error) {
      if (signal.aborted) throw error;
      return findingFrom(error);
    }
  };
  return async (signal) =>
    askForTarget(
      targets,
      async (path) => play(path, signal),
      async () => probeReachability(http, region.streaming, timeoutMs, signal),
    );
}

function described({ protocol, variant, segment, segments }: Playback): string {
  const place = `segment ${segment.index + 1} of ${segments}`;
  return `${protocol} ${variant.kind} ${variant.name}, ${place}: ${segment.bytes} bytes, ${segment.evidence}`;
}
