/** Golden texts of `steerHls`, and what it refuses. */
import { describe, expect, it } from "vitest";
import type { Rewritten, SteerOptions } from "../../../src/gateway/pathway.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import { APPLE, GATEWAY, lines, NORTH, RELOAD, STEER, steeringOf, textOf, WEST } from "./playlists.ts";

const BOTH = steeringOf(["west", "north"]);
const VARIANT = "#EXT-X-STREAM-INF:BANDWIDTH=1";

/** The lines that a playlist with one variant line and its URI becomes, without the header. */
function bodyOf(source: readonly string[], options: SteerOptions = STEER): readonly string[] {
  return textOf(steerHls(lines("#EXTM3U", ...source), options))
    .trimEnd()
    .split("\n")
    .slice(1);
}

function refusalOf(result: Rewritten): string {
  return result.ok ? "none" : result.reason;
}

function refusalOfBody(...source: readonly string[]): string {
  return refusalOf(steerHls(lines("#EXTM3U", ...source), STEER));
}

/** The URIs of all variants, in order. */
function urisOf(source: readonly string[], options: SteerOptions = STEER): readonly string[] {
  return bodyOf(source, options).filter((line) => !line.startsWith("#"));
}

describe("steerHls", () => {
  it("lists each entry once for each region, the best region first, in groups of its own", () => {
    const west = "https://we.example/vod/film";
    const north = "https://ne.example/origin/vod/film";
    const entries = (id: string, base: string): readonly string[] => [
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac@${id}",LANGUAGE="en",NAME="English, stereo",AUTOSELECT=YES,DEFAULT=YES,CHANNELS="2",URI="${base}/a1/prog.m3u8",PATHWAY-ID="${id}",STABLE-RENDITION-ID="a1/prog.m3u8"`,
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="ac3@${id}",LANGUAGE="en",NAME="English, 5.1",AUTOSELECT=YES,DEFAULT=YES,CHANNELS="6",URI="${base}/a2/prog.m3u8",PATHWAY-ID="${id}",STABLE-RENDITION-ID="a2/prog.m3u8"`,
      `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="sub@${id}",LANGUAGE="de",NAME="Deutsch",AUTOSELECT=YES,FORCED=NO,URI="${base}/s1/prog.m3u8",PATHWAY-ID="${id}",STABLE-RENDITION-ID="s1/prog.m3u8"`,
      `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=180000,CODECS="avc1.64001f",RESOLUTION=960x540,URI="${base}/v5/iframe.m3u8",PATHWAY-ID="${id}",STABLE-VARIANT-ID="v5/iframe.m3u8"`,
      `#EXT-X-STREAM-INF:BANDWIDTH=2227464,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=960x540,FRAME-RATE=60.000,CLOSED-CAPTIONS="cc",AUDIO="aac@${id}",SUBTITLES="sub@${id}",PATHWAY-ID="${id}",STABLE-VARIANT-ID="v5/prog.m3u8"`,
      `${base}/v5/prog.m3u8`,
      `#EXT-X-STREAM-INF:BANDWIDTH=2448841,CODECS="avc1.64001f,ac-3",RESOLUTION=960x540,FRAME-RATE=60.000,CLOSED-CAPTIONS="cc",AUDIO="ac3@${id}",SUBTITLES="sub@${id}",PATHWAY-ID="${id}",STABLE-VARIANT-ID="v5/prog.m3u8"`,
      `${base}/v5/prog.m3u8`,
    ];
    const captions = '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",LANGUAGE="en",NAME="English",INSTREAM-ID="CC1"';
    expect(steerHls(APPLE, STEER)).toEqual({
      ok: true,
      boundKeys: 0,
      text: lines(
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "",
        "## made by hand",
        BOTH,
        ...entries("west", west).slice(0, 3),
        captions,
        ...entries("west", west).slice(3),
        ...entries("north", north),
      ),
    });
  });

  it("puts the best region first also where the text came from another", () => {
    const options = { ...STEER, pathways: STEER.pathways.toReversed() };
    expect(bodyOf([VARIANT, "v.m3u8"], options)).toEqual([
      steeringOf(["north", "west"]),
      `${VARIANT},PATHWAY-ID="north",STABLE-VARIANT-ID="v.m3u8"`,
      "https://ne.example/origin/vod/film/v.m3u8",
      `${VARIANT},PATHWAY-ID="west",STABLE-VARIANT-ID="v.m3u8"`,
      "https://we.example/vod/film/v.m3u8",
    ]);
  });

  it("gives the same text from whichever region it was read", () => {
    const relative = lines("#EXTM3U", VARIANT, "../other/v.m3u8?track=1");
    const fromNorth = relative.replace("../other", "https://ne.example/origin/vod/other");
    expect(steerHls(fromNorth, { ...STEER, from: "north" })).toEqual(steerHls(relative, STEER));
  });

  it("lists the gateway's own path last, as the way out", () => {
    const options = { ...STEER, anchor: `${GATEWAY}/vod/film/master.m3u8?playback=anchor` };
    expect(bodyOf([VARIANT, "v.m3u8"], options)[0]).toBe(steeringOf(["west", "north", "gateway"]));
    expect(urisOf([VARIANT, "v.m3u8"], options).at(-1)).toBe("https://gw.example/vod/film/v.m3u8");
  });

  it("takes one region for what it is", () => {
    const options = { ...STEER, pathways: STEER.pathways.slice(0, 1) };
    expect(bodyOf([VARIANT, "v.m3u8"], options)[0]).toBe(steeringOf(["west"]));
    expect(urisOf([VARIANT, "v.m3u8"], options)).toEqual(["https://we.example/vod/film/v.m3u8"]);
  });

  it("repeats renditions without a URI, which lie in the variant's own media", () => {
    const media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x"';
    expect(bodyOf([media, `${VARIANT},AUDIO="a"`, "v.m3u8"]).filter((line) => line.startsWith("#EXT-X-MEDIA"))).toEqual([
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a@west",NAME="x",PATHWAY-ID="west"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a@north",NAME="x",PATHWAY-ID="north"',
    ]);
  });

  it("leaves CLOSED-CAPTIONS=NONE as it is", () => {
    expect(bodyOf([`${VARIANT},CLOSED-CAPTIONS=NONE`, "v.m3u8"])[1]).toContain("BANDWIDTH=1,CLOSED-CAPTIONS=NONE,PATHWAY-ID");
  });

  it("keeps what stands between a variant and its URI with it, and everything else in its place", () => {
    const source = ["#EXT-X-VENDOR:a=1", "", VARIANT, "#EXT-X-LIKE-THIS:x", "# and this", "v.m3u8", "# end", "#EXT-X-LAST"];
    const copy = (id: string) => [
      `${VARIANT},PATHWAY-ID="${id}",STABLE-VARIANT-ID="v.m3u8"`,
      "#EXT-X-LIKE-THIS:x",
      "# and this",
      `https://${id === "west" ? "we.example" : "ne.example/origin"}/vod/film/v.m3u8`,
    ];
    const expected = ["#EXT-X-VENDOR:a=1", "", BOTH, ...copy("west"), ...copy("north"), "# end", "#EXT-X-LAST"];
    expect(bodyOf(source)).toEqual(expected);
  });

  it("keeps byte order mark, line ends, and a last line without one", () => {
    const text = textOf(steerHls(`\uFEFF#EXTM3U\r\n${VARIANT}\r\nv.m3u8`, STEER));
    expect(text).toBe(
      [
        `\uFEFF#EXTM3U\r\n${BOTH}\r\n${VARIANT},PATHWAY-ID="west",STABLE-VARIANT-ID="v.m3u8"\r\nhttps://we.example/vod/film/v.m3u8\r\n`,
        `${VARIANT},PATHWAY-ID="north",STABLE-VARIANT-ID="v.m3u8"\r\nhttps://ne.example/origin/vod/film/v.m3u8`,
      ].join(""),
    );
  });

  it("moves absolute and root-relative URIs to the other region, and keeps the query that the playlist wrote", () => {
    const options = {
      ...STEER,
      pathways: [`${WEST}?viewer=1`, `${NORTH}?viewer=1`].map((url, at) => ({ id: ["west", "north"][at] ?? "", url })),
    };
    const to = (uri: string) => urisOf([VARIANT, uri], options)[1];
    expect(to("https://we.example/vod/film/v.m3u8?sig=a%2Bb==")).toBe("https://ne.example/origin/vod/film/v.m3u8?sig=a%2Bb==");
    expect(to("//we.example/else/v.m3u8")).toBe("https://ne.example/origin/else/v.m3u8");
    expect(to("/vod/v.m3u8?t=1#f")).toBe("https://ne.example/origin/vod/v.m3u8?t=1#f");
    expect(to("v.m3u8")).toBe("https://ne.example/origin/vod/film/v.m3u8");
    expect(to("?track=2")).toBe("https://ne.example/origin/vod/film/master.m3u8?track=2");
  });

  it("strips the base path of the region that the text came from", () => {
    const options = { ...STEER, from: "north" };
    expect(urisOf([VARIANT, "/origin/vod/v.m3u8"], options)[0]).toBe("https://we.example/vod/v.m3u8");
    expect(refusalOf(steerHls(lines("#EXTM3U", VARIANT, "/vod/v.m3u8"), options))).toBe("foreign_uri");
  });

  it("resolves beside the manifest where the copies have different names", () => {
    const pathways = [
      { id: "west", url: "https://we.example/a/one.m3u8" },
      { id: "north", url: "https://ne.example/b/two.m3u8" },
    ];
    expect(urisOf([VARIANT, "v.m3u8"], { ...STEER, pathways })).toEqual(["https://we.example/a/v.m3u8", "https://ne.example/b/v.m3u8"]);
  });

  it("tells regions on one host by their paths", () => {
    const pathways = ["one", "two"].map((id) => ({ id, url: `https://cdn.example/${id}/film/m.m3u8` }));
    const options = { ...STEER, pathways, from: "one" };
    expect(urisOf([VARIANT, "v.m3u8"], options)).toEqual(["https://cdn.example/one/film/v.m3u8", "https://cdn.example/two/film/v.m3u8"]);
    expect(refusalOf(steerHls(lines("#EXTM3U", VARIANT, "/three/film/v.m3u8"), options))).toBe("foreign_uri");
  });
});

