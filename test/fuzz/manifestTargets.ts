/** Parsers of what regions answer: playlists, MPDs, index boxes, key addresses, country databases. */
import { expect } from "vitest";
import { CountryDatabase } from "../../src/core/countryDatabase.ts";
import { errorCode } from "../../src/core/errors.ts";
import { keyIdentity } from "../../src/core/playback/keyIdentity.ts";
import { keyHostOf, keyPlace, movedUri } from "../../src/core/playback/keyPlace.ts";
import { parseManifest, parseMediaPlaylist } from "../../src/core/playback/manifest.ts";
import type { Media, MediaPart, ParsedManifest } from "../../src/core/playback/media.ts";
import { serverTime } from "../../src/core/playback/read.ts";
import { indexedRanges } from "../../src/core/playback/segmentIndex.ts";
import { isWellFormed } from "../../src/core/playback/xml.ts";
import { parseAddress } from "../../src/core/address.ts";
import { maxMindFile } from "../fakes/maxMindFile.ts";
import { packageVideo, testKey } from "../fakes/packagedVideo.ts";
import type { TextTarget } from "./textTargets.ts";

const URL_OF = "https://we.example/v/manifest";
const NOW = Date.parse("2026-01-01T00:16:40Z");
const FILES = packageVideo("", { encryption: { key: testKey("k"), keyUri: "https://keys.example/?kid=1&a=b", iv: testKey("iv") } });
const file = (name: string): string => Buffer.from(FILES.get(name) ?? "").toString("utf8");

export const LIVE_HLS = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
#EXT-X-KEY:METHOD=AES-128,URI="k?x=1",IV=0x000102030405060708090a0b0c0d0e0f
#EXTINF:4.0,
#EXT-X-BYTERANGE:1000@100
a.m4s
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=NONE
#EXTINF:3.996,title
b.m4s?q=1
#EXT-X-PART:DURATION=0.5,URI="c.1.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="c.2.m4s"
`;
export const LIVE_DASH = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" publishTime="2026-01-01T00:16:38Z" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT60S">
<BaseURL>https://we.example/x/</BaseURL>
<Period id="1" start="PT0S"><AdaptationSet mimeType="video/mp4"><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" cenc:default_KID="9a0f1c2d-3b4e-4f50-8617-28394a5b6c7d"/>
<SegmentTemplate timescale="10" presentationTimeOffset="0" startNumber="1" initialization="$RepresentationID$/i.mp4" media="$RepresentationID$/$Number%05d$-$Time$.m4s"><SegmentTimeline><S t="9000" d="20" r="3"/><S d="20" r="-1"/></SegmentTimeline></SegmentTemplate>
<Representation id="v1" bandwidth="1000" codecs="avc1.4d401e"/></AdaptationSet>
<AdaptationSet mimeType="audio/mp4" lang="en"><SegmentTemplate duration="2" media="a-$Number$.m4s"/><Representation id="a1" bandwidth="1"/></AdaptationSet></Period>
</MPD>`;
export const PACKAGED = { multivariant: file("master.m3u8"), media: file("v1.m3u8"), mpd: file("manifest.mpd") };
const LISTED_DASH = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S"><Period duration="PT8S"><AdaptationSet mimeType="video/mp4"><Representation id="r" bandwidth="1"><BaseURL>one.mp4</BaseURL><SegmentBase indexRange="100-150"><Initialization range="0-99"/></SegmentBase></Representation><Representation id="l" bandwidth="2"><SegmentList duration="2"><SegmentURL media="a.m4s" mediaRange="0-9"/><SegmentURL media="b.m4s"/></SegmentList></Representation></AdaptationSet></Period></MPD>`;

function checkPart({ url, range, key }: MediaPart): void {
  if (!URL.canParse(url)) throw new Error(`no URL: ${url}`);
  if (range !== null && !(Number.isSafeInteger(range.offset + range.length) && range.offset >= 0 && range.length >= 1))
    throw new Error("no range");
  if (key !== null && key.method === "AES-128" && key.iv !== null && !/^[0-9a-f]{32}$/.test(key.iv)) throw new Error(`no IV: ${key.iv}`);
}

function checkMedia({ segments, index, targetMs }: Media): void {
  for (const segment of segments) {
    checkPart(segment);
    if (segment.init !== null) checkPart(segment.init);
    if (!(segment.durationMs >= 0 && Number.isFinite(segment.durationMs)) || !Number.isFinite(segment.at))
      throw new Error(`no time: ${segment.durationMs} at ${segment.at}`);
  }
  if (index !== null) checkPart(index.part);
  if (targetMs !== null && !Number.isFinite(targetMs)) throw new Error(`no target duration: ${targetMs}`);
}

function checkManifest(manifest: ParsedManifest | null): void {
  for (const { url, media } of manifest?.tracks ?? []) {
    if (!URL.canParse(url)) throw new Error(`no URL: ${url}`);
    if (media !== null) checkMedia(media);
  }
}

const HERE = { name: "we", streaming: "https://v-we.example/base", keys: "https://k-we.example" };
const THERE = { name: "ne", streaming: "https://v-ne.example", keys: "https://k-ne.example" };
const KEY_DOOR = { prefix: "/keys", host: "keys.example" };

function checkKeyUri(uri: string): void {
  const place = keyPlace(uri, HERE, [THERE], KEY_DOOR);
  if (place !== null && !place.target.startsWith("/")) throw new Error(`target ${place.target}`);
  keyHostOf(movedUri(uri, THERE, HERE), HERE, KEY_DOOR);
  expect(keyIdentity(uri)).toBe(keyIdentity(uri).toLowerCase());
}

