import { describe, expect, it } from "vitest";
import type { AnchorDashOptions } from "../../../src/gateway/dash/anchor.ts";
import { anchorDash } from "../../../src/gateway/dash/dash.ts";
import { manifestPath, sampleRegion, TEMPLATE_LOCATOR } from "../../sandbox/streaming/sampleRegion.ts";
import { ALL, LIVE, MULTI_PERIOD, PROTECTED } from "./manifests.ts";
import { A, ANCHOR, GATEWAY, mediaUrls, mpdWith, steer, textOf } from "./world.ts";

function anchor(text: string, change: Partial<AnchorDashOptions> = {}): string {
  return textOf(anchorDash(text, { ...ANCHOR, ...change }));
}

const template = (media: string): string => `<SegmentTemplate duration="2" media="${media}" initialization="init.mp4"/>`;

describe("anchored MPDs", () => {
  it.each(Object.entries(ALL))("%s: every segment is asked of the gateway, under the region's path", (_name, text) => {
    expect(mediaUrls(anchor(text), GATEWAY)).toEqual(mediaUrls(text, GATEWAY));
    const there = [...mediaUrls(text, A)].map((url) => url.replace("https://a.example/vod/", "https://gateway.example/"));
    expect(mediaUrls(anchor(text), GATEWAY)).toEqual(new Set(there));
  });

  it.each(Object.entries(ALL))("%s: what was anchored stays as it is", (_name, text) => {
    expect(anchor(anchor(text))).toBe(anchor(text));
  });

  it("the packager's own", async () => {
    const path = manifestPath(TEMPLATE_LOCATOR, "mpd-time-cmaf", ",encryption=cbc");
    const text = await sampleRegion().text(path);
    const gateway = "https://gateway.test";
    const rewritten = anchorDash(text, { ...ANCHOR, gateway, url: `https://a.example/vod${path}`, location: gateway + path });
    expect(rewritten).toEqual({ ok: true, text: text.trimEnd(), boundKeys: 0 });
  });

  it.each([
    ["absolute", "https://a.example/vod/v1/film.ism/$Number%05d$.m4s?x=$$", "https://gateway.example/v1/film.ism/$Number%05d$.m4s?x=$$"],
    ["of the same host", "//a.example/vod/x/$Time$.m4s", "https://gateway.example/x/$Time$.m4s"],
    ["rooted", "/vod/v1/film.ism/$Time$.m4s", "https://gateway.example/v1/film.ism/$Time$.m4s"],
    ["rooted, beside the base", "/other/$Time$.m4s", "https://a.example/other/$Time$.m4s"],
    ["climbing out of the base", "../../../other/$Time$.m4s", "https://a.example/other/$Time$.m4s"],
    ["of another host, in short", "//cdn.example/$Time$.m4s", "https://cdn.example/$Time$.m4s"],
  ])("%s: leads to the gateway where the gateway mirrors it", (_name, media, anchored) => {
    expect(anchor(mpdWith({ set: template(media) }))).toContain(`media="${anchored}"`);
  });

  it.each([
    ["relative", "$Number$.m4s"],
    ["beside the video", "../other/$Number$.m4s"],
    ["foreign", "https://CDN.example/$Number$.m4s"],
    ["below a foreign base", '$Number$.m4s" index="../$Number$.sidx'],
  ])("%s: stays", (name, media) => {
    const set = `${name.includes("base") ? "<BaseURL>https://cdn.example/x/</BaseURL>" : ""}${template(media)}`;
    expect(anchor(mpdWith({ set }))).toBe(mpdWith({ set }));
  });

  it("bases at all levels come along, foreign ones stay, with what the origin says about them", () => {
    const head =
      '<BaseURL serviceLocation="x">https://a.example/vod/v1/film.ism/m/</BaseURL><BaseURL serviceLocation="y">https://cdn.example/</BaseURL>';
    const text = anchor(mpdWith({ head, set: `<BaseURL>/vod/v1/film.ism/n/</BaseURL>${template("1.m4s")}` }));
    expect(text).toContain('<BaseURL serviceLocation="x">https://gateway.example/v1/film.ism/m/</BaseURL>');
    expect(text).toContain('<BaseURL serviceLocation="y">https://cdn.example/</BaseURL>');
    expect(text).toContain("<BaseURL>https://gateway.example/v1/film.ism/n/</BaseURL>");
  });

  it("where the region answered from another of its paths, that one is the base", () => {
    const url = "https://a.example/vod/v2/manifest.mpd";
    const text = anchor(MULTI_PERIOD, { url });
    expect(text).toContain("<BaseURL>https://gateway.example/v2/media/</BaseURL>");
    expect(mediaUrls(text, GATEWAY)).toEqual(mediaUrls(MULTI_PERIOD, "https://gateway.example/v2/manifest.mpd"));
    const bare = mpdWith({ set: template("$Number$.m4s") });
    expect(anchor(bare, { url })).toContain("<BaseURL>https://gateway.example/v2/</BaseURL><Period>");
    expect(anchor(anchor(bare, { url }), { url })).toBe(anchor(bare, { url }));
  });

  it("where it answered from another host, that host is the base", () => {
    const url = "https://cdn.example/x/manifest.mpd";
    const text = mpdWith({ set: template("$Number$.m4s") });
    expect(mediaUrls(anchor(text, { url }), GATEWAY)).toEqual(mediaUrls(text, url));
    expect(mediaUrls(anchor(MULTI_PERIOD, { url }), GATEWAY)).toEqual(mediaUrls(MULTI_PERIOD, url));
  });

  it("a live MPD is refreshed at the gateway, and nobody steers", () => {
    const text = anchor(LIVE);
    expect(text).toContain(`<Location>${GATEWAY}</Location>`);
    expect(text).not.toMatch(/ContentSteering|PatchLocation|session=1/);
    expect(text).toContain('value="https://a.example/time?iso https://time.example/now"');
  });

  it("no Location in an MPD that is not refreshed, and no steering", () => {
    const text = anchor(mpdWith({ head: "<Location>m.mpd</Location>", tail: "<ContentSteering>s</ContentSteering>" }));
    expect(text).toBe(mpdWith());
  });

  it("keys are asked of the gateway, or counted", () => {
    expect(anchor(PROTECTED)).toContain('licenseUrl="https://gateway.example/keys/PlayReady/"');
    expect(anchorDash(PROTECTED, ANCHOR)).toMatchObject({ ok: true, boundKeys: 1 });
    expect(anchorDash(PROTECTED, { ...ANCHOR, keyUrl: () => null })).toMatchObject({ ok: true, boundKeys: 4 });
  });

  it("remote elements come along", () => {
    const link = (href: string): string => `<SegmentList xlink:href="${href}"/>`;
    expect(anchor(mpdWith({ set: link("https://a.example/vod/v1/list.xml?a=1&amp;b=2") }))).toContain(
      link("https://gateway.example/v1/list.xml?a=1&amp;b=2"),
    );
    const elsewhere = link("urn:mpeg:dash:resolve-to-zero:2013") + link("https://ads.example/1") + link("list.xml");
    expect(anchor(mpdWith({ set: elsewhere }))).toContain(elsewhere);
  });

  it("a steered MPD can be anchored", () => {
    expect(anchor(steer(MULTI_PERIOD))).toContain('<BaseURL serviceLocation="a">https://gateway.example/v1/film.ism/media/</BaseURL>');
  });
});
