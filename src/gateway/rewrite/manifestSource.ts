/**
 * Manifests from the regions: each is read once for all viewers, kept while it cannot have changed, and read from the next region when one
 * fails. Nothing of a viewer's goes along but the target, and a viewer who goes away ends nothing.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../core/clock.ts";
import type { ManifestsConfig } from "../../core/config/playback.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { OutcomeSink } from "../../core/ports/health.ts";
import type { HttpClient } from "../../core/ports/http.ts";
import { attempted } from "./attempts.ts";
import { fetchManifest, type Fetched, type ManifestText, type Refusal } from "./fetchManifest.ts";

export interface SourceDeps {
  readonly http: HttpClient;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly options: ManifestsConfig;
  /** Streaming base URL of a region. */
  readonly base: (region: string) => string;
}

export interface Wanted {
  /** Path and query as the regions are to be asked for it. */
  readonly target: string;
  readonly protocol: "hls" | "dash";
  /** What the text depends on beside the target. */
  readonly version: string;
  /** The next region to ask, for one reading; null where there is none left. */
  readonly regions: () => () => string | null;
  /** Regions whose text will do. */
  readonly from: readonly string[];
}

export interface Read {
  readonly manifest: ManifestText;
  /** Until when it is good, in monotonic milliseconds. */
  readonly until: number;
}

export type Reading = { readonly type: "read"; readonly read: Read } | { readonly type: "none"; readonly reason: NotRead };
export type NotRead = Refusal | "unfetchable" | "busy";

interface Kept {
  readonly version: string;
  readonly reading: Reading;
  readonly at: number;
  readonly until: number;
}

const LIVE_MS = 1_000;
/** A refusal is the region's word, and not for long. */
const REFUSED_MS = 1_000;
/** Readings under way; those beyond are not begun. */
const MOST_FLIGHTS = 128;
/** A live playlist stands still for so many steps rather than go back. */
const PATIENT_STEPS = 3;
/** Low-latency HLS: the region answers when it has what is asked for (draft-pantos-hls-rfc8216bis §6.2.5.2), within three target durations. */
const BLOCKING = /[?&]_HLS_msn=/;
const BLOCKING_MS = 18_000;

export class ManifestSource {
  readonly #deps: SourceDeps;
  readonly #kept: LRUCache<string, Kept>;
  readonly #flights = new Map<string, { readonly version: string; readonly reading: Promise<Reading> }>();

  constructor(deps: SourceDeps) {
    this.#deps = deps;
    const { entries, cacheBytes } = deps.options;
    this.#kept = new LRUCache({ max: entries, maxSize: cacheBytes, sizeCalculation: sizeOf });
  }

