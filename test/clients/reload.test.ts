import { EventEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { reloadDashjs, reloadHlsjs, reloadNative, reloadShaka, reloadVideojs } from "../../clients/reload.js";

const URL_AT_THE_GATEWAY = "http://gateway/video.m3u8";

describe.each([
  { live: false, position: 42 },
  { live: true, position: null },
])("a reload, live: $live", ({ live, position }) => {
  it("by hls.js", () => {
    const play = vi.fn();
    const hls = { config: { startPosition: 0 }, latestLevelDetails: { live }, loadSource: vi.fn(), media: { play } };
    reloadHlsjs(hls, URL_AT_THE_GATEWAY)(42);
    expect(hls.config.startPosition).toBe(position ?? -1);
    expect(hls.loadSource).toHaveBeenCalledExactlyOnceWith(URL_AT_THE_GATEWAY);
    expect(play).toHaveBeenCalledOnce();
  });

  it("by Shaka", async () => {
    const play = vi.fn();
    const player = { load: vi.fn(async () => undefined), isLive: () => live, getMediaElement: () => ({ play }) };
    await reloadShaka(player, URL_AT_THE_GATEWAY)(42);
    expect(player.load).toHaveBeenCalledExactlyOnceWith(...(position === null ? [URL_AT_THE_GATEWAY] : [URL_AT_THE_GATEWAY, position]));
    expect(play).toHaveBeenCalledOnce();
  });

  it("by dash.js", () => {
    const player = { attachSource: vi.fn(), isDynamic: () => live, play: vi.fn() };
    reloadDashjs(player, URL_AT_THE_GATEWAY)(42);
    expect(player.attachSource).toHaveBeenCalledExactlyOnceWith(
      ...(position === null ? [URL_AT_THE_GATEWAY] : [URL_AT_THE_GATEWAY, position]),
    );
    expect(player.play).toHaveBeenCalledOnce();
  });

  it("by video.js, which seeks when it knows how long the video is", () => {
    const events = new EventEmitter();
    const player = {
      one: (event: string, listener: () => void) => void events.once(event, listener),
      currentSource: () => ({ type: "application/x-mpegURL" }),
      duration: () => (live ? Infinity : 64),
      currentTime: vi.fn(),
      src: vi.fn(),
      play: vi.fn(),
    };
    reloadVideojs(player, URL_AT_THE_GATEWAY)(42);
    expect(player.src).toHaveBeenCalledExactlyOnceWith({ src: URL_AT_THE_GATEWAY, type: "application/x-mpegURL" });
    expect(player.currentTime).not.toHaveBeenCalled();
    events.emit("loadedmetadata");
    expect(player.currentTime.mock.calls).toEqual(position === null ? [] : [[position]]);
    expect(player.play).toHaveBeenCalledOnce();
  });

  it("by the browser itself", () => {
    const target = new EventTarget();
    const media = {
      src: "",
      currentTime: 0,
      duration: live ? Infinity : 64,
      load: vi.fn(),
      play: vi.fn(),
      addEventListener: target.addEventListener.bind(target),
    };
    reloadNative(media, URL_AT_THE_GATEWAY)(42);
    expect(media.src).toBe(URL_AT_THE_GATEWAY);
    target.dispatchEvent(new Event("loadedmetadata"));
    expect(media.currentTime).toBe(position ?? 0);
    expect(media.load).toHaveBeenCalledOnce();
    expect(media.play).toHaveBeenCalledOnce();
  });
});
