import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { steerDash } from "../../../src/gateway/dash/dash.ts";
import type { SteerDashOptions } from "../../../src/gateway/dash/steer.ts";
import { CLEAR_LOCATOR, KEYED_LOCATOR, manifestPath, sampleRegion } from "../../sandbox/streaming/sampleRegion.ts";
import { ALL, LIVE, MULTI_PERIOD, PROTECTED, SEGMENT_BASE, SEGMENT_LIST } from "./manifests.ts";
import { A, B, GATEWAY, mediaUrls, mpdWith, steer, STEER } from "./world.ts";

const LOCATED = /<BaseURL serviceLocation="([^"]*)"[^>]*>([^<]*)<\/BaseURL>/g;

function located(text: string): string[][] {
  return [...text.matchAll(LOCATED)].map(([, id = "", url = ""]) => [id, url]);
}

function steering(text: string): { readonly attributes: string; readonly content: string } {
  const [, attributes = "", content = ""] = /<ContentSteering ([^>]*)>([^<]*)</.exec(text) ?? [];
  return { attributes, content };
}

function refusal(text: string, change: Partial<SteerDashOptions> = {}): string {
  const rewritten = steerDash(text, { ...STEER, ...change });
  return rewritten.ok ? "rewritten" : rewritten.reason;
}

/** Unions the URLs of the untouched MPD as each place would have served it. */
function everywhere(text: string, urls: readonly string[]): Set<string> {
  return new Set(urls.flatMap((url) => [...mediaUrls(text, url)]));
}

describe("steered MPDs", () => {
  it.each(Object.entries(ALL))("%s: the same segments in every region, and at the gateway last", (_name, text) => {
    const steered = steer(text);
    expect(mediaUrls(steered, "https://elsewhere.example/")).toEqual(everywhere(text, [A, B, GATEWAY]));
    expect(located(steered).map(([id]) => id)).toEqual(["a", "b", "gateway"]);
    expect(mediaUrls(steer(text, { anchor: null }), "https://elsewhere.example/")).toEqual(everywhere(text, [A, B]));
  });

  it.each(Object.entries(ALL))("%s: what was steered stays as it is", (_name, text) => {
    const steered = steer(text);
    expect(steer(steered)).toBe(steered);
    const pathways = STEER.pathways.toReversed();
    expect(steer(steered, { pathways })).toBe(steer(text, { pathways }));
  });

  it.each([
    ["SEGMENT_LIST", SEGMENT_LIST, "segment-list.mpd"],
    ["MULTI_PERIOD", MULTI_PERIOD, "multi-period.mpd"],
    ["LIVE", LIVE, "live.mpd"],
  ])("%s to the letter", (_name, text, file) => {
    expect(`${steer(text)}\n`).toBe(readFileSync(new URL(`golden/${file}`, import.meta.url), "utf8"));
  });

  it("the packager's own, clear and encrypted", async () => {
    const region = sampleRegion();
    const clear = await region.text(manifestPath(CLEAR_LOCATOR, "mpd-time-cmaf"));
    expect(mediaUrls(steer(clear), GATEWAY)).toEqual(everywhere(clear, [A, B, GATEWAY]));
    const keyed = await region.text(manifestPath(KEYED_LOCATOR, "mpd-time-cmaf", ",encryption=cbc"));
    const asked: string[] = [];
    const toGateway = (url: string): string => {
      asked.push(url);
      return "https://gateway.example/keys/one";
    };
    expect(steer(keyed, { keyUrl: toGateway })).toContain('keyUriTemplate="https://gateway.example/keys/one"');
    expect(new Set(asked).size).toBe(1);
    expect(steerDash(keyed, { ...STEER, keyUrl: () => null })).toMatchObject({ ok: true, boundKeys: 1 });
  });

  it("a region's token stays out of the bases", () => {
    expect(steer(SEGMENT_BASE)).not.toContain("token");
  });

  it("what the origin says about its base holds for each region", () => {
    const text = mpdWith({ head: '<BaseURL availabilityTimeOffset="7" x:y="z" xmlns:x="urn:x">m/</BaseURL>' });
    expect(steer(text).match(/availabilityTimeOffset="7"/g)).toHaveLength(3);
    expect(steer(steer(text))).toBe(steer(text));
  });

  it("of several relative bases the first", () => {
    const text = mpdWith({ head: "<BaseURL>one/</BaseURL><BaseURL>two/</BaseURL>" });
    expect(located(steer(text, { anchor: null }))).toEqual([
      ["a", "https://a.example/vod/v1/film.ism/one/"],
      ["b", "https://b.example/v1/film.ism/one/"],
    ]);
  });

  it("elements of a prefixed document keep the prefix", () => {
    const steered = steer('<d:MPD xmlns:d="urn:mpeg:dash:schema:mpd:2011"><d:Period/></d:MPD>');
    expect(steered).toContain('<d:BaseURL serviceLocation="a">https://a.example/vod/v1/film.ism/</d:BaseURL>');
    expect(steered).toMatch(/<d:Period\/><d:ContentSteering [^>]*>[^<]*<\/d:ContentSteering><\/d:MPD>$/);
    expect(steered.match(/xmlns/g)).toHaveLength(1);
  });
});