describe("stable ids", () => {
  const idsOf = (...source: readonly string[]) =>
    bodyOf(source).flatMap((line) => /STABLE-(?:VARIANT|RENDITION)-ID="([^"]*)"/.exec(line)?.[1] ?? []);

  it("are kept where the origin gives them, and not given twice", () => {
    const ids = idsOf(`${VARIANT},STABLE-VARIANT-ID="b.m3u8"`, "a.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=2", "b.m3u8");
    expect(ids).toEqual(["b.m3u8", "b.m3u8-2", "b.m3u8", "b.m3u8-2"]);
  });

  it("hold only the allowed characters and no query, are bounded and distinct", () => {
    const long = "x".repeat(300);
    const uris = [
      "Manifest(video,format=m3u8-cmaf)",
      "Manifest(audio,format=m3u8-cmaf)",
      `${long}1`,
      `${long}2`,
      "t.m3u8?token=geheim",
      "t.m3u8?token=2",
    ];
    const ids = idsOf(...uris.flatMap((uri, at) => [`#EXT-X-STREAM-INF:BANDWIDTH=${at + 1}`, uri])).slice(0, uris.length);
    expect(new Set(ids).size).toBe(uris.length);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9+/=._-]{1,64}$/);
    expect(ids.join()).not.toContain("geheim");
  });
});

