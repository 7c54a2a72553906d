/**
 * The interfaces at which the areas meet the world, each with its contract. Every implementation, the in-memory one included, runs
 * the conformance suite of its port (`test/conformance`).
 */
import type { Address } from "./address.ts";
import type { Canary, CatalogueEntry, FailureReason, HealthSnapshot, Outcome, Override, Service } from "./contracts.ts";
import type {
  AssetSpec,
  ContentKeyPolicy,
  LocatorSummary,
  MediaAsset,
  MediaFilter,
  StreamingLocator,
  StreamingPath,
  StreamingPolicy,
} from "./media.ts";

/** Reads health. `snapshot()` is a plain read of the newest immutable snapshot: no I/O, safe on the hot path. */
export interface HealthView {
  snapshot(): HealthSnapshot;
}

/**
 * What traffic saw of a region enters health by this door, the same that probes use. Never throws, never blocks.
 * `viewer` tells viewers apart (an address, a session id): failures count once enough different ones have them. Left out: the gateway itself,
 * one of them. A client that went away is nobody's failure and is not told here.
 */
export interface OutcomeSink {
  observe(region: string, service: Service, outcome: Outcome, viewer?: string): void;
}

/**
 * Reads the catalogue. Both look-ups are plain reads of memory: no I/O, safe on the hot path. Ids are compared in lower case.
 * The view may lag the store by at most a second. `entries` gives the same array until something changes, so that what is computed from it
 * can be kept.
 */
export interface CatalogueView {
  byLocator(locatorId: string): CatalogueEntry | undefined;
  byKey(keyId: string): CatalogueEntry | undefined;
  entries(): readonly CatalogueEntry[];
}

/** A stored entry with the version that a later write must name. */
export interface VersionedEntry {
  readonly entry: CatalogueEntry;
  readonly version: string;
}

/**
 * Keeps the catalogue.
 * - `put` writes if and only if the stored version equals `expected` (null: there is no entry); otherwise it throws `catalogue_conflict`
 *   (retry class `conflict`) and nothing changes. It returns the new version. A write that returned survives a crash.
 * - With `fence`, `put` writes only while that lease of the journal is held by that owner, or was and nobody has taken it since; otherwise it
 *   throws `lease_lost` (retry class `retry`) and nothing changes. The look at the lease and the write are one: there is no moment between them.
 * - `remove` follows the same rule as `put` without a fence.
 * - `list` yields every entry that existed during the whole listing exactly once, ordered by locator id.
 * - `fingerprintKey` is 32 random bytes, made once per store and the same for everyone who shares it.
 * - `revision` changes whenever any entry has changed, through whichever process; it is cheap to call.
 * - `changes` gives what has changed since a revision that `revision` or `changes` gave, and the revision that this leads to. It costs by what has
 *   changed, not by what there is. Null where that is not known (any more): then only `list` tells.
 */
export interface CatalogueStore extends AsyncDisposable {
  get(locatorId: string): Promise<VersionedEntry | null>;
  put(entry: CatalogueEntry, expected: string | null, fence?: Fence): Promise<string>;
  remove(locatorId: string, expected: string): Promise<void>;
  list(): AsyncIterable<VersionedEntry>;
  fingerprintKey(): Promise<Uint8Array>;
  revision(): Promise<string>;
  changes(since: string): Promise<CatalogueChanges | null>;
}

/** A lease of the journal, as a condition of a write. */
export interface Fence {
  readonly jobId: string;
  readonly owner: string;
}

/** The last state of everything that has changed: each locator once, in lower case; a null entry was removed. */
export interface CatalogueChanges {
  readonly revision: string;
  readonly changed: ReadonlyMap<string, CatalogueEntry | null>;
}

/** What a job has proven of one blob: enough to skip it next time while both sides are unchanged. */
export interface BlobRecord {
  readonly name: string;
  readonly sourceEtag: string;
  readonly targetEtag: string;
  readonly length: number;
  /** Base64 MD5 of the content, seen equal on both sides. */
  readonly md5: string;
}

