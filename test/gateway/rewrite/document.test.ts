import { describe, expect, it } from "vitest";
import { documentOf } from "../../../src/gateway/rewrite/document.ts";
import { manifestTarget } from "../../../src/gateway/rewrite/target.ts";

describe("a document", () => {
  it.each([
    ["/vod/a/master.m3u8", { protocol: "hls", isPlaylist: false }],
    ["/vod/a/MASTER.M3U8?x=1", { protocol: "hls", isPlaylist: false }],
    ["/vod/a/manifest.mpd", { protocol: "dash", isPlaylist: false }],
    ["/id/v.ism/manifest(format=m3u8-cmaf)", { protocol: "hls", isPlaylist: false }],
    ["/id/v.isml/Manifest(encryption=cbc,format=m3u8-aapl)", { protocol: "hls", isPlaylist: false }],
    ["/id/v.ism/manifest%28format=mpd-time-cmaf%29", { protocol: "dash", isPlaylist: false }],
    ["/id/v.ism/manifest(encryption%3Dcenc%2Cformat%3Dmpd-time-csf)", { protocol: "dash", isPlaylist: false }],
    ["/id/v.ism/manifest", { protocol: "smooth", isPlaylist: false }],
    ["/id/v.ism/manifest(format=fmp4-v20)", { protocol: "smooth", isPlaylist: false }],
    ["/id/v.ism/QualityLevels(177000)/Manifest(video,format=m3u8-cmaf)", { protocol: "hls", isPlaylist: true }],
    ["/id/v.ism/QualityLevels%28177000%29/Manifest%28video,format=m3u8-cmaf%29", { protocol: "hls", isPlaylist: true }],
  ])("%s", (target, expected) => {
    expect(documentOf(target)).toEqual(expected);
  });

  it.each([
    "/vod/a/seg-1.m4s",
    "/vod/a/x?name=master.m3u8",
    "/id/v.ism/QualityLevels(177000)/Fragments(video=0,format=m3u8-cmaf)",
    "/id/v.ism/QualityLevels(177000)/Manifest(video)",
    "/vod/a.m3u8/seg-1.ts",
    "/.m3u8",
  ])("%s is none", (target) => {
    expect(documentOf(target)).toBeNull();
  });
});

describe("the target of a manifest", () => {
  it.each([
    ["/a.m3u8?CMCD=sid%3D%22x%22", "/a.m3u8"],
    ["/a.m3u8?token=t&CMCD=bl%3D1&x=%2F", "/a.m3u8?token=t&x=%2F"],
    ["/a.m3u8?token=t", "/a.m3u8?token=t"],
    ["/a.m3u8?", "/a.m3u8?"],
    ["/a.m3u8?XCMCD=1", "/a.m3u8?XCMCD=1"],
  ])("of %s is %s", (target, expected) => {
    expect(manifestTarget(target)).toBe(expected);
  });
});
