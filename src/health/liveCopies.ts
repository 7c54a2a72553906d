/** Watches every region's copy of every live event as a player would, and tells the catalogue which are on air: that switches the gateway. */
import type { Clock } from "../core/clock.ts";
import type { HealthConfig } from "../core/config/health.ts";
import type { CatalogueEntry, RegionCopy } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { LiveMetrics } from "../core/liveMetrics.ts";
import type { Log } from "../core/log.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { HttpClient } from "../core/ports/http.ts";
import { besideOthers, observeCopy, UNKNOWN_COPY, verdictOn, type LiveCopyState } from "./liveCopy.ts";
import { probeContext } from "./probes/context.ts";
import { look, type Probe } from "./probes/probe.ts";
import { streamingProbe } from "./probes/streaming.ts";

export interface LiveCopiesOptions {
  /** Those of live events, as the catalogue has them now. */
  readonly entries: () => readonly CatalogueEntry[];
  readonly regions: readonly { readonly name: string; readonly streaming: string }[];
  readonly http: HttpClient;
  readonly config: Pick<HealthConfig, "interval" | "timeout" | "rise" | "fall" | "signals">;
  readonly fingerprint: Fingerprint;
  /** Writes a region's copy of a locator that the catalogue has. */
  readonly setCopy: (locatorId: string, region: string, copy: RegionCopy) => Promise<void>;
  readonly metrics: Pick<LiveMetrics, "standing">;
  readonly clock: Clock;
  readonly log: Log;
}

interface Watched {
  readonly probe: Probe;
  /** What it plays; another manifest is another watch. */
  readonly path: string;
  state: LiveCopyState;
}

/** A look is up to a dozen requests, several after one another: each has the time of a probe, and all together this many times that. */
const TIMES = 3;
/** A copy that somebody took out of service, and that plays all the same, returns after so many looks. */
const HEAL_LOOKS = 20;
const HEAL_MS = 10_000;

/** Runs until `stop` aborts. Never rejects. */
export async function watchLiveCopies(options: LiveCopiesOptions, stop: AbortSignal): Promise<void> {
  const { clock, config } = options;
  const copies = new LiveCopies(options);
  while (!stop.aborted) {
    await copies.look(stop);
    await clock.sleep(config.interval, stop).catch(() => undefined);
  }
}

export class LiveCopies {
  readonly #options: LiveCopiesOptions;
  #watched = new Map<string, Watched>();

  constructor(options: LiveCopiesOptions) {
    this.#options = options;
  }

  /** One look at each copy, and what follows from it. Never rejects. */
  async look(stop: AbortSignal): Promise<void> {
    const entries = this.#options.entries();
    const watched = new Map<string, Watched>();
    const looks = entries.flatMap((entry) =>
      this.#regionsOf(entry).map(async (region) => {
        const key = keyOf(entry, region.name);
        const copy = this.#watch(key, entry, region);
        if (copy === null) return;
        watched.set(key, copy);
        await this.#observe(copy, stop);
      }),
    );
    await Promise.all(looks);
    this.#watched = watched;
    if (stop.aborted) return;
    const standing = entries.map((entry) => [entry, this.#standing(entry)] as const);
    this.#options.metrics.standing(standing.map(([, copies]) => new Map([...copies].map(([region, { onAir }]) => [region, onAir]))));
    for (const [entry, copies] of standing) await this.#tell(entry, copies);
  }

  #standing(entry: CatalogueEntry): ReadonlyMap<string, LiveCopyState> {
    const seen = ({ name }: { readonly name: string }): LiveCopyState => this.#watched.get(keyOf(entry, name))?.state ?? UNKNOWN_COPY;
    return besideOthers(new Map(this.#regionsOf(entry).map((region) => [region.name, seen(region)])));
  }

  #regionsOf({ regions }: CatalogueEntry): LiveCopiesOptions["regions"] {
    return this.#options.regions.filter(({ name }) => regions[name] !== undefined);
  }

  #watch(key: string, { manifests }: CatalogueEntry, region: LiveCopiesOptions["regions"][number]): Watched | null {
    const path = manifests.hls ?? manifests.dash;
    if (path === null) return null;
    const known = this.#watched.get(key);
    if (known?.path === path) return known;
    const { http, config, fingerprint, clock } = this.#options;
    const probed = { name: region.name, streaming: region.streaming, canary: { manifest: path } };
    const canaries = { canary: async () => null };
    const context = probeContext([probed], { http, canaries, timeoutMs: config.timeout, fingerprint, clock, signals: config.signals });
    return { probe: streamingProbe(probed, context), path, state: UNKNOWN_COPY };
  }

  async #observe(copy: Watched, signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#options;
    try {
      const { outcome, lookAgainMs } = await look(copy.probe, { clock, timeoutMs: TIMES * config.timeout, signal });
      const seen = outcome.ok ? { ok: true as const, leftMs: lookAgainMs ?? null } : outcome;
      copy.state = observeCopy(copy.state, seen, config, { now: clock.now(), monotonic: clock.monotonic() });
    } catch {
      // It stops, or what went wrong says nothing about the region.
    }
  }

  async #tell(entry: CatalogueEntry, copies: ReadonlyMap<string, LiveCopyState>): Promise<void> {
    const { clock, config, setCopy, log } = this.#options;
    const healMs = Math.max(HEAL_MS, HEAL_LOOKS * config.interval);
    for (const [region, stored] of Object.entries(entry.regions)) {
      const state = copies.get(region);
      if (state === undefined) continue;
      const othersOnAir = [...copies].some(([other, { onAir }]) => other !== region && onAir === true);
      const now = clock.now();
      const verdict = verdictOn(state, { serves: stored.state === "verified", at: stored.at, othersOnAir }, now, healMs);
      if (verdict === null) continue;
      const copy: RegionCopy =
        verdict === "serve"
          ? { state: "verified", at: now, detail: "seen on air" }
          : { state: "withdrawn", at: now, detail: `not on air: ${state.detail ?? ""}` };
      try {
        await setCopy(entry.locatorId, region, copy);
        const fields = { asset: entry.assetName, locator: entry.locatorId, region, detail: copy.detail };
        if (verdict === "serve") log.info("live.on_air", fields);
        else log.warn("live.off_air", fields);
      } catch (error) {
        log.warn("live.not_told", { locator: entry.locatorId, region, code: errorCode(error), error: errorChain(error) });
      }
    }
  }
}

function keyOf({ locatorId }: CatalogueEntry, region: string): string {
  return `${locatorId} ${region}`;
}
