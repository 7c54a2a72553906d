/** Every setting of the kit exists in the installed players, and so does what it takes of their insides: an update that renames one is noticed. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dashSettings } from "../../clients/dashjs.js";
import { hlsConfig } from "../../clients/hlsjs.js";
import { shakaConfig } from "../../clients/shaka.js";
import { vhsOptions } from "../../clients/videojs.js";

type Tree = Readonly<Record<string, unknown>>;

/** Names with dots of everything in `settings` that `defaults` does not have. */
function unknownNames(settings: object, defaults: unknown, at = ""): string[] {
  return Object.entries(settings as Tree).flatMap(([name, value]) => {
    const path = `${at}${name}`;
    if (typeof defaults !== "object" || defaults === null || !(name in defaults)) return [path];
    return typeof value === "object" && value !== null ? unknownNames(value, (defaults as Tree)[name], `${path}.`) : [];
  });
}

describe("the kit's settings are known to", () => {
  beforeAll(() => {
    vi.stubGlobal("self", globalThis);
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("document", { documentElement: {}, createElement: () => ({}) });
    vi.stubGlobal("getComputedStyle", () => ({ getPropertyValue: () => "" }));
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  it("hls.js", async () => {
    const { default: Hls } = await import("hls.js");
    expect(Object.keys(Hls.DefaultConfig)).toContain("fragLoadPolicy");
    // `backoff` and `shouldRetry` are optional in a policy: the defaults have them in one and in none.
    const unknown = unknownNames(hlsConfig(), Hls.DefaultConfig).filter((name) => !/Retry\.(backoff|shouldRetry)$/.test(name));
    expect(unknown).toEqual([]);
  });

  it("Shaka Player", async () => {
    const shaka = (await import("shaka-player")) as unknown as { default: { util: { PlayerConfiguration: { createDefault(): Tree } } } };
    expect(unknownNames(shakaConfig(), shaka.default.util.PlayerConfiguration.createDefault())).toEqual([]);
  });

  it("dash.js", async () => {
    const { MediaPlayer } = await import("dashjs");
    expect(unknownNames(dashSettings(), MediaPlayer().create().getSettings())).toEqual([]);
  });

  it("video.js, with the parts of VHS that the helper moves", () => {
    const source = readFileSync(new URL(import.meta.resolve("video.js/dist/video.js")), "utf8");
    const options = Object.keys(vhsOptions()).map((name) => `this.options_.${name}`);
    const parts = [
      "'xhr-hooks-ready'",
      "'contentsteeringparsed'",
      ".onRequest = ",
      ".offRequest = ",
      ".onResponse = ",
      ".offResponse = ",
      "options.beforeSend(xhr)",
      "'segment-media-initialization'",
      "requestType: 'hls-playlist'",
      "requestType: 'segment'",
      "this.playlistController_ = new ",
      "this.contentSteeringController_ = new ",
      "changeSegmentPathway_() {",
      "getPathway() {",
      "addAvailablePathway(pathway) {",
      "excludePathway(pathway) {",
      "variant.excludeUntil = Infinity",
      "lastExcludeReason_ = 'content-steering'",
    ];
    expect([...options, ...parts].filter((part) => !source.includes(part))).toEqual([]);
  });
});