describe("absolute references of a steered MPD", () => {
  const template = (media: string): string => `<SegmentTemplate duration="2" media="${media}" initialization="init.mp4"/>`;

  it.each([
    ["absolute", "https://a.example/vod/v1/film.ism/v/$Number%05d$.m4s", "v/$Number%05d$.m4s"],
    ["with its port", "https://a.example:443/vod/v1/film.ism/$Number$.m4s", "$Number$.m4s"],
    ["of the same host", "//a.example/vod/v1/film.ism/$Number$.m4s", "$Number$.m4s"],
    ["rooted", "/vod/v1/film.ism/$Time$.m4s?x=/a/$Number$", "$Time$.m4s?x=/a/$Number$"],
    ["beside the video", "https://a.example/vod/shared/$Number$.m4s", "../../shared/$Number$.m4s"],
    ["with a colon", "/vod/v1/film.ism/video:$Number$.m4s", "./video:$Number$.m4s"],
  ])("%s: made relative, so that it follows the region", (_name, media, relative) => {
    expect(steer(mpdWith({ set: template(media) }))).toContain(`media="${relative}"`);
  });

  it.each([
    ["another host", "https://cdn.example/$Number$.m4s"],
    ["another scheme", "http://a.example/vod/v1/film.ism/$Number$.m4s"],
    ["a look-alike host", "https://a.example.evil.example/vod/v1/film.ism/$Number$.m4s"],
    ["a user", "https://u:p@a.example/vod/v1/film.ism/$Number$.m4s"],
    ["above the region's base", "https://a.example/other/$Number$.m4s"],
    ["climbing above it", "../../../other/$Number$.m4s"],
    ["backslashes", "\\\\cdn.example\\$Number$.m4s"],
    ["a tab in the scheme", "ht&#9;tps://cdn.example/$Number$.m4s"],
    ["another region", "https://b.example/v1/film.ism/$Number$.m4s"],
  ])("%s: refused", (_name, media) => {
    expect(refusal(mpdWith({ set: template(media) }))).toBe("foreign_uri");
  });

  it.each([
    '<SegmentList duration="2"><Initialization sourceURL="https://cdn.example/i"/></SegmentList>',
    '<SegmentList duration="2"><SegmentURL media="https://cdn.example/1"/></SegmentList>',
    '<SegmentList duration="2"><SegmentURL index="https://cdn.example/1"/></SegmentList>',
    '<SegmentBase><RepresentationIndex sourceURL="https://cdn.example/1"/></SegmentBase>',
    '<SegmentList xlink:href="https://cdn.example/list"/>',
    "<BaseURL>https://cdn.example/</BaseURL>",
  ])("%s: refused", (set) => {
    expect(refusal(mpdWith({ set }))).toBe("foreign_uri");
    expect(steer(mpdWith({ set: set.replace("https://cdn.example/", "/vod/v1/film.ism/x/") }))).not.toContain("/vod/v1/film.ism/x/");
  });

  it("is relative to the base that holds there", () => {
    const set = `<BaseURL>https://a.example/vod/v1/film.ism/hd/</BaseURL>${template("https://a.example/vod/v1/film.ism/hd/$Number$.m4s")}`;
    const text = mpdWith({ head: "<BaseURL>media/</BaseURL>", set });
    const steered = steer(text);
    expect(steered).toContain("<BaseURL>../hd/</BaseURL>");
    expect(steered).toContain('media="$Number$.m4s"');
    expect(mediaUrls(steer(text, { anchor: null, pathways: STEER.pathways.slice(0, 1) }), GATEWAY)).toEqual(mediaUrls(text, A));
  });

  it("one for parts with different bases cannot be said", () => {
    const set = `${template("https://a.example/vod/v1/film.ism/$Number$.m4s")}<Representation id="2"><BaseURL>other/</BaseURL></Representation>`;
    expect(refusal(mpdWith({ set }))).toBe("unsteerable");
    const two = `<BaseURL>x/</BaseURL><BaseURL>y/</BaseURL>${template("https://a.example/vod/v1/film.ism/$Number$.m4s")}`;
    expect(refusal(mpdWith({ set: two }))).toBe("unsteerable");
  });

  it("an absolute base of the whole MPD is said for every region, a foreign one refused", () => {
    const text = mpdWith({ head: "<BaseURL>https://a.example/vod/v1/film.ism/x/</BaseURL>" });
    expect(located(steer(text))[1]).toEqual(["b", "https://b.example/v1/film.ism/x/"]);
    expect(refusal(mpdWith({ head: "<BaseURL>https://cdn.example/</BaseURL>" }))).toBe("foreign_uri");
    expect(refusal(mpdWith({ head: "<BaseURL>m/</BaseURL><BaseURL>https://cdn.example/</BaseURL>" }))).toBe("foreign_uri");
  });

  it("what names no host stays", () => {
    const link = '<SegmentList xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/>';
    const data = template("$Number$.m4s").replace("init.mp4", "data:video/mp4;base64,AAAA");
    expect(steer(mpdWith({ set: link + data }))).toContain(link);
    expect(steer(mpdWith({ set: data }))).toContain(data);
  });

  it("a refusal names the URL without its query", () => {
    const rewritten = steerDash(mpdWith({ set: template("https://u:p@cdn.example/x?token=secret") }), STEER);
    expect(rewritten).toMatchObject({ ok: false, detail: "https://cdn.example/x is not below https://a.example/vod/" });
  });
});