  /** What is in memory and good; null where it has to be read. */
  known({ target, version, from }: Pick<Wanted, "target" | "version" | "from">): Reading | null {
    const kept = this.#kept.get(target);
    if (kept?.version !== version || this.#deps.clock.monotonic() >= kept.until) return null;
    return isFrom(kept.reading, from) ? kept.reading : null;
  }

  /** Reads it, or joins those who are reading it. Never rejects but for an error of the program's own. */
  async read(wanted: Wanted): Promise<Reading> {
    const { metrics } = this.#deps;
    const known = this.known(wanted);
    if (known !== null) {
      metrics.manifestRead("cached");
      return known;
    }
    const running = this.#flights.get(wanted.target);
    if (running?.version === wanted.version) {
      const reading = await running.reading;
      metrics.manifestRead("shared");
      return isFrom(reading, wanted.from) ? reading : { type: "none", reason: "unfetchable" };
    }
    if (this.#flights.size >= MOST_FLIGHTS) return { type: "none", reason: "busy" };
    const flight = { version: wanted.version, reading: this.#fly(wanted) };
    this.#flights.set(wanted.target, flight);
    try {
      return await flight.reading;
    } finally {
      if (this.#flights.get(wanted.target) === flight) this.#flights.delete(wanted.target);
    }
  }

  async #fly(wanted: Wanted): Promise<Reading> {
    const { clock, options } = this.#deps;
    const at = clock.monotonic();
    const before = this.#before(wanted);
    const isBlocking = BLOCKING.test(wanted.target);
    const timeoutMs = isBlocking ? Math.max(options.timeout, BLOCKING_MS) : options.timeout;
    const answers = await attempted({
      next: wanted.regions(),
      ask: async (region) => fetchManifest({ ...this.#deps, ...options }, this.#question(wanted, region, timeoutMs)),
      suits: (fetched) => fetched.type === "text" && !isBehind(fetched.manifest, before),
      clock,
      hedgeMs: isBlocking ? 0 : options.hedge,
    });
    return this.#keep(wanted, at, best(answers), before);
  }

  #question({ target, protocol }: Wanted, region: string, timeoutMs: number) {
    return { region, url: this.#deps.base(region) + target, protocol, timeoutMs };
  }

  /** What was served last, if that was a live playlist, and not so long ago that it may have begun anew. */
  #before({ target, version }: Wanted): Kept | null {
    const kept = this.#kept.peek(target);
    if (kept?.version !== version || kept.reading.type !== "read") return null;
    const { live, stepMs, end } = kept.reading.read.manifest;
    if (!live || end === null) return null;
    return this.#deps.clock.monotonic() - kept.at <= PATIENT_STEPS * (stepMs ?? LIVE_MS) ? kept : null;
  }

  #keep({ target, version }: Wanted, at: number, answer: Fetched | null, before: Kept | null): Reading {
    if (answer?.type !== "text") {
      this.#deps.metrics.manifestRead("failed");
      const reading: Reading = { type: "none", reason: answer?.type === "refused" ? answer.reason : "unfetchable" };
      // A failure is not kept: the next viewer may find it mended.
      if (answer?.type === "refused") this.#kept.set(target, { version, reading, at, until: at + REFUSED_MS });
      return reading;
    }
    this.#deps.metrics.manifestRead("fetched");
    const { manifest } = answer;
    const until = at + this.#goodFor(manifest);
    // Repeating a playlist is what a region does that has nothing new (RFC 8216, 6.2.2); one that goes back ends players.
    if (before !== null && isBehind(manifest, before) && before.reading.type === "read") {
      const repeated: Reading = { type: "read", read: { manifest: before.reading.read.manifest, until } };
      this.#kept.set(target, { version, reading: repeated, at: before.at, until });
      return repeated;
    }
    const reading: Reading = { type: "read", read: { manifest, until } };
    this.#kept.set(target, { version, reading, at, until });
    return reading;
  }

  #goodFor({ live, stepMs }: ManifestText): number {
    if (!live) return this.#deps.options.freshFor;
    return stepMs === null ? LIVE_MS : Math.min(LIVE_MS, stepMs / 2);
  }
}

function isFrom(reading: Reading, regions: readonly string[]): boolean {
  return reading.type !== "read" || regions.includes(reading.read.manifest.region);
}

function isBehind({ end }: ManifestText, before: Kept | null): boolean {
  if (before?.reading.type !== "read") return false;
  return end !== null && end < (before.reading.read.manifest.end ?? 0);
}

/** A manifest before a refusal, and the one that has come furthest; that it is nowhere only where everybody says so. */
function best(answers: readonly Fetched[]): Fetched | null {
  const texts = answers.filter((each) => each.type === "text");
  if (texts.length > 0) return texts.reduce((one, other) => ((other.manifest.end ?? 0) > (one.manifest.end ?? 0) ? other : one));
  const refused = answers.filter((each) => each.type === "refused");
  const present = refused.find(({ reason }) => reason !== "absent");
  if (present !== undefined) return present;
  return refused.length === answers.length ? (refused[0] ?? null) : null;
}

function sizeOf({ reading }: Kept): number {
  return reading.type === "read" ? reading.read.manifest.text.length + 500 : 500;
}