describe("session tags", () => {
  const variant = [VARIANT, "v.m3u8"];
  const first = (line: string, options: SteerOptions = STEER) => bodyOf([line, ...variant], options)[0];
  const key = (uri: string, method = "AES-128") => `#EXT-X-SESSION-KEY:METHOD=${method},URI="${uri}",KEYFORMAT="identity"`;
  const bound = (line: string) => {
    const result = steerHls(lines("#EXTM3U", line, ...variant), STEER);
    return result.ok ? result.boundKeys : -1;
  };

  it("ask the gateway for keys that it can carry", () => {
    expect(first(key("https://keys.west.example/?kid=7"))).toBe(key("https://gw.example/keys/?kid=7"));
    expect(bound(key("https://keys.west.example/?kid=7"))).toBe(0);
  });

  it("leave other keys with their region, absolute, and count them", () => {
    expect(first(key("https://we.example/key.bin"))).toBe(key("https://we.example/key.bin"));
    expect(first(key("key.bin"))).toBe(key("https://we.example/vod/film/key.bin"));
    expect(bound(key("key.bin"))).toBe(1);
  });

  it("leave alone what names no host, and what is at the gateway", () => {
    for (const uri of ["skd://a1b2", "data:text/plain;base64,AAAA", `${GATEWAY}/keys/?kid=9`]) {
      expect(first(key(uri, "SAMPLE-AES"))).toBe(key(uri, "SAMPLE-AES"));
      expect(bound(key(uri, "SAMPLE-AES"))).toBe(0);
    }
    expect(bound("#EXT-X-SESSION-KEY:METHOD=NONE")).toBe(0);
  });

  it("name session data at the best region, or at the gateway where it answers", () => {
    const data = (uri: string) => `#EXT-X-SESSION-DATA:DATA-ID="com.example.x",URI="${uri}",LANGUAGE="en"`;
    expect(first(data("d.json"))).toBe(data("https://we.example/vod/film/d.json"));
    expect(first(data("d.json"), { ...STEER, anchor: `${GATEWAY}/vod/film/master.m3u8` })).toBe(data("https://gw.example/vod/film/d.json"));
    expect(first(data("https://else.example/d.json"))).toBe(data("https://else.example/d.json"));
    expect(first('#EXT-X-SESSION-DATA:DATA-ID="com.example.y",VALUE="a, b=c"')).toBe(
      '#EXT-X-SESSION-DATA:DATA-ID="com.example.y",VALUE="a, b=c"',
    );
  });
});

