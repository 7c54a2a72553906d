/** Playlists as origins write them, and the regions that hold them. */
import type { AnchorOptions, Rewritten, SteerOptions } from "../../../src/gateway/pathway.ts";

export const GATEWAY = "https://gw.example";
export const RELOAD = `${GATEWAY}/steering/hls/vod/film/master.m3u8?pathways=west,north`;
const MANIFEST = "/vod/film/master.m3u8";
export const WEST = `https://we.example${MANIFEST}`;
export const NORTH = `https://ne.example/origin${MANIFEST}`;

/** Two regions, of which the second has a base path; keys at `keys.*` can be carried. */
export const STEER: SteerOptions = {
  pathways: [
    { id: "west", url: WEST },
    { id: "north", url: NORTH },
  ],
  from: "west",
  reloadUri: RELOAD,
  ttlSeconds: 10,
  keyUrl: (url) => (new URL(url).hostname.startsWith("keys.") ? `${GATEWAY}/keys/${new URL(url).search}` : null),
  anchor: null,
};

export const ANCHOR: AnchorOptions = { url: NORTH, base: "https://ne.example/origin", gateway: GATEWAY, keyUrl: STEER.keyUrl };

export function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}

/** The text of a playlist that could be rewritten. */
export function textOf(result: Rewritten): string {
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.text;
}

/** The line that `steerHls` adds for these pathways. */
export function steeringOf(priority: readonly string[], ttl = 10): string {
  const manifest = { VERSION: 1, TTL: ttl, "RELOAD-URI": RELOAD, "PATHWAY-PRIORITY": priority };
  const base64 = Buffer.from(JSON.stringify(manifest)).toString("base64");
  return `#EXT-X-CONTENT-STEERING:SERVER-URI="data:application/json;base64,${base64}",PATHWAY-ID="${priority[0]}"`;
}

/** As Apple's tools write it: two groups of audio, subtitles, closed captions, I-frames. */
export const APPLE = lines(
  "#EXTM3U",
  "#EXT-X-VERSION:6",
  "#EXT-X-INDEPENDENT-SEGMENTS",
  "",
  "## made by hand",
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",LANGUAGE="en",NAME="English, stereo",AUTOSELECT=YES,DEFAULT=YES,CHANNELS="2",URI="a1/prog.m3u8"',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="ac3",LANGUAGE="en",NAME="English, 5.1",AUTOSELECT=YES,DEFAULT=YES,CHANNELS="6",URI="a2/prog.m3u8"',
  '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="sub",LANGUAGE="de",NAME="Deutsch",AUTOSELECT=YES,FORCED=NO,URI="s1/prog.m3u8"',
  '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",LANGUAGE="en",NAME="English",INSTREAM-ID="CC1"',
  '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=180000,CODECS="avc1.64001f",RESOLUTION=960x540,URI="v5/iframe.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=2227464,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=960x540,FRAME-RATE=60.000,CLOSED-CAPTIONS="cc",AUDIO="aac",SUBTITLES="sub"',
  "v5/prog.m3u8",
  '#EXT-X-STREAM-INF:BANDWIDTH=2448841,CODECS="avc1.64001f,ac-3",RESOLUTION=960x540,FRAME-RATE=60.000,CLOSED-CAPTIONS="cc",AUDIO="ac3",SUBTITLES="sub"',
  "v5/prog.m3u8",
);

/** A low-latency playlist in the middle of its life. */
export const LOW_LATENCY = lines(
  "#EXTM3U",
  "#EXT-X-VERSION:9",
  "#EXT-X-TARGETDURATION:4",
  "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=24.0",
  "#EXT-X-PART-INF:PART-TARGET=0.33334",
  "#EXT-X-MEDIA-SEQUENCE:266",
  "#EXT-X-SKIP:SKIPPED-SEGMENTS=3",
  '#EXT-X-MAP:URI="https://ne.example/origin/vod/film/v5/init.mp4",BYTERANGE="720@0"',
  '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.north.example/?kid=7",IV=0x0123456789abcdef0123456789abcdef',
  "#EXT-X-PROGRAM-DATE-TIME:2026-02-14T02:13:36.106Z",
  "#EXTINF:4.00008,",
  "#EXT-X-BYTERANGE:1000@720",
  "file266.mp4",
  '#EXT-X-PART:DURATION=0.33334,URI="/origin/vod/film/v5/file267.1.mp4",INDEPENDENT=YES',
  '#EXT-X-PART:DURATION=0.33334,URI="file267.2.mp4",BYTERANGE="2000@0"',
  "#EXTINF:4.00008,",
  "https://ne.example/origin/vod/film/v5/file267.mp4?sig=a,b",
  '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="../v5/file268.1.mp4"',
  '#EXT-X-RENDITION-REPORT:URI="/origin/vod/film/v4/prog.m3u8",LAST-MSN=267,LAST-PART=2',
);