describe("signalling of a steered MPD", () => {
  it("a first steering manifest inline, which names every pathway and where to ask next", () => {
    const { attributes, content } = steering(steer(LIVE));
    expect(attributes).toBe('defaultServiceLocation="a" queryBeforeStart="true" clientRequirement="false"');
    const [head, body = ""] = content.split(",");
    expect(head).toBe("data:application/json;base64");
    expect(JSON.parse(atob(body))).toEqual({
      VERSION: 1,
      TTL: 30,
      "RELOAD-URI": STEER.reloadUri,
      "PATHWAY-PRIORITY": ["a", "b", "gateway"],
    });
  });

  it("or the endpoint itself, which is not to be waited for", () => {
    const { attributes, content } = steering(steer(LIVE, { inline: false }));
    expect(attributes).toContain('queryBeforeStart="false"');
    expect(content).toBe(STEER.reloadUri);
    expect(steering(steer(LIVE, { inline: false, queryBeforeStart: true })).attributes).toContain('queryBeforeStart="true"');
  });

  it("comes after the periods, with nothing left of the origin's", () => {
    const steered = steer(LIVE);
    expect(steered.match(/<ContentSteering/g)).toHaveLength(1);
    expect(steered.indexOf("<ContentSteering")).toBeGreaterThan(steered.lastIndexOf("<UTCTiming"));
    expect(steered).not.toContain("elsewhere.example");
  });

  it("a live MPD is refreshed at the gateway, another has no location", () => {
    expect(steer(LIVE).match(/<Location>[^<]*<\/Location>/g)).toEqual([`<Location>${GATEWAY}</Location>`]);
    expect(steer(LIVE)).not.toContain("PatchLocation");
    expect(steer(LIVE, { location: null })).not.toContain("<Location");
    expect(steer(mpdWith({ head: "<Location>x.mpd</Location>" }))).not.toContain("<Location");
  });

  it("clocks stay where they are", () => {
    const steered = steer(LIVE);
    expect(steered).toContain('value="https://a.example/time?iso https://time.example/now"');
    expect(steered).toContain('value="2026-01-01T00:00:00Z"');
  });

  it.each([
    ['<BaseURL serviceLocation="cdn">m/</BaseURL>'],
    ['<BaseURL xmlns:dvb="urn:dvb:dash:dash-extensions:2014-1" dvb:priority="1">m/</BaseURL>'],
    ['<BaseURL xmlns:dvb="urn:dvb:dash:dash-extensions:2014-1" dvb:weight="1">m/</BaseURL>'],
    [
      '<BaseURL serviceLocation="a">https://a.example/vod/v1/film.ism/</BaseURL><BaseURL serviceLocation="b">https://b.example/other/</BaseURL>',
    ],
    ['<BaseURL serviceLocation="a">https://a.example/vod/v1/film.ism/</BaseURL><BaseURL serviceLocation="c">https://c.example/</BaseURL>'],
  ])("%s: the origin steers by itself", (base) => {
    expect(refusal(mpdWith({ head: base }))).toBe("unsteerable");
    expect(refusal(mpdWith({ set: base }))).toBe("unsteerable");
  });

  it.each([
    ["no pathways", { pathways: [] }],
    ["not read from any", { from: "c" }],
    ["a region named gateway beside the gateway", { pathways: [{ id: "gateway", url: A }], from: "gateway" }],
  ])("%s: unsteerable", (_name, change) => {
    expect(refusal(LIVE, change)).toBe("unsteerable");
  });
});

