/** What a bench region answers, well or with a fault. Takes the time as an argument; sockets are `region.ts`'s. */
import type { Fault } from "./faults.ts";
import {
  AUDIO_TRACK,
  contentKey,
  editionAt,
  initSection,
  KEY_ID,
  locatorId,
  LOWEST_BITRATE,
  masterPlaylist,
  mediaPlaylist,
  mediaSegment,
  mpd,
  readPath,
  type Asked,
  type Edition,
} from "./video.ts";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  /** Bytes that are sent of those that are announced; then the connection ends. */
  readonly sent?: number;
  /** Bytes per second. */
  readonly rate?: number;
  readonly delayMs?: number;
}

/** A fault and since when; times are epoch milliseconds. */
export interface Moment {
  readonly fault: Fault | null;
  readonly since: number;
  readonly now: number;
}

const SLOW_MS = 1_800;
export const SKEW_MS = 3_600_000;
const BACKWARDS_SEGMENTS = 30;
const PLAYLIST = "application/vnd.apple.mpegurl";
const BINARY = "application/octet-stream";
const LOGIN_PAGE = "<!doctype html><html><head><title>Sign in</title></head><body><form><input name=user></form></body></html>\n";
const VIDEOS = new Map(
  [false, true].flatMap((encrypted) => [false, true].map((live) => [locatorId({ encrypted, live }), { encrypted, live }])),
);

type ManifestAsked = Extract<Asked, { type: "master" } | { type: "mpd" } | { type: "playlist" }>;
type MediaAsked = Exclude<Asked, ManifestAsked>;

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain", body: Buffer.from(text) };
}

export function unavailable(): Answer {
  return plain(503, "Service Unavailable\n");
}

function notFound(): Answer {
  return plain(404, "Not Found\n");
}

function loginPage(): Answer {
  return { status: 200, type: "text/html", body: Buffer.from(LOGIN_PAGE) };
}

export function streamingAnswer(target: string, moment: Moment): Answer {
  const [, id, path] = /^\/([^/]+)\/([^?]+)/.exec(target) ?? [];
  const video = id === undefined ? undefined : VIDEOS.get(id);
  const asked = path === undefined ? null : readPath(path);
  if (video === undefined || asked === null) return notFound();
  if (asked.type === "init" || asked.type === "segment") return mediaAnswer(asked, video.encrypted, moment.fault);
  return manifestAnswer(asked, video, moment);
}

function isMissing(asked: Asked, fault: Fault | null): boolean {
  if (!("track" in asked)) return false;
  if (fault === "init-missing") return asked.type === "init";
  return (fault === "rendition-missing" && asked.track === "v2") || (fault === "audio-missing" && asked.track === AUDIO_TRACK);
}

function manifestAnswer(asked: ManifestAsked, video: { readonly encrypted: boolean; readonly live: boolean }, moment: Moment): Answer {
  const { fault } = moment;
  if (fault === "manifest-404" || isMissing(asked, fault)) return notFound();
  if (fault === "manifest-503") return unavailable();
  if (fault === "manifest-html") return loginPage();
  const answer = {
    status: 200,
    type: asked.type === "mpd" ? "application/dash+xml" : PLAYLIST,
    body: Buffer.from(manifestText(asked, video, moment)),
  };
  if (fault === "manifest-half") return { ...answer, sent: Math.floor(answer.body.length / 2) };
  return fault === "manifest-slow" ? { ...answer, delayMs: SLOW_MS } : answer;
}

function manifestText(asked: ManifestAsked, video: { readonly encrypted: boolean; readonly live: boolean }, moment: Moment): string {
  if (asked.type === "master") return masterPlaylist();
  const edition = video.live ? liveEdition(moment) : editionAt(moment.now, false);
  return asked.type === "mpd" ? mpd(video, edition) : mediaPlaylist(asked.track, video, edition);
}

function liveEdition({ fault, since, now }: Moment): Edition {
  const well = editionAt(now, true);
  const then = editionAt(since, true);
  switch (fault) {
    case "stale":
      return { ...then, now };
    case "backwards":
      return { ...well, first: well.first - BACKWARDS_SEGMENTS };
    case "rewritten":
      return { ...well, naming: `g${Math.floor(now / 1000)}/` };
    case "clock-skew":
      return { ...well, skewMs: SKEW_MS };
    case "shrinks":
      return { ...then, count: Math.max(1, then.count - 1 - Math.floor((now - since) / 1000)), now };
    default:
      return well;
  }
}

function mediaAnswer(asked: MediaAsked, encrypted: boolean, fault: Fault | null): Answer {
  if (isMissing(asked, fault)) return notFound();
  if (asked.type === "init") return { status: 200, type: "video/mp4", body: initSection(asked.track) };
  const body = mediaSegment(asked.track, asked.number, encrypted);
  const answer = { status: 200, type: "video/mp4", body };
  switch (fault) {
    case "segments-503":
      return unavailable();
    case "segments-404":
      return notFound();
    case "segments-html":
      return loginPage();
    case "segments-garbage":
      return { ...answer, body: Buffer.from(body.map((byte, index) => byte ^ (index & 0xff) ^ 0xa5)) };
    case "segments-truncated":
      return { ...answer, sent: Math.floor(body.length / 2) };
    case "segments-slow":
      return { ...answer, rate: LOWEST_BITRATE / 8 / 4 };
    default:
      return answer;
  }
}

/** A key for GET, a licence answer of 2 KB for POST. */
export function keyAnswer(target: string, method: string, fault: Fault | null): Answer {
  switch (fault) {
    case "key-401":
    case "key-403":
      return plain(fault === "key-401" ? 401 : 403, "Forbidden");
    case "key-503":
      return unavailable();
    case "key-forbidden":
      return plain(200, "Forbidden");
    case "key-html":
      return loginPage();
    default:
      if (!target.endsWith(`/${KEY_ID}`)) return notFound();
      return { status: 200, type: BINARY, body: method === "POST" ? Buffer.alloc(2048, 0x4c) : keyBytes(fault) };
  }
}

function keyBytes(fault: Fault | null): Buffer {
  const key = contentKey();
  if (fault === "key-17-bytes") return Buffer.concat([key, Buffer.from("\n")]);
  return fault === "key-wrong" ? Buffer.from(key.toReversed()) : key;
}
