/** The streaming endpoint of a sandbox region: packages an asset's fragmented MP4 files as HLS (CMAF) and DASH at each request. */
import { Hono } from "hono";
import { cors } from "hono/cors";
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { AccountView, EmulatedLocator, FaultView } from "../contracts.ts";
import { bodyAnswer } from "./answer.ts";
import { type Assets, CachedAssets, type IndexedTrack } from "./assets.ts";
import type { BlobReader } from "./blobs.ts";
import { mediaPresentation } from "./dash.ts";
import { mediaPlaylist, multivariantPlaylist } from "./hls.ts";
import { type Broadcast, findOnAir, onAir, roundMs } from "./live.ts";
import { OriginError } from "./originErrors.ts";
import { type StreamingRequest, parseStreamingPath } from "./path.ts";
import { type Envelope, encryptSegment, protectionFor } from "./protection.ts";
import type { Rendition, ServerManifest } from "./serverManifest.ts";
import { shiftFragment } from "./shift.ts";
import type { TrackIndex } from "./trackIndex.ts";

export interface StreamingDeps {
  readonly account: AccountView;
  readonly blobs: BlobReader;
  readonly clock: Clock;
  /** Only `missing-segments` and `stale` are honoured here; the other faults belong to the server around the app. */
  readonly fault: FaultView;
  /** The region's key-delivery base URL, without a trailing slash. */
  readonly keysUrl: string;
  readonly log: Log;
}

/**
 * GET and HEAD of manifests, playlists and segments; see `path.ts` for the URLs and `originErrors.ts` for the refusals.
 * Filters that a locator names are ignored: `AccountView` does not show filters.
 */
export function streamingApp(deps: StreamingDeps): Hono {
  const assets = new CachedAssets(deps.blobs);
  const air = new AirClock(deps);
  const app = new Hono();
  app.use(
    cors({
      origin: "*",
      allowMethods: ["GET", "HEAD", "OPTIONS"],
      exposeHeaders: ["Content-Length", "Content-Range", "Date", "ETag"],
      maxAge: 600,
    }),
  );
  app.get("*", (context) => serve(deps, assets, air, context.req.raw));
  app.all("*", (context) =>
    context.json(problem("method_not_allowed", "only GET, HEAD and OPTIONS"), 405, { allow: "GET, HEAD, OPTIONS" }),
  );
  app.onError((error, context) => {
    const refusal = refusalOf(error);
    // Who has hung up, as all have when the sandbox stops, is told nothing.
    const isAwaited = !context.req.raw.signal.aborted;
    if (refusal.status >= 500 && isAwaited) deps.log.warn("sandbox.streaming.failed", { code: errorCode(error), error: errorChain(error) });
    return context.json(problem(refusal.code, refusal.message), refusal.status, { "cache-control": "no-store" });
  });
  return app;
}

function problem(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

function refusalOf(error: Error): OriginError {
  if (error instanceof OriginError) return error;
  if (errorCode(error) === "storage_unreadable") return new OriginError("storage_unreadable", "the region's storage cannot be read", error);
  return new OriginError("asset_unusable", "the asset could not be packaged", error);
}

/** A request with what the account has to say about it. */
interface Admitted {
  readonly request: StreamingRequest;
  readonly container: string;
  readonly envelope: Envelope | null;
}

/** An admitted request at work. */
interface Visit extends Admitted {
  readonly assets: Assets;
  readonly manifest: ServerManifest;
  /** For which a live channel is shown, epoch milliseconds. */
  readonly now: number;
  readonly raw: Request;
}

/** The time that live channels go by: it stands still while the fault `stale` is on. */
class AirClock {
  readonly #clock: Clock;
  readonly #fault: FaultView;
  #stoodStillAt: number | null = null;

  constructor({ clock, fault }: StreamingDeps) {
    this.#clock = clock;
    this.#fault = fault;
  }

  now(): number {
    const now = this.#clock.now();
    this.#stoodStillAt = this.#fault.current()?.kind === "stale" ? (this.#stoodStillAt ?? now) : null;
    return this.#stoodStillAt ?? now;
  }
}

async function serve(deps: StreamingDeps, assets: Assets, air: AirClock, raw: Request): Promise<Response> {
  const admitted = admit(deps, parseStreamingPath(new URL(raw.url).pathname));
  const { request, container } = admitted;
  const manifest = await assets.manifest(container, request.serverManifest);
  const visit = { ...admitted, assets, manifest, now: air.now(), raw };
  if (request.kind === "manifest") return serveManifest(visit);
  const rendition = renditionOf(manifest.renditions, request.track, request.bitrate);
  return request.kind === "playlist" ? servePlaylist(visit, rendition) : serveSegment(visit, rendition);
}

function admit({ account, clock, fault, keysUrl }: StreamingDeps, request: StreamingRequest): Admitted {
  if (!account.streamingRunning()) throw new OriginError("endpoint_stopped", "the region's streaming endpoint is not running");
  const locator = account.locator(request.locatorId);
  if (locator === null) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "no streaming locator has this id");
  if (!isOpen(locator, clock.now())) throw new OriginError("MPE_UNAUTHORIZED", "the streaming locator is not valid at this time");
  const container = account.container(locator.assetName);
  if (container === null) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "the asset of the streaming locator does not exist");
  if (account.offAir(locator.assetName)) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "the live event of this asset does not run");
  const envelope = protectionFor(account, locator, request.packaging, keysUrl);
  const segment = request.kind === "init" || request.kind === "fragment";
  if (segment && fault.current()?.kind === "missing-segments")
    throw new OriginError("MPE_FRAGMENT_TIMESTAMP_NOT_FOUND", "fault: missing-segments");
  return { request, container, envelope };
}

