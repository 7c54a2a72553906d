/** A gateway that steers and anchors, before regions in memory whose files a test sets. */
import type { Clock } from "../../../src/core/clock.ts";
import type { FailureReason, Region } from "../../../src/core/contracts.ts";
import { HttpFailure } from "../../../src/core/http.ts";
import { describeVideo } from "../../../src/core/playback/describe.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../../src/core/ports/http.ts";
import { buildGateway } from "../../../src/gateway/app.ts";
import { Alignments } from "../../../src/gateway/rewrite/alignments.ts";
import { SeenManifests } from "../../../src/gateway/rewrite/seenManifests.ts";
import { PlaybackRouter } from "../../../src/gateway/router.ts";
import { buildWorld, entry, LOCATOR, REGIONS } from "../world.ts";

export const WEST = "https://we.streaming.example";
export const NORTH = "https://ne.streaming.example/origin";
export const GATEWAY = "http://gw.example:8080";
/** A catalogued video. */
export const VIDEO = `/${LOCATOR}/video`;
export const HLS = `${VIDEO}/master.m3u8`;
export const DASH = `${VIDEO}/manifest.mpd`;
/** A video that the catalogue does not know. */
export const FILM = "/vod/film";

export const ALIGNED = aligned(true);

/** The catalogued video, verified in both regions. */
export function aligned(copy: boolean | undefined) {
  const { regions, ...rest } = entry({ westeurope: "verified", northeurope: "verified" }, { keys: [] });
  const { northeurope, westeurope } = regions;
  if (northeurope === undefined || westeurope === undefined) throw new Error("two regions");
  return { ...rest, regions: { westeurope, northeurope: copy === undefined ? northeurope : { ...northeurope, aligned: copy } } };
}

/** A text, a status, or how it fails: `refused`, `reset`, `timeout`. */
export type File = string | number | (() => File | Promise<File>);

/** Regions as what they answer to URLs; what is not set is a 404. */
export class Files implements HttpClient {
  readonly asked: HttpQuestion[] = [];
  readonly #files = new Map<string, File>();

  set(url: string, file: File): void {
    this.#files.set(url, file);
  }

  /** Under both regions. */
  everywhere(path: string, file: File): void {
    for (const base of [WEST, NORTH]) this.set(base + path, file);
  }

  get urls(): string[] {
    return this.asked.map(({ url }) => url);
  }

  /** How often a path was asked for by GET, at all regions. */
  count(path: string): number {
    return this.asked.filter(({ method, url }) => method === "GET" && url.endsWith(path)).length;
  }

  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    this.asked.push(question);
    let file = this.#files.get(question.url) ?? 404;
    while (typeof file === "function") file = await file();
    if (typeof file === "number") return { status: file, headers: file === 302 ? { location: "/login" } : {}, body: new Uint8Array() };
    if (REASONS.has(file)) throw new HttpFailure(file as FailureReason, "as set");
    const body = new TextEncoder().encode(file);
    if (body.length > question.maxBytes) throw new HttpFailure("too_large", "as set");
    return { status: 200, headers: { "content-type": "text/plain" }, body };
  }
}

const REASONS: ReadonlySet<string> = new Set<FailureReason>(["refused", "reset", "timeout"]);

export interface StageOptions {
  readonly clock: Clock;
  readonly gateway?: Readonly<Record<string, unknown>>;
  readonly regions?: readonly Region[];
}

export function stage({ clock, gateway = {}, regions = REGIONS }: StageOptions) {
  const files = new Files();
  const world = buildWorld({ clock, http: files, regions, gateway });
  world.catalogue.list = [ALIGNED];
  const alignments = new Alignments({
    describe: describeVideo,
    http: files,
    clock,
    log: world.logs.log,
    entries: 100,
    timeoutMs: 1_000,
    freshFor: 60_000,
  });
  const seen = new SeenManifests();
  const router = new PlaybackRouter({ ...world, overrides: world.overrideView, alignments, seen });
  const playback = { regions, health: world.health, http: files, alignments, seen };
  const pools = {
    dispatcher: () => {
      throw new Error("no key is asked for here");
    },
  };
  const app = buildGateway({ ...world, router, playback, pools, log: world.logs.log, ready: () => true });
  const ask = async (target: string, headers: Record<string, string> = {}, method = "GET") => {
    const host = headers["host"] ?? "gw.example:8080";
    const request = new Request("http://gateway/", { method, headers: { ...headers, host } });
    const answer = await app.fetch(request, { target, peer: () => "192.0.2.1" });
    return { status: answer.status, headers: answer.headers, location: answer.headers.get("location"), text: await answer.text() };
  };
  return { ...world, router, files, alignments, seen, app, ask };
}

export const MASTER = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360
v1/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.4d4015,mp4a.40.2",RESOLUTION=426x240
v2/index.m3u8
`;

export function mediaPlaylist({ first = 0, count = 3, name = "s", ended = true, key = "" } = {}): string {
  const segments = Array.from({ length: count }, (_, at) => `#EXTINF:4.0,\n${name}${first + at}.m4s`);
  return [
    "#EXTM3U",
    "#EXT-X-TARGETDURATION:4",
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ...(key === "" ? [] : [`#EXT-X-KEY:METHOD=AES-128,URI="${key}"`]),
    ...segments,
    ...(ended ? ["#EXT-X-ENDLIST"] : []),
    "",
  ].join("\n");
}

export function mpd({ live = false, key = "" } = {}): string {
  const times = live
    ? 'type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT2S"'
    : 'type="static" mediaPresentationDuration="PT8S"';
  const protection =
    key === ""
      ? ""
      : `<ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"><dashif:Laurl xmlns:dashif="https://dashif.org/CPS">${key}</dashif:Laurl></ContentProtection>`;
  return `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" ${times} minBufferTime="PT2S">
  <Period id="1" start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4">${protection}
    <Representation id="v" bandwidth="800000" codecs="avc1.4d401e">
      <SegmentTemplate timescale="1" media="v/$Time$.m4s" initialization="v/init.mp4"><SegmentTimeline><S t="0" d="4" r="1"/></SegmentTimeline></SegmentTemplate>
    </Representation></AdaptationSet></Period>
</MPD>
`;
}

/** A whole HLS video in the given regions. */
export function putHls(files: Files, bases: readonly string[], path: string, media = mediaPlaylist()): void {
  for (const base of bases) {
    files.set(`${base}${path}/master.m3u8`, MASTER);
    for (const variant of ["v1", "v2"]) files.set(`${base}${path}/${variant}/index.m3u8`, media);
  }
}
