/** Whole playlists to the letter: an origin's with every session tag, our own packager's, and media playlists of each kind. */
import { describe, expect, it } from "vitest";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import type { AnchorOptions, SteerOptions } from "../../../src/gateway/pathway.ts";
import { liveSample } from "../../../src/sandbox/sample.ts";
import {
  CLEAR_LOCATOR,
  KEYED_LOCATOR,
  manifestPath,
  readSample,
  sampleRegion,
  type SampleRegion,
  TEMPLATE_LOCATOR,
} from "../../sandbox/streaming/sampleRegion.ts";
import { ANCHOR, GATEWAY, lines, NORTH, STEER, steeringOf, textOf, WEST } from "./playlists.ts";

const MASTER_AT_GATEWAY = `${GATEWAY}/vod/film/master.m3u8`;

describe("a multivariant playlist with all that a session has", () => {
  const QUERY = "?token=a%2Fb&viewer=1";
  const OPTIONS: SteerOptions = {
    ...STEER,
    pathways: [
      { id: "north", url: NORTH + QUERY },
      { id: "west", url: WEST + QUERY },
    ],
    anchor: MASTER_AT_GATEWAY,
  };
  const HEAD = [
    "#EXTM3U",
    "#EXT-X-VERSION:12",
    '#EXT-X-DEFINE:NAME="hd",VALUE="v/1080"',
    '#EXT-X-DEFINE:QUERYPARAM="token"',
    '#EXT-X-SESSION-DATA:DATA-ID="com.example.title",VALUE="Film, the=first",LANGUAGE="en"',
  ];
  const SOURCE = [
    ...HEAD,
    '#EXT-X-SESSION-DATA:DATA-ID="com.example.more",URI="more.json?t={$token}"',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="https://keys.west.example/?kid=1&t={$token}",KEYFORMAT="identity"',
    '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://film",KEYFORMAT="com.apple.streamingkeydelivery"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="/vod/film/a.m3u8?sig=x%2By=="',
    '#EXT-X-STREAM-INF:BANDWIDTH=5000000,AUDIO="a",X-VENDOR="a,b=c"',
    "{$hd}/p.m3u8?t={$token}",
    '#EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a",STABLE-VARIANT-ID="low"',
    "https://we.example/vod/film/low.m3u8",
    "# packaged by hand",
  ];
  const entries = (id: string, base: string): readonly string[] => [
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a@${id}",NAME="English",URI="${base}/a.m3u8?sig=x%2By==",PATHWAY-ID="${id}",STABLE-RENDITION-ID="a.m3u8"`,
    `#EXT-X-STREAM-INF:BANDWIDTH=5000000,AUDIO="a@${id}",X-VENDOR="a,b=c",PATHWAY-ID="${id}",STABLE-VARIANT-ID="v/1080/p.m3u8"`,
    `${base}/v/1080/p.m3u8?t=a/b`,
    `#EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="a@${id}",STABLE-VARIANT-ID="low",PATHWAY-ID="${id}"`,
    `${base}/low.m3u8`,
  ];
  const STEERED = [
    ...HEAD,
    '#EXT-X-SESSION-DATA:DATA-ID="com.example.more",URI="https://gw.example/vod/film/more.json?t=a/b"',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="https://gw.example/keys/?kid=1&t=a/b",KEYFORMAT="identity"',
    '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://film",KEYFORMAT="com.apple.streamingkeydelivery"',
    steeringOf(["north", "west", "gateway"]),
    ...entries("north", "https://ne.example/origin/vod/film"),
    ...entries("west", "https://we.example/vod/film"),
    ...entries("gateway", "https://gw.example/vod/film"),
    "# packaged by hand",
  ];

  it("is steered over two regions and the gateway", () => {
    expect(steerHls(lines(...SOURCE), OPTIONS)).toEqual({ ok: true, boundKeys: 0, text: lines(...STEERED) });
  });

  it("the same with a byte order mark, CRLF and no last line end", () => {
    const windows = (all: readonly string[]): string => `\uFEFF${all.join("\r\n")}`;
    expect(textOf(steerHls(windows(SOURCE), OPTIONS))).toBe(windows(STEERED));
  });

  it.each<[string, Partial<SteerOptions>]>([
    ["the same order", {}],
    ["another order", { pathways: OPTIONS.pathways.toReversed() }],
    ["no way out", { anchor: null }],
    ["another order and no way out", { anchor: null, pathways: OPTIONS.pathways.toReversed() }],
  ])("steered once more, in %s, is as if it were steered once", (_, change) => {
    // Session data that names the gateway stays there: it answers for all.
    const first = change.anchor === null ? { ...OPTIONS, anchor: null } : OPTIONS;
    const options = { ...OPTIONS, ...change };
    expect(textOf(steerHls(textOf(steerHls(lines(...SOURCE), first)), options))).toBe(textOf(steerHls(lines(...SOURCE), options)));
  });
});