function isOpen({ startTime, endTime }: EmulatedLocator, now: number): boolean {
  return (startTime === null || now >= startTime) && (endTime === null || now < endTime);
}

function renditionOf(renditions: readonly Rendition[], track: string, bitrate: number): Rendition {
  const named = renditions.filter((rendition) => rendition.track === track);
  if (named.length === 0) throw new OriginError("MPE_EGRESS_TRACK_NOT_FOUND", `the asset has no track ${track}`);
  const rendition = named.find((candidate) => candidate.bitrate === bitrate);
  if (rendition === undefined) throw new OriginError("MPE_MANIFEST_MEDIA_ENTRY_NOT_FOUND", `track ${track} has no bitrate ${bitrate}`);
  return rendition;
}

const HLS_TYPE = "application/vnd.apple.mpegurl";
const DASH_TYPE = "application/dash+xml";

async function serveManifest(visit: Visit): Promise<Response> {
  const { request, envelope, raw, now } = visit;
  const tracks = await indexedTracks(visit);
  const { packaging } = request;
  if (packaging.protocol === "hls") return bodyAnswer(raw, Buffer.from(multivariantPlaylist(tracks, packaging)), HLS_TYPE);
  const live = visit.manifest.live ? { round: roundMs(tracks.map(({ index }) => index)), now } : null;
  return bodyAnswer(raw, Buffer.from(mediaPresentation(tracks, packaging, envelope, live)), DASH_TYPE);
}

async function indexedTracks({ assets, container, manifest }: Visit): Promise<readonly IndexedTrack[]> {
  return Promise.all(manifest.renditions.map((rendition) => assets.track(container, rendition)));
}

async function servePlaylist(visit: Visit, rendition: Rendition): Promise<Response> {
  const { request, container, envelope, assets, raw, now } = visit;
  const track = await assets.track(container, rendition);
  const window = visit.manifest.live ? onAir(track.index, await roundOf(visit), now) : null;
  return bodyAnswer(raw, Buffer.from(mediaPlaylist(track, request.packaging, envelope, window)), HLS_TYPE);
}

async function roundOf(visit: Visit): Promise<number> {
  return roundMs((await indexedTracks(visit)).map(({ index }) => index));
}

async function serveSegment(visit: Visit, rendition: Rendition): Promise<Response> {
  const { request, envelope, raw } = visit;
  const bytes = await segmentBytes(visit, rendition);
  // HLS players read a clear initialization segment (the MAP stands before the KEY), Shaka Player decrypts that of an encrypted MPD.
  const encrypted = envelope !== null && (request.kind === "fragment" || request.packaging.protocol === "dash");
  return bodyAnswer(raw, encrypted ? encryptSegment(envelope, bytes) : bytes, `${rendition.kind}/mp4`);
}

async function segmentBytes(visit: Visit, rendition: Rendition): Promise<Uint8Array> {
  const { request, container, assets, manifest, now } = visit;
  if (request.kind !== "fragment") return assets.part(container, rendition, ({ initLength }) => ({ offset: 0, size: initLength }));
  const { time } = request;
  if (!manifest.live)
    return assets.part(container, rendition, (index) =>
      known(
        index.fragments.find((fragment) => fragment.time === time),
        time,
      ),
    );
  const round = await roundOf(visit);
  const find = (index: TrackIndex): Broadcast => known(findOnAir(index, round, now, time), time);
  const { shift } = find((await assets.track(container, rendition)).index);
  return shiftFragment(await assets.part(container, rendition, (index) => find(index).fragment), shift, rendition.file);
}

function known<T>(found: T | null | undefined, time: number): T {
  if (found === null || found === undefined) throw new OriginError("MPE_FRAGMENT_TIMESTAMP_NOT_FOUND", `no fragment starts at ${time}`);
  return found;
}
