/** What a region serves: one video, on demand or live, in HLS and DASH, with two video variants and one of audio. Both regions are aligned. */

export const SEGMENT_MS = 2_000;
/** Segments of the video on demand. */
const LENGTH = 150;
/** Segments of the live window: enough for a viewer who stays 30 s behind. */
const WINDOW = 24;
/** Number of the live segment that is being made when the clock's monotonic time is 0. */
const FIRST_LIVE = 5_000;

const TRACKS = {
  v1: { bitrate: 600_000 },
  v2: { bitrate: 1_500_000 },
  a1: { bitrate: 96_000 },
} as const;
type TrackName = keyof typeof TRACKS;

/** The video's name below the prefix of its route: `/steer/film/master.m3u8`. */
export const CONTENTS = ["film", "channel"] as const;
export type Content = (typeof CONTENTS)[number];

export interface Served {
  readonly type: string;
  /** What stands in the answer. */
  readonly body: Uint8Array;
  /** Bytes that a real answer has: what the transfer takes its time for. */
  readonly bytes: number;
}

/** Null for a path where nothing is. `now` is monotonic time, `startedAt` the wall time at its 0. */
export function serve(path: string, now: number, startedAt: number): Served | null {
  const [, content, file = ""] = /^\/[a-z]+\/(film|channel)\/([^?]+)/.exec(path) ?? [];
  if (content !== "film" && content !== "channel") return null;
  if (file === "master.m3u8") return text("application/vnd.apple.mpegurl", MASTER);
  if (file === "manifest.mpd" && content === "film") return text("application/dash+xml", MPD);
  return ofTrack(file, content, now, startedAt);
}

function ofTrack(file: string, content: Content, now: number, startedAt: number): Served | null {
  const [, track, part] = /^(v1|v2|a1)(?:\.m3u8|\/(init|\d+)\.(?:mp4|m4s))$/.exec(file) ?? [];
  if (!isTrack(track)) return null;
  if (part === undefined) return text("application/vnd.apple.mpegurl", playlist(track, content, now, startedAt));
  return part === "init" ? { type: "video/mp4", body: INIT, bytes: INIT.length } : segment(track, Number(part), edition(content, now));
}

interface Edition {
  readonly first: number;
  readonly count: number;
}

function segment(track: TrackName, number: number, { first, count }: Edition): Served | null {
  if (number < first || number >= first + count) return null;
  return { type: "video/mp4", body: SEGMENT, bytes: (TRACKS[track].bitrate * SEGMENT_MS) / 8_000 };
}

/** The listed segments: the first one's number and how many there are. */
function edition(content: Content, now: number): Edition {
  if (content === "film") return { first: 0, count: LENGTH };
  return { first: FIRST_LIVE + Math.floor(now / SEGMENT_MS) - WINDOW, count: WINDOW };
}

function isTrack(name: string | undefined): name is TrackName {
  return name !== undefined && Object.hasOwn(TRACKS, name);
}

function text(type: string, content: string): Served {
  const body = Buffer.from(content, "utf8");
  return { type, body, bytes: body.length };
}

const MASTER = [
  "#EXTM3U",
  "#EXT-X-VERSION:7",
  "#EXT-X-INDEPENDENT-SEGMENTS",
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="a1.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=696000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,AUDIO="aac"',
  "v1.m3u8",
  '#EXT-X-STREAM-INF:BANDWIDTH=1596000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="aac"',
  "v2.m3u8",
  "",
].join("\n");

function playlist(track: TrackName, content: Content, now: number, startedAt: number): string {
  const { first, count } = edition(content, now);
  const seconds = SEGMENT_MS / 1000;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", `#EXT-X-TARGETDURATION:${seconds}`, `#EXT-X-MEDIA-SEQUENCE:${first}`];
  if (content === "film") lines.push("#EXT-X-PLAYLIST-TYPE:VOD");
  lines.push(`#EXT-X-MAP:URI="${track}/init.mp4"`);
  if (content === "channel")
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startedAt + (first - FIRST_LIVE) * SEGMENT_MS).toISOString()}`);
  for (let number = first; number < first + count; number += 1) lines.push(`#EXTINF:${seconds.toFixed(3)},`, `${track}/${number}.m4s`);
  if (content === "film") lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

const TEMPLATE = `<SegmentTemplate timescale="1000" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s"><SegmentTimeline><S t="0" d="${SEGMENT_MS}" r="${LENGTH - 1}"/></SegmentTimeline></SegmentTemplate>`;

const MPD = `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT${(LENGTH * SEGMENT_MS) / 1000}S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011">
  <Period id="1" start="PT0S">
    <AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      ${TEMPLATE}
      <Representation id="v1" bandwidth="600000" codecs="avc1.4d401e" width="640" height="360"/>
      <Representation id="v2" bandwidth="1500000" codecs="avc1.4d401f" width="1280" height="720"/>
    </AdaptationSet>
    <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true">
      ${TEMPLATE}
      <Representation id="a1" bandwidth="96000" codecs="mp4a.40.2"/>
    </AdaptationSet>
  </Period>
</MPD>
`;

/** A box of the ISO base media file format (ISO/IEC 14496-12 §4.2): what probes look for. */
function box(type: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(size, 0);
  bytes.write(type, 4, "latin1");
  return bytes;
}

const INIT = Buffer.concat([box("ftyp", 24), box("moov", 600)]);
const SEGMENT = Buffer.concat([box("moof", 200), box("mdat", 1_800)]);