/** The state of one replication job: one asset to one target region. */
export interface JobRecord {
  /** `{source}/{assetName}->{target}`. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly assetName: string;
  readonly step: "planned" | "copied" | "policed" | "located" | "verified" | "published";
  readonly state: "running" | "done" | "failed" | "conflict";
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly updatedAt: number;
}

/**
 * What replication jobs have done so far. It may be lost: everything in it can be found out again from both sides, only slower.
 * - `acquire` gives the lease of a job to `owner` until `now + leaseMs` and returns true, or returns false while somebody else holds it.
 *   The same owner may acquire again to renew. `release` gives it back and ignores a lease that is no longer held.
 * - `save` and `recordBlob` replace; a write that returned survives a crash.
 * - `jobs` lists the newest first, at most `limit`.
 * - `proof` is the fingerprint that an entity (a policy, a filter) had when both regions of `scope` were last seen equal: a target that still
 *   has it is ours to replace.
 */
export interface Journal extends AsyncDisposable {
  acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean>;
  release(jobId: string, owner: string): Promise<void>;
  load(jobId: string): Promise<JobRecord | null>;
  save(job: JobRecord): Promise<void>;
  jobs(limit: number): Promise<readonly JobRecord[]>;
  blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>>;
  recordBlob(jobId: string, blob: BlobRecord): Promise<void>;
  proof(scope: string, entity: string): Promise<string | null>;
  recordProof(scope: string, entity: string, fingerprint: string): Promise<void>;
}

/** A piece of work in the hands of one worker. */
export interface WorkItem {
  readonly id: string;
  readonly body: string;
  /** How many times it has been taken, this time included. Who took it later has the greater number. */
  readonly takes: number;
  /** What the queue knows this very take by. Opaque, and replaced by `renew`. */
  readonly receipt: string;
}

/** A piece of work that nobody could finish. */
export interface DeadLetter {
  readonly id: string;
  readonly body: string;
  readonly takes: number;
  /** One sentence for people. */
  readonly reason: string;
  /** When the work was put into the queue. */
  readonly putAt: number;
}

/**
 * Hands out work to many workers, each piece to one of them at a time, in no promised order.
 * - `put` keeps any text of at most 48 KiB in UTF-8, for up to seven days hidden by `delayMs`; more fails with `work_too_large`, or
 *   `work_too_late`. What was put survives a crash, and may in rare cases be given out twice although it was completed: work is done such that
 *   doing it again is harmless.
 * - `take` gives a piece that is not hidden and hides it for `leaseMs` (an implementation may round up to whole seconds), or null where there is none.
 *   The lease ends by itself, so that the work of a worker that died is given to another.
 * - `renew` hides it for `leaseMs` from now, and gives the item to go on with. `complete` removes it. `release` gives it back, hidden for `delayMs`.
 *   `bury` puts it among the dead letters.
 * - These four throw `lease_lost` (retry class `retry`) when somebody else has taken the piece meanwhile, or it is gone: what the worker does
 *   then must not count any more. A lease that merely ran out is still the worker's. What a worker writes elsewhere is fenced there: a catalogue
 *   entry by the lease of its job (`Fence`).
 * - A piece that was taken `maxTakes` times (a setting of the queue) and neither completed nor buried is not given out again: the next `take` buries it.
 * - `deadLetters` lists those that were put last first, at most `limit`. `replay` puts one back as new, once, and says whether it was there.
 */
export interface WorkQueue extends AsyncDisposable {
  put(body: string, delayMs?: number): Promise<void>;
  take(leaseMs: number): Promise<WorkItem | null>;
  renew(item: WorkItem, leaseMs: number): Promise<WorkItem>;
  complete(item: WorkItem): Promise<void>;
  release(item: WorkItem, delayMs?: number): Promise<void>;
  bury(item: WorkItem, reason: string): Promise<void>;
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  replay(id: string): Promise<boolean>;
}

/** A blob's name and properties as a listing or a HEAD shows them. */
export interface BlobInfo {
  readonly name: string;
  readonly length: number;
  readonly etag: string;
  readonly type: "BlockBlob" | "PageBlob" | "AppendBlob";
  /** Base64, null where the service has none. */
  readonly contentMd5: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly contentLanguage: string | null;
  readonly contentDisposition: string | null;
  readonly cacheControl: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Access tier, null where the account has none. */
  readonly tier: string | null;
  /** Status of the copy that made the blob, null where none did. A blob whose copy is not `success` has no readable content. */
  readonly copyStatus: "pending" | "success" | "aborted" | "failed" | null;
}

/** Which blob a write may replace: none (`absent`), or exactly the one with this ETag. */
export type WriteCondition = "absent" | { readonly etag: string };

/**
 * One blob container.
 * - `list` yields every blob once, with its properties; `head` returns null for a blob that is not there.
 * - `read` returns exactly `count` bytes (fewer only at the end of the blob) of the version with `etag`, or throws `blob_changed`.
 * - `copyFrom` copies a blob server-side under its own name, with content type, metadata and the other properties, and resolves when the
 *   copy is complete. When `condition` does not hold it throws `blob_conflict` (retry class `conflict`) and nothing changes. A copy that fails leaves no
 *   readable blob under the name. A pending copy found at the name is waited for, not started again.
 * - `readUrl` is a URL with which the same or another storage service may read the blob for the next while: a secret, never logged.
 * - `write` uploads small content; for the `static` driver's markers and for tests.
 * - Errors: `storage_unavailable` (retry), `storage_denied` (never), `container_missing` (never), `blob_archived` (never).
 */
export interface BlobContainer {
  /** For people and errors: account and container, no SAS. */
  readonly label: string;
  list(signal?: AbortSignal): AsyncIterable<BlobInfo>;
  head(name: string, signal?: AbortSignal): Promise<BlobInfo | null>;
  read(blob: BlobInfo, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array>;
  readUrl(name: string): Promise<string>;
  copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal): Promise<BlobInfo>;
  write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo>;
}

/**
 * The management plane of one media account.
 * - `get…` return null for what is not there. `list…` yield everything, following the service's paging.
 * - `create…` never replace: for what exists already they throw `media_exists` (retry class `conflict`). `put…` create or replace.
 * - `createAsset` creates the container too, and returns the asset as the service now shows it.
 * - `locator` and `locators` differ: only `locator` has content keys with values.
 * - `container` opens the blob container of an asset, for reading or for writing; access is renewed while it is used.
 * - Errors: `account_unavailable` (retry: refused, time-out, 5xx, 429 after the service's own Retry-After was honoured),
 *   `account_denied` (never: 401, 403), `account_rejected` (never: 400 and other answers; the message carries the service's own text).
 */
export interface MediaAccount {
  readonly region: string;
  assets(signal?: AbortSignal): AsyncIterable<MediaAsset>;
  asset(name: string, signal?: AbortSignal): Promise<MediaAsset | null>;
  createAsset(spec: AssetSpec, signal?: AbortSignal): Promise<MediaAsset>;
  container(asset: MediaAsset, access: "read" | "write"): BlobContainer;
  assetFilters(assetName: string, signal?: AbortSignal): AsyncIterable<MediaFilter>;
  putAssetFilter(assetName: string, filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  accountFilter(name: string, signal?: AbortSignal): Promise<MediaFilter | null>;
  putAccountFilter(filter: MediaFilter, signal?: AbortSignal): Promise<void>;
  /** With secrets. */
  contentKeyPolicy(name: string, signal?: AbortSignal): Promise<ContentKeyPolicy | null>;
  putContentKeyPolicy(policy: ContentKeyPolicy, signal?: AbortSignal): Promise<void>;
  streamingPolicy(name: string, signal?: AbortSignal): Promise<StreamingPolicy | null>;
  createStreamingPolicy(policy: StreamingPolicy, signal?: AbortSignal): Promise<void>;
  locators(signal?: AbortSignal): AsyncIterable<LocatorSummary>;
  assetLocators(assetName: string, signal?: AbortSignal): Promise<readonly LocatorSummary[]>;
  locator(name: string, signal?: AbortSignal): Promise<StreamingLocator | null>;
  createLocator(locator: StreamingLocator, signal?: AbortSignal): Promise<void>;
  paths(locatorName: string, signal?: AbortSignal): Promise<readonly StreamingPath[]>;
}

/** What anybody may read of a container without a credential: nothing, its blobs, or its blobs and their list. */
export type PublicAccess = "none" | "blob" | "container";

/** Manifests at the top level of a container, as paths to append to the region's streaming URL. */
export interface StaticManifests {
  readonly hls: string | null;
  readonly dash: string | null;
}

/**
 * The storage of a region of the `static` driver: one container per video, no management API.
 * - `videos` yields the name of every container that the configuration takes for a video, once.
 * - `container` opens one, whether or not it is there.
 * - `publicAccess` is null where the container is not there. `createContainer` leaves an existing container as it is, its access too.
 * - `manifests` names the HLS multivariant playlist and the DASH MPD.
 * - Errors: those of `BlobContainer`.
 */
export interface StaticLibrary {
  readonly region: string;
  videos(signal?: AbortSignal): AsyncIterable<string>;
  container(name: string): BlobContainer;
  publicAccess(name: string, signal?: AbortSignal): Promise<PublicAccess | null>;
  createContainer(name: string, access: PublicAccess, signal?: AbortSignal): Promise<void>;
  manifests(name: string, signal?: AbortSignal): Promise<StaticManifests>;
}

/** An HTTP answer from a region, small enough to hold. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Milliseconds from the question to the answer's headers and to its last byte; left out where they are not measured. */
  readonly timing?: { readonly firstByteMs: number; readonly totalMs: number };
}

export interface HttpQuestion {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Time until the last byte. */
  readonly timeoutMs: number;
  /** Answers with more bytes fail with `too_large`. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks a region over HTTP as a player would: TLS verified, redirects not followed, answer read whole.
 * Resolves for any HTTP status. A failure rejects with `HttpFailure`, whose `reason` is one of refused, reset, timeout, dns, tls, truncated,
 * too_large; a `signal` that aborts rejects with its reason.
 * Only URLs under a configured region are asked; any other is refused with `not_configured`.
 */
export interface HttpClient {
  ask(question: HttpQuestion): Promise<HttpAnswer>;
}

/** What a server showed of itself in a TLS handshake. */
export interface PeerCertificate {
  /** When the certificate ends. */
  readonly expiresAt: number;
}

/**
 * Makes a new connection to the origin of `url` and looks at its certificate: requests on a connection that is kept alive say nothing about
 * a certificate that was replaced or has run out since. Null for an http:// URL, which has none.
 * Rejects with `HttpFailure` (tls, refused, reset, timeout, dns), or with `not_configured` as `HttpClient` does.
 */
export interface CertificateSource {
  peer(url: string, timeoutMs: number): Promise<PeerCertificate | null>;
}

/** One probe, as it is remembered. */
export interface ProbeRecord {
  /** When it began. */
  readonly at: number;
  readonly ok: boolean;
  readonly reason: FailureReason | null;
  readonly durationMs: number;
  /** What was seen, or what went wrong. */
  readonly detail: string;
}

/** The newest probes of a service, oldest first; empty for a service that is not there. */
export interface HealthHistory {
  history(region: string, service: Service): readonly ProbeRecord[];
}

/** What one probe on demand saw of a URL. */
export interface ProbeReport {
  readonly success: boolean;
  readonly durationSeconds: number;
  /** Seconds of each step that was reached: `manifest`, `playlist`, `index`, `init`, `segment`; `first_byte`, `transfer`; `handshake`. */
  readonly phases: Readonly<Record<string, number>>;
  /** Status of the last answer, null where there was none. */
  readonly statusCode: number | null;
  /** When the certificate ends, epoch seconds; null where there is none or it was not seen. */
  readonly tlsExpiry: number | null;
  readonly failureReason: FailureReason | null;
  /** For people: what was seen, or what went wrong. */
  readonly detail: string;
}

/**
 * Probes a URL of a configured region at once, for monitoring elsewhere.
 * Rejects with `probe_target` for what is no http(s) URL, with `not_configured` for what is not at a configured region, and with the reason of
 * `signal` when that aborts.
 */
export interface ProbeOnDemand {
  readonly modules: readonly string[];
  /** `module` is one of `modules`; `timeoutMs` is for the whole probe. */
  probe(module: string, target: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeReport>;
}

/** One thing that was done to the overrides, for the audit. */
export interface OverrideEvent {
  readonly at: number;
  readonly action: "set" | "lifted" | "expired";
  readonly override: Override;
  readonly by: string;
}

/**
 * Keeps operators' overrides for everyone who shares the store.
 * - `set` replaces an override of the same region and service (a drain becomes a disable); `lift` by id is idempotent and returns what was lifted.
 *   With `expected`, `set` writes if and only if that is still the revision; otherwise it throws `overrides_conflict` (retry class `conflict`)
 *   and nothing changes: what was decided on is what is stored.
 * - `active` gives those that have not expired at `now`, oldest first; expired ones are removed by the next write, or by `expire`, and audited as
 *   `expired` at the time they expired, once, whoever shares the store. `expire` returns what it removed.
 * - `audit` lists the newest events first, at most `limit`; nothing in it is ever changed.
 * - `revision` changes whenever any override has changed, through whichever process; it is cheap to call.
 * - A write that returned survives a crash.
 */
export interface OverrideStore extends AsyncDisposable {
  set(override: Override, expected?: string): Promise<void>;
  lift(id: string, by: string, now: number): Promise<Override | null>;
  expire(now: number): Promise<readonly Override[]>;
  active(now: number): Promise<readonly Override[]>;
  audit(limit: number): Promise<readonly OverrideEvent[]>;
  revision(): Promise<string>;
}

/**
 * Reads overrides on the hot path: a plain read of memory, at most a second old, oldest first. Expired ones are left out.
 * The same array is returned until something changes, so that what is computed from it can be kept.
 */
export interface OverrideView {
  active(): readonly Override[];
}

/**
 * Keeps the last health over a restart: what each status is, since when and why, and nothing that passes by itself (shares, holds, pending
 * changes).
 * - `load` returns null where nothing was saved, or what was saved is too old to be believed or cannot be read. It never rejects for those.
 * - `save` replaces. It may be lost with the machine, and never holds up the process for long: it rejects instead.
 */
export interface HealthMemory {
  load(): Promise<HealthSnapshot | null>;
  save(snapshot: HealthSnapshot): Promise<void>;
}

/** Tells the country of an address: two capital letters (ISO 3166-1), null where it is not known. A plain read of memory, safe on the hot path. */
export interface CountryReader {
  country(address: Address): string | null;
}

/** Gives probes something real to play. Null where the region holds nothing that could be asked for. */
export interface CanarySource {
  canary(region: string): Promise<Canary | null>;
}

/** Keyed fingerprint of a content key (HMAC-SHA-256, hex): tells whether two keys are equal, and nothing else. */
export type Fingerprint = (key: Uint8Array) => string;
