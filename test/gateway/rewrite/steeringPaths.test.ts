/** The front door's part in steering: whose path a steering request has, and under which route. */
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../src/gateway/request.ts";
import { DOOR, LOCATOR } from "../world.ts";

const door = { ...DOOR, steering: true, routes: [{ host: null, prefix: "/vod/" }] };
const read = (target: string, method = "GET", host = "gw.example") => readRequest({ method, target, host }, door);

describe("a steering request", () => {
  it.each(["hls", "dash"] as const)("of %s is for the manifest whose path follows, under that one's route", (protocol) => {
    expect(read(`/steering/${protocol}/vod/film/a.m3u8?pathways=a,b`)).toEqual({
      type: "steering",
      protocol,
      request: {
        kind: "manifest",
        service: "streaming",
        locatorId: "vod/film",
        keyId: null,
        target: "/vod/film/a.m3u8?pathways=a,b",
        route: 0,
      },
    });
    expect(read(`/steering/${protocol}/${LOCATOR}/v.ism/manifest(format=m3u8-cmaf)`)).toMatchObject({
      type: "steering",
      request: { locatorId: LOCATOR },
    });
  });

  it("for what is no video is one all the same: its player would never ask again after a refusal", () => {
    expect(read("/steering/hls/nothing")).toEqual({ type: "steering", protocol: "hls", request: null });
    expect(read("/steering/dash/")).toMatchObject({ type: "steering", request: null });
  });

  it.each(["/steering/hls", "/steering/smooth/x", "/steering/", "/Steering/hls/x"])("is not %s", (target) => {
    expect(read(target)).toMatchObject({ type: "rejected", rejection: { status: 404 } });
  });

  it("is none by POST, none on the key host, and none where no route steers", () => {
    expect(read("/steering/hls/x", "POST")).toMatchObject({ type: "rejected", rejection: { status: 405 } });
    expect(read("/steering/hls/x", "GET", "keys.gateway.example")).toMatchObject({ type: "playback", request: { kind: "key" } });
    expect(readRequest({ method: "GET", target: "/steering/hls/x", host: null }, DOOR)).toMatchObject({ type: "rejected" });
  });

  it("leads nowhere outside", () => {
    expect(read("/steering/hls/../keys/x")).toMatchObject({ type: "steering", request: null });
    expect(read("/steering/hls//evil.example/x")).toMatchObject({ type: "steering", request: null });
  });
});