describe("keys of a steered MPD", () => {
  it("are asked of the gateway, whatever the system", () => {
    const rewritten = steerDash(PROTECTED, STEER);
    const text = steer(PROTECTED);
    expect(text).toContain(">https://gateway.example/keys/Widevine/?kid=1&amp;p=2</dashif:Laurl>");
    expect(text).toContain('licenseUrl="https://gateway.example/keys/PlayReady/"');
    expect(text).toContain('keyUriTemplate="https://gateway.example/keys/?kid=$Time$"');
    expect(text).toContain(">https://licences.example/clear</clearkey:Laurl>");
    expect(text).toContain('keyUriTemplate="keys/$base64IV$.key"');
    expect(text).toContain(">skd://asset</dashif:laurl>");
    expect(text).toContain(">https://keys-a.example/unknown</cpl>");
    expect(rewritten).toMatchObject({ ok: true, boundKeys: 1 });
  });

  it("are counted once each where they are bound to a region", () => {
    expect(steerDash(PROTECTED, { ...STEER, keyUrl: () => null })).toMatchObject({ ok: true, boundKeys: 4 });
    const twice =
      "<ContentProtection><Laurl>https://keys.example/1</Laurl><Laurl>//keys.example/1</Laurl><Laurl>https://keys.example/1</Laurl></ContentProtection>";
    expect(steerDash(mpdWith({ set: twice }), { ...STEER, keyUrl: () => null })).toMatchObject({ ok: true, boundKeys: 1 });
  });

  it("a relative one is resolved at its region", () => {
    const asked: string[] = [];
    const note = (url: string): null => {
      asked.push(url);
      return null;
    };
    const set = "<BaseURL>hd/</BaseURL><ContentProtection><Laurl>licence?a=1</Laurl></ContentProtection>";
    expect(steerDash(mpdWith({ set }), { ...STEER, keyUrl: note })).toMatchObject({ ok: true, boundKeys: 0 });
    expect(asked).toEqual(["https://a.example/vod/v1/film.ism/hd/licence?a=1"]);
  });

  it("a template that would lose its tokens is left, and counted", () => {
    const set = '<ContentProtection><CryptoPeriod keyUriTemplate="https://keys.example/$Number%03d$"/></ContentProtection>';
    const rewritten = steerDash(mpdWith({ set }), { ...STEER, keyUrl: (url) => `https://gateway.example/?u=${encodeURIComponent(url)}` });
    expect(rewritten).toMatchObject({ ok: true, boundKeys: 1 });
    expect(rewritten.ok && rewritten.text.includes(set)).toBe(true);
  });

  it("what is at the gateway already is left", () => {
    const set = "<ContentProtection><Laurl>https://gateway.example/keys/1</Laurl></ContentProtection>";
    expect(steerDash(mpdWith({ set }), { ...STEER, keyUrl: () => null })).toMatchObject({ ok: true, boundKeys: 0 });
  });
});
