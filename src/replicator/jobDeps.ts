/** What replication jobs are given. */
import type { Clock } from "../core/clock.ts";
import type { Region } from "../core/contracts.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { DescribedVideo } from "../core/playback/alignment.ts";
import type { ReadOptions } from "../core/playback/read.ts";
import type { Playback, WalkOptions } from "../core/playback.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { HttpClient } from "../core/ports/http.ts";
import type { Journal } from "../core/ports/journal.ts";

/** Plays a video as a player would; `walkPlayback` of core/playback. Rejects with `PlaybackFailure`. */
export type PlaybackCheck = (options: WalkOptions) => Promise<{ readonly segment: Pick<Playback["segment"], "evidence"> }>;

/** Reads all playlists of a video; `describeVideo` of core/playback. Rejects with `PlaybackFailure`. */
export type PlaybackDescription = (options: ReadOptions) => Promise<DescribedVideo>;

export interface ReplicationOptions {
  /** Assets at a time, for each target. */
  readonly concurrency: number;
  /** Blobs at a time within an asset. */
  readonly blobConcurrency: number;
  /** Life of a job's lease; after a crash the next run waits at most this long. Default 15 s. */
  readonly leaseMs?: number;
  /** For each request of a playback or key check. Default 10 s. */
  readonly checkTimeoutMs?: number;
  /** For listing the publications of one region. Default 30 s. */
  readonly listTimeoutMs?: number;
  /** Prefix of the gateway's key URLs, which custom key-server templates contain. */
  readonly keyPrefix: string;
  /** Host name of the gateway's key URLs, lower case; left out or null: any, with the prefix. */
  readonly keyHost?: string | null;
}

export interface JobDeps {
  readonly regions: ReadonlyMap<string, Region>;
  readonly catalogue: CatalogueStore;
  readonly journal: Journal;
  readonly http: HttpClient;
  readonly playback: PlaybackCheck;
  /** Left out: alignment is not measured. */
  readonly describe?: PlaybackDescription;
  readonly clock: Clock;
  /** Under the catalogue's own key. */
  readonly fingerprint: Fingerprint;
  /** Names this process in leases: a random GUID. */
  readonly owner: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "job" | "copied" | "replicationPass"> | null;
  readonly options: ReplicationOptions;
}
