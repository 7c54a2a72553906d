import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { demoteOnTimeout, hlsConfig } from "../../clients/hlsjs.js";
import { type Scripted, scriptedHls } from "./hlsjsPlayer.ts";

const SIX = { bufferSeconds: 6 };

describe("hlsConfig", () => {
  it("asks again where a region refused, failed or lost a file, since the next attempt may lead elsewhere", () => {
    const retry = hlsConfig(SIX).fragLoadPolicy?.default.errorRetry;
    const asks = (code: number, byDefault: boolean, count = 0) =>
      retry?.shouldRetry?.(retry, count, false, { url: "", data: "", code }, byDefault);
    expect([asks(0, false), asks(404, false), asks(503, true)]).toEqual([true, true, true]);
    expect([asks(403, false), asks(410, false)]).toEqual([false, false]);
    expect(asks(0, false, retry?.maxNumRetry)).toBe(false);
    expect(retry?.shouldRetry?.(retry, 0, true, undefined, false), "timeouts have a count of their own").toBe(false);
  });

  it("makes the wait for a first byte follow from the buffer", () => {
    expect(hlsConfig(SIX).fragLoadPolicy?.default.maxTimeToFirstByteMs).toBe(2100);
    expect(hlsConfig().fragLoadPolicy?.default.maxTimeToFirstByteMs).toBe(4000);
    expect(hlsConfig({ live: true }).playlistLoadPolicy?.default.maxTimeToFirstByteMs).toBe(2100);
  });

  it("leaves the buffer and everything else to the application", () => {
    expect(Object.keys(hlsConfig()).filter((name) => !name.endsWith("LoadPolicy"))).toEqual(["errorPenaltyExpireMs"]);
  });
});

describe("demoteOnTimeout", () => {
  let player: Scripted;
  let dispose: () => void;
  const demoted = vi.fn();

  beforeEach(async () => {
    vi.useFakeTimers();
    demoted.mockReset();
    player = await scriptedHls(hlsConfig(SIX));
    dispose = demoteOnTimeout(player.hls, { onDemote: demoted });
  });
  afterEach(() => {
    player.hls.destroy();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function play(url = "http://gateway/steered.m3u8", ms = 1000): Promise<void> {
    player.hls.loadSource(url);
    await vi.advanceTimersByTimeAsync(ms);
  }

  const from = (host: string) => player.script.requests.filter((url) => new URL(url).host === host);
  const pathway = () => player.hls.levels[0]?.pathwayId;
  /** hls.js's own penalties, which last 300 s whatever one says. */
  const ownPenalties = () => {
    const { levelController } = player.hls as unknown as { levelController: { steering: { penalizedPathways: object } } };
    return Object.keys(levelController.steering.penalizedPathways);
  };

  it("lets a region be that goes on answering, however slowly", async () => {
    await play("http://gateway/steered.m3u8", 60_000);
    expect(pathway()).toBe("west");
    expect(from("north")).toEqual([]);
    expect(demoted).not.toHaveBeenCalled();
  });

  it("aborts requests that hang, and asks the next pathway, before hls.js's own timeout", async () => {
    player.script.answers.set("http://west/0.ts", "silence");
    await play();
    expect(from("west")).toContain("http://west/0.ts");
    await vi.advanceTimersByTimeAsync(1300);
    expect(demoted).toHaveBeenCalledExactlyOnceWith("west", "silence");
    expect(player.script.aborted).toContain("http://west/0.ts");
    expect(pathway()).toBe("north");
    await vi.advanceTimersByTimeAsync(100);
    expect(from("north")).toEqual(expect.arrayContaining([expect.stringMatching(/00000\.m3u8$/), "http://north/audio.m3u8"]));
    expect(player.errors.filter(({ fatal }) => fatal)).toEqual([]);
  });

  it.each([0, 404, 500, 503])("leaves at the first status %i of a segment, without hls.js's own penalty", async (status) => {
    player.script.answers.set("http://west/0.ts", status);
    await play("http://gateway/steered.m3u8", 100);
    expect(demoted).toHaveBeenCalledExactlyOnceWith("west", "fragLoadError");
    expect(pathway()).toBe("north");
    expect(ownPenalties()).toEqual([]);
    expect(player.errors.filter(({ fatal }) => fatal)).toEqual([]);
  });

  it("leaves at the first failure of an audio playlist too", async () => {
    player.script.answers.set("http://west/audio.m3u8", 503);
    await play("http://gateway/steered.m3u8", 100);
    expect(demoted).toHaveBeenCalledExactlyOnceWith("west", "audioTrackLoadError");
    expect(pathway()).toBe("north");
    expect(ownPenalties()).toEqual([]);
  });

  it("stays away while the gateway has not noticed, and returns when it has noticed and mended", async () => {
    player.script.answers.set("http://west/0.ts", 503);
    await play();
    expect(pathway()).toBe("north");
    player.script.answers.delete("http://west/0.ts");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(pathway(), "the gateway's list says nothing yet").toBe("north");
    player.script.priority = ["north", "west"];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pathway()).toBe("north");
    player.script.priority = ["west", "north"];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pathway()).toBe("west");
  });

  it("returns when the penalty ends, also where the steering server is gone", async () => {
    player.script.answers.set("http://west/0.ts", 503);
    await play();
    player.script.answers.set("gateway", 500);
    player.script.answers.delete("http://west/0.ts");
    await vi.advanceTimersByTimeAsync(58_000);
    expect(pathway()).toBe("north");
    await vi.advanceTimersByTimeAsync(2000);
    expect(pathway()).toBe("west");
  });

  it("goes back and forth where both regions fail, without hurry", async () => {
    player.script.answers.set("http://west/0.ts", 503);
    player.script.answers.set("http://north/0.ts", 503);
    await play("http://gateway/steered.m3u8", 30);
    expect(pathway()).toBe("north");
    const requests = player.script.requests.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(player.script.requests.length - requests).toBeLessThan(40);
    expect(new Set(demoted.mock.calls.map(([id]) => String(id)))).toContain("west");
  });

  it("makes no storm of requests where everything fails at once", async () => {
    player.script.answers.set("west", 503);
    player.script.answers.set("north", 503);
    await play("http://gateway/steered.m3u8", 10_000);
    expect(player.script.requests.length).toBeLessThan(60);
  });

  it("asks the gateway again for what hangs, where there are no pathways", async () => {
    player.script.answers.set("http://gateway/0.ts", "silence");
    await play("http://gateway/plain.m3u8", 2200);
    expect(player.script.aborted).toEqual(["http://gateway/0.ts"]);
    expect(demoted).not.toHaveBeenCalled();
  });

  it("takes nothing with it when it is taken out", async () => {
    dispose();
    player.script.answers.set("http://west/0.ts", "silence");
    await play("http://gateway/steered.m3u8", 2050);
    expect(player.script.aborted).toEqual([]);
    expect(demoted).not.toHaveBeenCalled();
  });
});