describe("variables", () => {
  const define = '#EXT-X-DEFINE:NAME="dir",VALUE="hd/1"';

  it("are resolved in URIs, and stay defined for media playlists", () => {
    const body = bodyOf([define, VARIANT, "{$dir}/v.m3u8?d={$dir}"]);
    expect(body[0]).toBe(define);
    expect(body.filter((line) => !line.startsWith("#"))).toEqual([
      "https://we.example/vod/film/hd/1/v.m3u8?d=hd/1",
      "https://ne.example/origin/vod/film/hd/1/v.m3u8?d=hd/1",
    ]);
  });

  it("may hold a region's address", () => {
    const base = '#EXT-X-DEFINE:NAME="base",VALUE="https://we.example/vod"';
    expect(urisOf([base, VARIANT, "{$base}/v.m3u8"])[1]).toBe("https://ne.example/origin/vod/v.m3u8");
  });

  it("come from the query of the URL that was read, percent-decoded once", () => {
    const pathways = STEER.pathways.map(({ id, url }) => ({ id, url: `${url}?x=1&token=a%2526b+c` }));
    const body = ['#EXT-X-DEFINE:QUERYPARAM="token"', VARIANT, "v.m3u8?t={$token}"];
    expect(urisOf(body, { ...STEER, pathways })[0]).toBe("https://we.example/vod/film/v.m3u8?t=a%26b+c");
  });

  it("of a variable's own value are not resolved by the player once more", () => {
    const nested = '#EXT-X-DEFINE:NAME="a",VALUE="{$b}"';
    expect(urisOf([nested, VARIANT, "v.m3u8?x={$a}"])[0]).toBe("https://we.example/vod/film/v.m3u8?x=%7B$b}");
  });

  it("stay in the names of groups", () => {
    const media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{$dir}",NAME="x",URI="a.m3u8"';
    const body = bodyOf([define, media, `${VARIANT},AUDIO="{$dir}"`, "v.m3u8"]);
    expect(body.filter((line) => line.includes("{$dir}@west"))).toHaveLength(2);
  });

  it("that nobody defined are an error, as they are for players", () => {
    const result = steerHls(lines("#EXTM3U", VARIANT, "{$nowhere}/v.m3u8"), STEER);
    expect(result).toEqual({ ok: false, reason: "malformed", detail: "line 3: the variable nowhere is not defined" });
  });
});

describe("steerHls refuses", () => {
  it("what is no multivariant playlist", () => {
    expect(refusalOf(steerHls("", STEER))).toBe("not_playlist");
    expect(refusalOf(steerHls("<html>", STEER))).toBe("not_playlist");
    expect(refusalOfBody("#EXT-X-TARGETDURATION:4", "#EXTINF:4,", "a.ts")).toBe("not_multivariant");
    expect(refusalOfBody("#EXTINF:4,", VARIANT, "v.m3u8")).toBe("malformed");
    expect(refusalOfBody('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="a.m3u8"')).toBe("malformed");
  });

  it("what is cut off or broken", () => {
    expect(refusalOfBody(VARIANT)).toBe("malformed");
    expect(refusalOfBody(VARIANT, VARIANT, "v.m3u8")).toBe("malformed");
    expect(refusalOfBody(`${VARIANT},AUDIO="a`, "v.m3u8")).toBe("malformed");
    expect(refusalOfBody('#EXT-X-MEDIA:TYPE=AUDIO,URI="a.m3u8"', VARIANT, "v.m3u8")).toBe("malformed");
    expect(refusalOfBody("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1", VARIANT, "v.m3u8")).toBe("malformed");
    expect(refusalOfBody(VARIANT, "http://")).toBe("malformed");
  });

  it("hosts that are in no region, without their tokens in the message", () => {
    const result = steerHls(lines("#EXTM3U", VARIANT, "https://cdn.example/v.m3u8?token=geheim"), STEER);
    expect(result).toEqual({
      ok: false,
      reason: "foreign_uri",
      detail: "line 2: https://cdn.example/v.m3u8 is not under https://we.example/, which the regions have in common",
    });
    expect(refusalOfBody(VARIANT, "https://user:pw@we.example/v.m3u8")).toBe("foreign_uri");
    expect(refusalOfBody(VARIANT, "v.m3u8", VARIANT, "https://backup.example/v.m3u8")).toBe("unsteerable");
  });

  it("redundant streams, but not one variant with several groups", () => {
    expect(refusalOfBody(`${VARIANT},AUDIO="a"`, "main/v.m3u8", `${VARIANT},AUDIO="b"`, "backup/v.m3u8")).toBe("unsteerable");
    expect(refusalOfBody(`${VARIANT},AUDIO="a"`, "v.m3u8", `${VARIANT},AUDIO="b"`, "v.m3u8")).toBe("none");
  });

  it("an origin that steers by itself", () => {
    const steering = '#EXT-X-CONTENT-STEERING:SERVER-URI="/steer",PATHWAY-ID="cdn"';
    expect(refusalOfBody(steering, `${VARIANT},PATHWAY-ID="cdn"`, "v.m3u8")).toBe("unsteerable");
    expect(refusalOfBody(`${VARIANT},PATHWAY-ID="a"`, "v.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=2", "w.m3u8")).toBe("unsteerable");
  });

  it("but replaces steering over no pathways, and one name for all", () => {
    expect(bodyOf(['#EXT-X-CONTENT-STEERING:SERVER-URI="/steer"', VARIANT, "v.m3u8"])[0]).toBe(BOTH);
    expect(bodyOf([`#EXT-X-STREAM-INF:PATHWAY-ID="cdn",BANDWIDTH=1`, "v.m3u8"])[1]).toBe(
      '#EXT-X-STREAM-INF:PATHWAY-ID="west",BANDWIDTH=1,STABLE-VARIANT-ID="v.m3u8"',
    );
  });
});

