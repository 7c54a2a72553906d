/** The streaming endpoint of a sandbox region: packages an asset's fragmented MP4 files as HLS (CMAF) and DASH at each request. */
import { Hono } from "hono";
import { cors } from "hono/cors";
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { AccountView, EmulatedLocator, FaultView } from "../contracts.ts";
import { bodyAnswer } from "./answer.ts";
import { type Assets, CachedAssets, type PartOf } from "./assets.ts";
import type { BlobReader } from "./blobs.ts";
import { mediaPresentation } from "./dash.ts";
import { mediaPlaylist, multivariantPlaylist } from "./hls.ts";
import { OriginError } from "./originErrors.ts";
import { type StreamingRequest, parseStreamingPath } from "./path.ts";
import { type Envelope, encryptSegment, protectionFor } from "./protection.ts";
import type { Rendition } from "./serverManifest.ts";

export interface StreamingDeps {
  readonly account: AccountView;
  readonly blobs: BlobReader;
  readonly clock: Clock;
  /** Only `missing-segments` is honoured here; the other faults belong to the server around the app. */
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
  const app = new Hono();
  app.use(
    cors({
      origin: "*",
      allowMethods: ["GET", "HEAD", "OPTIONS"],
      exposeHeaders: ["Content-Length", "Content-Range", "Date", "ETag"],
      maxAge: 600,
    }),
  );
  app.get("*", (context) => serve(deps, assets, context.req.raw));
  app.all("*", (context) =>
    context.json(problem("method_not_allowed", "only GET, HEAD and OPTIONS"), 405, { allow: "GET, HEAD, OPTIONS" }),
  );
  app.onError((error, context) => {
    const refusal = refusalOf(error);
    if (refusal.status >= 500) deps.log.warn("sandbox.streaming.failed", { code: errorCode(error), error: errorChain(error) });
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

async function serve(deps: StreamingDeps, assets: Assets, raw: Request): Promise<Response> {
  const admitted = admit(deps, parseStreamingPath(new URL(raw.url).pathname));
  const { request, container } = admitted;
  const renditions = await assets.renditions(container, request.serverManifest);
  if (request.kind === "manifest") return serveManifest(admitted, assets, renditions, raw);
  const rendition = renditionOf(renditions, request.track, request.bitrate);
  return request.kind === "playlist" ? servePlaylist(admitted, assets, rendition, raw) : serveSegment(admitted, assets, rendition, raw);
}

function admit({ account, clock, fault, keysUrl }: StreamingDeps, request: StreamingRequest): Admitted {
  if (!account.streamingRunning()) throw new OriginError("endpoint_stopped", "the region's streaming endpoint is not running");
  const locator = account.locator(request.locatorId);
  if (locator === null) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "no streaming locator has this id");
  if (!isOpen(locator, clock.now())) throw new OriginError("MPE_UNAUTHORIZED", "the streaming locator is not valid at this time");
  const container = account.container(locator.assetName);
  if (container === null) throw new OriginError("MPE_RESOURCE_NOT_FOUND", "the asset of the streaming locator does not exist");
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

async function serveManifest(
  { request, container, envelope }: Admitted,
  assets: Assets,
  renditions: readonly Rendition[],
  raw: Request,
): Promise<Response> {
  const tracks = await Promise.all(renditions.map((rendition) => assets.track(container, rendition)));
  const { packaging } = request;
  return packaging.protocol === "hls"
    ? bodyAnswer(raw, Buffer.from(multivariantPlaylist(tracks, packaging)), HLS_TYPE)
    : bodyAnswer(raw, Buffer.from(mediaPresentation(tracks, packaging, envelope)), DASH_TYPE);
}

async function servePlaylist(
  { request, container, envelope }: Admitted,
  assets: Assets,
  rendition: Rendition,
  raw: Request,
): Promise<Response> {
  const track = await assets.track(container, rendition);
  return bodyAnswer(raw, Buffer.from(mediaPlaylist(track, request.packaging, envelope)), HLS_TYPE);
}

async function serveSegment(
  { request, container, envelope }: Admitted,
  assets: Assets,
  rendition: Rendition,
  raw: Request,
): Promise<Response> {
  const bytes = await assets.part(container, rendition, partOf(request));
  // HLS players read a clear initialization segment (the MAP stands before the KEY), Shaka Player decrypts that of an encrypted MPD.
  const encrypted = envelope !== null && (request.kind === "fragment" || request.packaging.protocol === "dash");
  return bodyAnswer(raw, encrypted ? encryptSegment(envelope, bytes) : bytes, `${rendition.kind}/mp4`);
}

function partOf(request: StreamingRequest): PartOf {
  return ({ initLength, fragments }) => {
    if (request.kind !== "fragment") return { offset: 0, size: initLength };
    const fragment = fragments.find(({ time }) => time === request.time);
    if (fragment === undefined) throw new OriginError("MPE_FRAGMENT_TIMESTAMP_NOT_FOUND", `no fragment starts at ${request.time}`);
    return fragment;
  };
}