function checkDate(text: string): void {
  const [date = "", age = ""] = text.split("|");
  const time = serverTime({ date, age });
  if (time !== null && !Number.isFinite(time)) throw new Error(`no time: ${time}`);
}

const XML_WORDS = [
  "<MPD",
  "</MPD>",
  "<Period",
  "<S ",
  'r="-1"',
  'd="0"',
  't="1"',
  'duration="1"',
  'timescale="0"',
  "$Time$",
  "$Number%99999999d$",
  "&amp;",
  "<!--",
  "]]>",
  "PT1S",
  "P1Y",
  "xmlns:x",
];
const HLS_WORDS = [
  "#EXTM3U\n",
  "#EXTINF:",
  "#EXT-X-KEY:",
  "METHOD=AES-128,",
  "IV=0x",
  'URI="',
  "#EXT-X-BYTERANGE:",
  "@",
  "#EXT-X-MAP:",
  "#EXT-X-ENDLIST",
  "#EXT-X-STREAM-INF:BANDWIDTH=",
  "#EXT-X-DEFINE:",
  "{$x}",
  "http://[",
  "data:,",
  "2026-01-01T00:00:00Z",
];

export const MANIFEST_TARGETS: readonly TextTarget[] = [
  {
    name: "HLS manifests",
    cases: 30_000,
    samples: [PACKAGED.multivariant, PACKAGED.media, LIVE_HLS],
    dictionary: HLS_WORDS,
    check: (text) => {
      checkManifest(parseManifest(text, URL_OF, NOW));
    },
  },
  {
    name: "HLS media playlists",
    cases: 15_000,
    samples: [PACKAGED.media, LIVE_HLS],
    dictionary: HLS_WORDS,
    check: (text) => {
      const media = parseMediaPlaylist(text, URL_OF);
      if (media !== null) checkMedia(media);
    },
  },
  {
    name: "DASH manifests",
    cases: 30_000,
    samples: [PACKAGED.mpd, LIVE_DASH, LISTED_DASH],
    dictionary: XML_WORDS,
    check: (text) => {
      checkManifest(parseManifest(text, URL_OF, NOW));
    },
  },
  {
    name: "XML",
    cases: 30_000,
    samples: [LISTED_DASH, LIVE_DASH],
    dictionary: XML_WORDS,
    check: (text) => {
      isWellFormed(text);
    },
  },
  {
    name: "key addresses",
    cases: 60_000,
    samples: [
      "https://k-we.example/?kid=1",
      "https://gw.example:8443/keys/a?x",
      "https://v-we.example/base/v/key.bin",
      "skd://1234",
      "data:text/plain;base64,AAAA",
    ],
    dictionary: ["https://", "k-we.example", "/keys", "kid=", "?", "#", "//", ":80", "@", "\\"],
    check: checkKeyUri,
  },
  {
    name: "dates of answers",
    cases: 25_000,
    samples: ["Thu, 01 Jan 2026 00:00:00 GMT|12", "2026-01-01|", "|1e400"],
    dictionary: ["GMT", "|", "1e400", "Infinity", "-", "Thu"],
    check: checkDate,
  },
];

const INDEX = (() => {
  const bytes = Buffer.alloc(32 + 3 * 12);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.write("sidx", 4, "latin1");
  bytes.writeUInt32BE(1000, 16);
  bytes.writeUInt16BE(3, 30);
  for (const at of [32, 44, 56]) {
    bytes.writeUInt32BE(500, at);
    bytes.writeUInt32BE(4000, at + 4);
  }
  return bytes;
})();
const DATABASES = [6, 4].map((ipVersion) =>
  maxMindFile({
    ipVersion: ipVersion === 4 ? 4 : 6,
    recordSize: ipVersion === 4 ? 28 : 24,
    networks: {
      "198.51.100.0/24": { country: { iso_code: "SE", names: { en: "Sweden" } } },
      "203.0.113.0/25": { country: "FR", location: { accuracy: 0.5 }, tags: ["a", true] },
      ...(ipVersion === 6 ? { "2001:db8::/32": { registered_country: { iso_code: "DE" } } } : {}),
    },
  }),
);
const ADDRESSES = ["198.51.100.4", "203.0.113.9", "2001:db8::1", "10.0.0.1"].flatMap((text) => {
  const address = parseAddress(text);
  return address === null ? [] : [address];
});

export interface ByteTarget {
  readonly name: string;
  readonly cases: number;
  readonly samples: readonly Buffer[];
  readonly check: (bytes: Buffer) => void;
}

export const BYTE_TARGETS: readonly ByteTarget[] = [
  {
    name: "segment index boxes",
    cases: 80_000,
    samples: [INDEX],
    check: (bytes) => {
      for (const { offset, length, durationMs } of indexedRanges(bytes, 100) ?? []) {
        if (offset < 100 || length < 0 || !(durationMs >= 0)) throw new Error(`range ${offset}+${length}, ${durationMs} ms`);
      }
    },
  },
  {
    name: "country databases",
    cases: 17_500,
    samples: DATABASES,
    check: (bytes) => {
      try {
        const database = CountryDatabase.from(bytes, "x.mmdb");
        for (const address of ADDRESSES) {
          const country = database.country(address);
          if (country !== null && !/^[A-Z]{2}$/.test(country)) throw new Error(`country ${country}`);
        }
      } catch (error) {
        if (errorCode(error) !== "country_database") throw error;
      }
    },
  },
];