describe("our own packager's multivariant playlist", () => {
  it("is steered", async () => {
    const path = manifestPath(CLEAR_LOCATOR, "m3u8-cmaf");
    const options: SteerOptions = {
      ...STEER,
      pathways: [
        { id: "west", url: `https://we.example${path}` },
        { id: "north", url: `https://ne.example/origin${path}` },
      ],
    };
    const folder = path.slice(0, path.lastIndexOf("/"));
    const tracks: readonly [bandwidth: string, file: string][] = [
      ['BANDWIDTH=329213,AVERAGE-BANDWIDTH=227574,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360', "QualityLevels(177000)"],
      ['BANDWIDTH=181717,AVERAGE-BANDWIDTH=162930,CODECS="avc1.4d4015,mp4a.40.2",RESOLUTION=426x240', "QualityLevels(113000)"],
      ['BANDWIDTH=117025,AVERAGE-BANDWIDTH=107295,CODECS="avc1.4d400c,mp4a.40.2",RESOLUTION=256x144', "QualityLevels(57000)"],
    ];
    const entries = (id: string, base: string): readonly string[] => [
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio@${id}",NAME="audio 50k",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${base}/QualityLevels(50000)/Manifest(audio,format=m3u8-cmaf)",PATHWAY-ID="${id}",STABLE-RENDITION-ID="QualityLevels_50000_/Manifest_audio_format=m3u8-cmaf_-#"`,
      ...tracks.flatMap(([attributes, level]) => [
        `#EXT-X-STREAM-INF:${attributes},FRAME-RATE=25.000,AUDIO="audio@${id}",PATHWAY-ID="${id}",STABLE-VARIANT-ID="${level.replaceAll(/[()]/g, "_")}/Manifest_video_format=m3u8-cmaf_-#"`,
        `${base}/${level}/Manifest(video,format=m3u8-cmaf)`,
      ]),
    ];
    // Parentheses and commas may not stand in a stable id, so a hash tells such names apart.
    const unhashed = textOf(steerHls(await sampleRegion().text(path), options)).replaceAll(/-[0-9a-f]{8}"/g, '-#"');
    expect(unhashed).toBe(
      lines(
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        steeringOf(["west", "north"]),
        ...entries("west", `https://we.example${folder}`),
        ...entries("north", `https://ne.example/origin${folder}`),
      ),
    );
  });
});

