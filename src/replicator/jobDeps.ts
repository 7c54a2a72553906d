/** What replication jobs are given. */
import type { Clock } from "../core/clock.ts";
import type { Region } from "../core/contracts.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { DescribedVideo } from "../core/playback/alignment.ts";
import type { ReadOptions } from "../core/playback/read.ts";
import type { WalkOptions } from "../core/playback.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { HttpClient } from "../core/ports/http.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { Bandwidth } from "./copying/bandwidth.ts";
import type { KeyUrlRule } from "./keyUrls.ts";
import type { ProgressSink } from "./progress.ts";
import type { RecordBook } from "./keyRecords/book.ts";
import type { VerificationPolicy } from "./verification/policy.ts";

/** Plays a video as a player would; `walkPlayback` of core/playback. Rejects with `PlaybackFailure`. */
export type PlaybackCheck = (options: WalkOptions) => Promise<{ readonly segment: { readonly evidence: string } }>;

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
  /** How thoroughly copies are verified. Default `DEFAULT_VERIFICATION`. */
  readonly verification?: VerificationPolicy;
  /** Prefix of the gateway's key URLs, which custom key-server templates contain. */
  readonly keyPrefix: string;
  /** How key and licence URL templates of streaming policies are led to the gateway; left out: they stay as the source has them. */
  readonly keyUrls?: readonly KeyUrlRule[];
  /** Whether immutable entities of a target that differ are deleted and created anew. Default false: they are conflicts. */
  readonly recreate?: boolean;
  /** Host name of the gateway's key URLs, lower case; left out or null: any, with the prefix. */
  readonly keyHost?: string | null;
}

export interface JobDeps {
  readonly regions: ReadonlyMap<string, Region>;
  readonly catalogue: CatalogueStore;
  readonly journal: Journal;
  /** Where ids, keys and policies of what is published are recorded, encrypted; left out or null: nowhere. */
  readonly records?: RecordBook | null;
  /** What is published keeps the source that the catalogue names, whatever region it is copied from: a region is being rebuilt. */
  readonly keepsSource?: boolean;
  readonly http: HttpClient;
  readonly playback: PlaybackCheck;
  /** The same, at start, middle and end of every rendition; left out: `playback` has to do. */
  readonly renditions?: PlaybackCheck;
  /** Left out: alignment is not measured. */
  readonly describe?: PlaybackDescription;
  readonly clock: Clock;
  /** Under the catalogue's own key. */
  readonly fingerprint: Fingerprint;
  /** Names this process in leases: a random GUID. */
  readonly owner: string;
  readonly log: Log;
  /** Bytes that may be copied to a target; left out: as fast as the services can. */
  readonly bandwidth?: (target: string) => Bandwidth | null;
  /** Told how far jobs are; left out: nobody. */
  readonly progress?: ProgressSink;
  readonly metrics: Pick<Metrics, "job" | "copied" | "replicationPass"> | null;
  readonly options: ReplicationOptions;
}
