/** The manifests that the gateway rewrites: whatever a region answers, the result is a manifest, or a word for why there is none. */
import { expect } from "vitest";
import { isWellFormed } from "../../src/core/playback/xml.ts";
import { anchorDash, steerDash } from "../../src/gateway/dash/dash.ts";
import { anchorHls } from "../../src/gateway/hls/anchor.ts";
import { playlistKind } from "../../src/gateway/hls/playlistKind.ts";
import { steerHls } from "../../src/gateway/hls/steer.ts";
import type { AnchorOptions, Rewritten, RewriteRefusal, SteerOptions } from "../../src/gateway/pathway.ts";
import { LIVE_DASH, LIVE_HLS, PACKAGED } from "./manifestTargets.ts";
import type { TextTarget } from "./textTargets.ts";

const GATEWAY = "https://gw.example";
const MANIFEST = "/vod/film/master.m3u8";
const keyUrl = (url: string): string | null => (url.includes("keys") ? `${GATEWAY}/keys/?kid=1` : null);

const STEER: SteerOptions = {
  pathways: [
    { id: "west", url: `https://we.example${MANIFEST}?t=1` },
    { id: "north", url: `https://ne.example/origin${MANIFEST}?t=1` },
  ],
  from: "west",
  reloadUri: `${GATEWAY}/steering/hls${MANIFEST}?pathways=west,north`,
  ttlSeconds: 10,
  keyUrl,
  anchor: `${GATEWAY}${MANIFEST}?playback=anchor`,
};
const ANCHOR: AnchorOptions = { url: `https://we.example${MANIFEST}?t=1`, base: "https://we.example", gateway: GATEWAY, keyUrl };
const LOCATION = `${GATEWAY}/vod/film/manifest.mpd`;
const REFUSALS: readonly RewriteRefusal[] = ["not_playlist", "not_multivariant", "not_mpd", "malformed", "foreign_uri", "unsteerable"];

function checked(result: Rewritten, isManifest: (text: string) => boolean): void {
  if (!result.ok) {
    expect(REFUSALS).toContain(result.reason);
    return;
  }
  if (!isManifest(result.text) || !(result.boundKeys >= 0)) throw new Error(`written: ${result.text}`);
}

const HLS_WORDS = [
  "#EXT-X-CONTENT-STEERING:",
  "PATHWAY-ID=",
  "STABLE-VARIANT-ID=",
  "#EXT-X-DEFINE:",
  'NAME="a",VALUE="b"',
  "{$a}",
  "../",
  "//h/",
  "http://x/",
  "AUDIO=",
  'URI="',
  "#EXT-X-SESSION-KEY:",
  "\r\n",
];
const XML_WORDS = [
  "<BaseURL>",
  "</BaseURL>",
  "<Location>",
  "<ContentSteering",
  "serviceLocation=",
  "../",
  "//h/",
  "http://x/",
  "xlink:href=",
  "<!--",
  "$Number$",
  "<Period",
  "xmlns=",
];

export const REWRITE_TARGETS: readonly TextTarget[] = [
  {
    name: "steered HLS",
    cases: 20_000,
    samples: [PACKAGED.multivariant],
    dictionary: HLS_WORDS,
    check: (text) => {
      checked(steerHls(text, STEER), (written) => playlistKind(written) === "multivariant");
    },
  },
  {
    name: "anchored HLS",
    cases: 20_000,
    samples: [PACKAGED.multivariant, PACKAGED.media, LIVE_HLS],
    dictionary: HLS_WORDS,
    check: (text) => {
      checked(anchorHls(text, ANCHOR), (written) => /^\uFEFF?#EXTM3U/.test(written));
    },
  },
  {
    name: "steered DASH",
    cases: 8_000,
    samples: [PACKAGED.mpd, LIVE_DASH],
    dictionary: XML_WORDS,
    check: (text) => {
      checked(steerDash(text, { ...STEER, location: LOCATION }), isWellFormed);
    },
  },
  {
    name: "anchored DASH",
    cases: 8_000,
    samples: [PACKAGED.mpd, LIVE_DASH],
    dictionary: XML_WORDS,
    check: (text) => {
      checked(anchorDash(text, { ...ANCHOR, location: LOCATION }), isWellFormed);
    },
  },
];
