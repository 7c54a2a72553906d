/** Measures whether a region's copy of a video is one with the original to a player in the middle of it. */
import type { Region } from "../core/contracts.ts";
import { misalignments } from "../core/playback/alignment.ts";
import { PlaybackFailure } from "../core/playback/failure.ts";
import { PaircastError } from "../core/errors.ts";
import type { JobContext } from "./runJob.ts";
import { servingChecks, type Manifests } from "./serving.ts";

export interface MeasuredAlignment {
  /** Null where either region could not be asked. */
  readonly aligned: boolean | null;
  /** For people: what sets them apart; null where nothing does. */
  readonly detail: string | null;
}

const UNKNOWN: MeasuredAlignment = { aligned: null, detail: null };

/** Compares the job's target with its source. A copy that is not aligned still serves viewers who begin there. */
export async function measureAlignment(context: JobContext, manifests: Manifests): Promise<MeasuredAlignment> {
  const { deps, identity } = context;
  if (identity.source === identity.target) return { aligned: true, detail: null };
  const [source, target] = [deps.regions.get(identity.source), deps.regions.get(identity.target)];
  if (deps.describe === undefined || source === undefined || target === undefined) return UNKNOWN;
  const reasons: string[] = [];
  for (const path of [manifests.hls, manifests.dash]) {
    if (path === null) continue;
    const found = await compared(context, path, source, target);
    if (found === null) return UNKNOWN;
    reasons.push(...found);
  }
  return reasons.length === 0
    ? { aligned: true, detail: null }
    : { aligned: false, detail: `not aligned with ${source.name}: ${reasons.join("; ")}` };
}

async function compared(context: JobContext, path: string, source: Region, target: Region): Promise<readonly string[] | null> {
  const { describe } = context.deps;
  if (describe === undefined) return null;
  const { http, timeoutMs, signal } = servingChecks(context);
  try {
    const [original, copy] = await Promise.all(
      [source, target].map(async ({ streaming }) => describe({ http, manifestUrl: `${streaming}${path}`, timeoutMs, signal })),
    );
    return original === undefined || copy === undefined ? null : misalignments(original, copy);
  } catch (error) {
    if (error instanceof PlaybackFailure || (error instanceof PaircastError && error.code === "not_configured")) return null;
    throw error;
  }
}