describe("our own packager's media playlists", () => {
  const CBC = ",encryption=cbc";
  function playlistPath(locator: string, encryption = ""): string {
    return manifestPath(locator, "m3u8-cmaf").replace(/manifest.*/, `QualityLevels(177000)/Manifest(video,format=m3u8-cmaf${encryption})`);
  }
  function channel(): SampleRegion {
    const region = sampleRegion();
    const name = "paircast-sample.ism";
    const [marked] = liveSample([{ name, contentType: "application/smil+xml", content: Buffer.from(readSample(name)) }]);
    region.blobs.files.set(name, new Uint8Array(marked?.content ?? []));
    return region;
  }
  const optionsFor = (path: string): AnchorOptions => ({
    ...ANCHOR,
    url: `https://ne.example/origin${path}`,
    keyUrl: (url) => url.replace(/^http:\/\/keys\.westeurope\.test/, `${GATEWAY}/keys`),
  });

  it("on demand, clear: not a letter is changed", async () => {
    const path = playlistPath(CLEAR_LOCATOR);
    const text = await sampleRegion().text(path);
    expect(text).toContain("#EXT-X-PLAYLIST-TYPE:VOD");
    expect(anchorHls(text, optionsFor(path))).toEqual({ ok: true, text, boundKeys: 0 });
  });

  it("live: not a letter is changed, at any time", async () => {
    const region = channel();
    const path = playlistPath(CLEAR_LOCATOR);
    const before = await region.text(path);
    await region.clock.advance(4_000);
    const after = await region.text(path);
    expect(after).not.toBe(before);
    for (const text of [before, after]) {
      expect(text).not.toContain("#EXT-X-ENDLIST");
      expect(anchorHls(text, optionsFor(path))).toEqual({ ok: true, text, boundKeys: 0 });
    }
  });

  it("encrypted: the key alone is asked of the gateway", async () => {
    const path = playlistPath(KEYED_LOCATOR, CBC);
    const text = await sampleRegion().text(path);
    const expected = text.replace('URI="http://keys.westeurope.test', `URI="${GATEWAY}/keys`);
    expect(expected).not.toBe(text);
    expect(anchorHls(text, optionsFor(path))).toEqual({ ok: true, text: expected, boundKeys: 0 });
    expect(anchorHls(text, { ...optionsFor(path), keyUrl: () => null })).toEqual({ ok: true, text, boundKeys: 1 });
  });

  it("with the gateway's key URL from its policy: not a letter is changed", async () => {
    const path = playlistPath(TEMPLATE_LOCATOR, CBC);
    const text = await sampleRegion().text(path);
    const options = { ...optionsFor(path), gateway: "https://gateway.test", keyUrl: () => null };
    expect(anchorHls(text, options)).toEqual({ ok: true, text, boundKeys: 0 });
  });
});

describe("a media playlist with rotating keys", () => {
  const url = "https://ne.example/origin/vod/film/v5/prog.m3u8";
  const key = (uri: string, method = "AES-128"): string => `#EXT-X-KEY:METHOD=${method},URI="${uri}",IV=0x00FF`;
  const SOURCE = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-TARGETDURATION:4",
    "#EXT-X-DISCONTINUITY-SEQUENCE:3",
    '#EXT-X-DEFINE:IMPORT="token"',
    '#EXT-X-MAP:URI="/origin/vod/film/v5/init.mp4",BYTERANGE="700@0"',
    key("https://keys.north.example/?kid=1"),
    "#EXTINF:4,first, with a comma",
    "1.mp4?t={$token}",
    key("https://keys.north.example/?kid=2"),
    "#EXTINF:4,",
    "/origin/vod/film/v5/2.mp4",
    "#EXT-X-DISCONTINUITY",
    key("own.key"),
    "#EXTINF:4,",
    "https://ne.example/origin/vod/film/v5/3.mp4#t=1",
    "#EXT-X-KEY:METHOD=NONE",
    "#EXT-X-GAP",
    "#EXTINF:4,",
    "https://ads.example/4.mp4",
    key("skd://film", "SAMPLE-AES"),
    "#EXTINF:2.5,",
    "5.mp4",
    "#EXT-X-ENDLIST",
  ];
  const EXPECTED = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-TARGETDURATION:4",
    "#EXT-X-DISCONTINUITY-SEQUENCE:3",
    '#EXT-X-DEFINE:IMPORT="token"',
    '#EXT-X-MAP:URI="/vod/film/v5/init.mp4",BYTERANGE="700@0"',
    key("https://gw.example/keys/?kid=1"),
    "#EXTINF:4,first, with a comma",
    "1.mp4?t={$token}",
    key("https://gw.example/keys/?kid=2"),
    "#EXTINF:4,",
    "/vod/film/v5/2.mp4",
    "#EXT-X-DISCONTINUITY",
    key("https://ne.example/origin/vod/film/v5/own.key"),
    "#EXTINF:4,",
    "https://gw.example/vod/film/v5/3.mp4#t=1",
    "#EXT-X-KEY:METHOD=NONE",
    "#EXT-X-GAP",
    "#EXTINF:4,",
    "https://ads.example/4.mp4",
    key("skd://film", "SAMPLE-AES"),
    "#EXTINF:2.5,",
    "5.mp4",
    "#EXT-X-ENDLIST",
  ];

  it("is anchored, and the key that is bound to its region counted", () => {
    expect(anchorHls(lines(...SOURCE), { ...ANCHOR, url })).toEqual({ ok: true, text: lines(...EXPECTED), boundKeys: 1 });
  });

  it("is no matter for steering", () => {
    expect(steerHls(lines(...SOURCE), STEER)).toMatchObject({ ok: false, reason: "not_multivariant" });
  });
});
