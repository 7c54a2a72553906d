/**
 * Whether the regions' copies of a video are aligned, for videos of which the catalogue does not say: measured here in the background, once for
 * all viewers, and remembered.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../core/clock.ts";
import { errorChain } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { misalignments, type DescribedVideo } from "../../core/playback/alignment.ts";
import type { HttpClient } from "../../core/ports/http.ts";
import type { Candidate } from "../candidates.ts";
import { pathOf } from "../target.ts";
import type { Together } from "./soundness.ts";

/** Reads all playlists of a video at one region; rejects where that fails. */
export type DescribeVideo = (options: {
  readonly http: HttpClient;
  readonly manifestUrl: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}) => Promise<DescribedVideo>;

export interface AlignmentsDeps {
  readonly describe: DescribeVideo;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Videos that are remembered. */
  readonly entries: number;
  /** Milliseconds for one playlist. */
  readonly timeoutMs: number;
  /** Milliseconds after which a video is compared again, if it is still asked for. */
  readonly freshFor: number;
}

/** One video under one protocol: what is true of its HLS need not be true of its DASH. */
export interface MeasuredVideo {
  readonly locatorId: string;
  readonly protocol: "hls" | "dash";
}

/** What one manifest showed. */
interface Comparison {
  readonly pairs: ReadonlyMap<string, boolean>;
  /** Monotonic milliseconds. */
  readonly dueAt: number;
}

/** A live pair may drift apart at any time. */
const LIVE_FRESH_MS = 30_000;
/** Where a region did not answer. */
const AGAIN_MS = 10_000;
/** All playlists of one video at one region. */
const WALK_MS = 20_000;
const AT_A_TIME = 4;
/** Manifests of one video. */
const MOST_MANIFESTS = 4;
const NOTHING: ReadonlyMap<string, boolean> = new Map();

export class Alignments {
  readonly #deps: AlignmentsDeps;
  /** By video, then by path of the manifest. */
  readonly #videos: LRUCache<string, Map<string, Comparison>>;
  readonly #running = new Map<string, Promise<void>>();
  #generation: object = {};

  constructor(deps: AlignmentsDeps) {
    this.#deps = deps;
    this.#videos = new LRUCache({ max: deps.entries });
  }

  /** The same object as long as nothing that was measured has changed. */
  get generation(): object {
    return this.#generation;
  }

  /**
   * What is known of two regions' copies; null where nothing is. A plain read of memory. A playlist of a video is what the video is; where several
   * manifests of it were compared, all must be aligned.
   */
  of(video: MeasuredVideo, target: string): Together {
    const manifests = this.#videos.get(keyOf(video));
    const own = manifests?.get(pathOf(target));
    const relevant = own === undefined ? [...(manifests?.values() ?? [])] : [own];
    return (one, other) => {
      const said = relevant.flatMap(({ pairs }) => pairs.get(pairOf(one, other)) ?? []);
      return said.length === 0 ? null : said.every(Boolean);
    };
  }

  /** True where something is known of the video, by whichever of its manifests. */
  knows(video: MeasuredVideo): boolean {
    return this.#videos.has(keyOf(video));
  }

  /** Compares the candidates' copies in the background, unless that was done lately, is being done, or too much else is. */
  measure(video: MeasuredVideo, target: string, candidates: readonly Candidate[]): void {
    const key = keyOf(video);
    const due = this.#videos.peek(key)?.get(pathOf(target))?.dueAt ?? Number.NEGATIVE_INFINITY;
    if (candidates.length < 2 || this.#running.has(key) || this.#running.size >= AT_A_TIME || this.#deps.clock.monotonic() < due) return;
    const measuring = this.#measure(key, target, candidates)
      .catch((error: unknown) => {
        this.#deps.log.error("gateway.alignment_broken", { error: errorChain(error) });
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, measuring);
  }

  /** Resolves when nothing is being measured. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #measure(key: string, target: string, candidates: readonly Candidate[]): Promise<void> {
    const copies = new Map<string, DescribedVideo>();
    await Promise.all(
      candidates.map(async ({ region, base }) => {
        const copy = base === null ? null : await this.#described(region, base + target);
        if (copy !== null) copies.set(region, copy);
      }),
    );
    const live = [...copies.values()].some(({ tracks }) => tracks.some(({ timeline }) => !timeline.ended));
    const wait = copies.size < candidates.length ? AGAIN_MS : live ? LIVE_FRESH_MS : this.#deps.freshFor;
    this.#remember(key, pathOf(target), compared(copies), this.#deps.clock.monotonic() + wait);
  }

  #remember(key: string, path: string, found: readonly [string, boolean][], dueAt: number): void {
    const manifests = this.#videos.get(key) ?? new Map<string, Comparison>();
    const before = manifests.get(path)?.pairs ?? NOTHING;
    // Of a region that did not answer, what was known of its copy still holds.
    const pairs = new Map([...before, ...found]);
    const [oldest] = manifests.keys();
    if (!manifests.has(path) && manifests.size >= MOST_MANIFESTS && oldest !== undefined) manifests.delete(oldest);
    manifests.set(path, { pairs, dueAt });
    this.#videos.set(key, manifests);
    if (!sameSaid(before, pairs)) this.#generation = {};
  }

  async #described(region: string, manifestUrl: string): Promise<DescribedVideo | null> {
    const { describe, http, clock, log, timeoutMs } = this.#deps;
    using deadline = clock.deadline(WALK_MS);
    try {
      return await describe({ http, manifestUrl, timeoutMs, signal: deadline.signal, clock });
    } catch (error) {
      // The probes tell of regions that are ill; a video that cannot be compared is only not steered.
      log.debug("gateway.alignment_unknown", { region, error: errorChain(error) });
      return null;
    }
  }
}

function compared(videos: ReadonlyMap<string, DescribedVideo>): [string, boolean][] {
  const all = [...videos];
  return all.flatMap(([one, video], at) =>
    all.slice(at + 1).map(([other, copy]): [string, boolean] => [pairOf(one, other), misalignments(video, copy).length === 0]),
  );
}

function sameSaid(one: ReadonlyMap<string, boolean>, other: ReadonlyMap<string, boolean>): boolean {
  return one.size === other.size && [...one].every(([pair, aligned]) => other.get(pair) === aligned);
}

function keyOf({ protocol, locatorId }: MeasuredVideo): string {
  return `${protocol} ${locatorId}`;
}

/** Names of regions hold no blank. */
function pairOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
