import { describe, expect, it } from "vitest";
import { cellsOf, isKnown } from "../faults/matrix.ts";
import { keyAnswer, streamingAnswer } from "./answers.ts";
import { applies, faultClass, FAULTS, VIDEOS, type Fault } from "./faults.ts";
import { editionAt, KEY_ID, manifestPath, mediaPlaylist, mpd, readPath } from "./video.ts";

const NOW = Date.UTC(2026, 5, 1);
const LIVE = { encrypted: true, live: true };

describe("the bench's origin", () => {
  it("has every fault of the issue, and each befalls some video", () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(20);
    for (const fault of FAULTS)
      expect(
        VIDEOS.some((video) => applies(fault, video)),
        fault,
      ).toBe(true);
  });

  it("publishes the same at the same time, and the next segment two seconds later", () => {
    const at = (ms: number) => mediaPlaylist("v1", LIVE, editionAt(NOW + ms, true));
    expect(at(0)).toBe(at(1_999));
    expect(at(0)).not.toBe(at(2_000));
    expect(editionAt(NOW + 2_000, true).first).toBe(editionAt(NOW, true).first + 1);
  });

  it.each(["stale", "backwards", "shrinks", "rewritten", "clock-skew"] satisfies Fault[])(
    "shows another playlist and MPD with %s",
    (fault) => {
      const moment = { fault, since: NOW, now: NOW + 4_000 };
      for (const protocol of ["hls", "dash"] as const) {
        const path = manifestPath({ ...LIVE, protocol }).replace("master", "v1");
        const healthy = streamingAnswer(path, { ...moment, fault: null }).body.toString();
        expect(streamingAnswer(path, moment).body.toString(), protocol).not.toBe(healthy);
      }
    },
  );

  it("loses its newest segment every second when it shrinks, and keeps one", () => {
    const last = (ms: number) =>
      streamingAnswer(manifestPath({ ...LIVE, protocol: "hls" }).replace("master", "v1"), { fault: "shrinks", since: NOW, now: NOW + ms });
    const counts = [0, 1_000, 2_000, 60_000].map((ms) => last(ms).body.toString().split("#EXTINF").length - 1);
    expect(counts).toEqual([5, 4, 3, 1]);
  });

  it("gives another answer for its key with every key fault that is an answer", () => {
    const healthy = keyAnswer(`/keys/${KEY_ID}`, "GET", null);
    expect(healthy.body).toHaveLength(16);
    for (const fault of FAULTS.filter((each) => faultClass(each) === "key" && !/refuse|reset|blackhole/.test(each))) {
      expect(keyAnswer(`/${KEY_ID}`, "GET", fault), fault).not.toEqual(healthy);
    }
  });

  it("reads what its manifests name, and nothing else", () => {
    expect(readPath("g12/v2/7.m4s")).toEqual({ type: "segment", track: "v2", number: 7 });
    expect(mpd(LIVE, editionAt(NOW, true))).toContain('media="$RepresentationID$/$Number$.m4s"');
    for (const path of ["v3.m3u8", "v1/-1.m4s", "../v1.m3u8", "v1/1.mp4"]) expect(readPath(path)).toBeNull();
  });
});

describe("the matrix", () => {
  it("has every fault in its full run, with live and on demand, HLS and DASH, clear and AES-128", () => {
    const cells = cellsOf({ quick: false, only: null });
    expect(new Set(cells.map(({ fault }) => fault))).toEqual(new Set(FAULTS));
    expect(cells.filter(({ fault }) => fault === "segments-404")).toHaveLength(8);
    expect(cells.filter(({ fault }) => fault === "stale")).toHaveLength(4);
    expect(cells.filter(({ fault }) => fault === "key-wrong").every(({ video }) => video.encrypted)).toBe(true);
  });

  it("is small when it has to be quick, and can be told what to run", () => {
    const quick = cellsOf({ quick: true, only: null });
    expect(quick.length).toBeLessThanOrEqual(12);
    expect(new Set(quick.map(({ video }) => JSON.stringify(video))).size).toBeGreaterThan(4);
    expect(new Set(cellsOf({ quick: false, only: ["key"] }).map(({ fault }) => faultClass(fault)))).toEqual(new Set(["key"]));
    expect(cellsOf({ quick: true, only: ["segments-slow"] })).toHaveLength(1);
    expect([isKnown("stale"), isKnown("live"), isKnown("nothing")]).toEqual([true, true, false]);
  });
});