describe("steering what is steered already", () => {
  it("changes nothing with the same options, and follows others", () => {
    const once = textOf(steerHls(APPLE, STEER));
    expect(textOf(steerHls(once, STEER))).toBe(once);
    const turned = { ...STEER, pathways: STEER.pathways.toReversed(), reloadUri: `${RELOAD}&viewer=2`, ttlSeconds: 5 };
    expect(textOf(steerHls(once, turned))).toBe(textOf(steerHls(APPLE, turned)));
  });

  it("keeps lines between entries in their places where another region is best", () => {
    const options = { ...STEER, pathways: STEER.pathways.toReversed() };
    const once = textOf(steerHls(APPLE.replaceAll("#EXT-X-STREAM-INF", "# between\n\n#EXT-X-STREAM-INF"), options));
    expect(textOf(steerHls(once, options))).toBe(once);
  });

  it("holds for a list with the gateway in it, CRLF and no last line end", () => {
    const options = { ...STEER, anchor: `${GATEWAY}/vod/film/master.m3u8` };
    const source = APPLE.trimEnd().replaceAll("\n", "\r\n");
    const once = textOf(steerHls(source, options));
    expect(textOf(steerHls(once, options))).toBe(once);
  });

  it("is refused where it was steered by another endpoint, or without the region", () => {
    const once = textOf(steerHls(APPLE, STEER));
    expect(refusalOf(steerHls(once, { ...STEER, reloadUri: "https://other.example/steer" }))).toBe("unsteerable");
    expect(refusalOf(steerHls(once.replace(/#EXT-X-STREAM-INF.*AUDIO="ac3@west".*\n.*\n/, ""), { ...STEER, from: "north" }))).toBe(
      "unsteerable",
    );
    const pathways = [...STEER.pathways, { id: "south", url: "https://se.example/vod/film/master.m3u8" }];
    expect(refusalOf(steerHls(once, { ...STEER, pathways, from: "south" }))).toBe("unsteerable");
  });
});

describe("options that contradict themselves", () => {
  const [west, north] = [
    { id: "west", url: WEST },
    { id: "north", url: NORTH },
  ];
  it.each<[string, Partial<SteerOptions>]>([
    ["no pathways", { pathways: [] }],
    ["one twice", { pathways: [west, north, west] }],
    ["a region called like the way out", { pathways: [west, { ...north, id: "gateway" }], anchor: `${GATEWAY}/m.m3u8` }],
    ["an id that no player takes", { pathways: [west, { ...north, id: "north europe" }] }],
    ["a URL that is none", { pathways: [west, { ...north, url: "/m.m3u8" }] }],
    ["a text from nowhere", { from: "south" }],
    ["a TTL of nothing", { ttlSeconds: 0 }],
    ["half a second", { ttlSeconds: 1.5 }],
  ])("%s", (_, wrong) => {
    expect(() => steerHls(APPLE, { ...STEER, ...wrong })).toThrow(/./);
  });
});
