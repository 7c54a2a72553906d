import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { demoteOnFailure, type Vhs } from "../../clients/videojs.js";

type OnRequest = Parameters<Vhs["xhr"]["onRequest"]>[0];
type OnResponse = Parameters<Vhs["xhr"]["onResponse"]>[0];
type Request = Parameters<OnResponse>[0];

/** What the helper touches of video.js and VHS, with VHS 3.17's own rules for choosing a pathway. */
class FakePlayer {
  readonly events = new EventEmitter();
  readonly requestHooks = new Set<OnRequest>();
  readonly responseHooks = new Set<OnResponse>();
  readonly available = new Set(["west", "north"]);
  readonly playlists: { resolvedUri: string; attributes: Record<string, string>; excludeUntil?: number; lastExcludeReason_?: string }[];
  readonly changeSegmentPathway = vi.fn();
  readonly on = (event: string, listener: () => void): void => void this.events.on(event, listener);
  readonly off = (event: string, listener: () => void): void => void this.events.off(event, listener);
  readonly steering = {
    currentPathway: "west" as string | null,
    steeringManifest: { priority: ["west", "north"] },
    getPathway: () => this.steering.currentPathway,
    addAvailablePathway: (pathway: string) => void this.available.add(pathway),
    excludePathway: (pathway: string) => void this.available.delete(pathway),
  };
  readonly vhs: Vhs = {
    xhr: {
      onRequest: (hook) => void this.requestHooks.add(hook),
      offRequest: (hook) => void this.requestHooks.delete(hook),
      onResponse: (hook) => void this.responseHooks.add(hook),
      offResponse: (hook) => void this.responseHooks.delete(hook),
    },
    playlistController_: {
      main: () => ({ playlists: this.playlists }),
      changeSegmentPathway_: this.changeSegmentPathway,
      contentSteeringController_: this.steering,
    },
  };

  constructor(pathways: readonly string[] = ["west", "north"]) {
    this.playlists = pathways.flatMap((id) =>
      [1, 2].map((n) => ({ resolvedUri: `http://${id}/${n}.m3u8`, attributes: { "PATHWAY-ID": id } })),
    );
  }

  tech(): { vhs: Vhs } {
    return { vhs: this.vhs };
  }

  answered(uri: string, error: (Error & { code?: string }) | null, statusCode = 0, requestType = "segment"): void {
    const request = { uri, requestType } as Request;
    for (const hook of this.responseHooks) hook(request, error, { statusCode });
  }

  /** As VHS applies a steering manifest. */
  steered(...priority: string[]): void {
    this.steering.steeringManifest = { priority };
    this.steering.currentPathway = priority.find((pathway) => this.available.has(pathway)) ?? this.steering.currentPathway;
    this.events.emit("contentsteeringparsed");
  }

  offered(): string[] {
    return [
      ...new Set(
        this.playlists.filter(({ excludeUntil }) => excludeUntil === undefined).map(({ resolvedUri }) => new URL(resolvedUri).host),
      ),
    ];
  }
}

describe("demoteOnFailure of video.js", () => {
  const demoted = vi.fn();
  let player: FakePlayer;
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("location", { href: "http://page/" });
    demoted.mockReset();
    start(new FakePlayer());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function start(fake: FakePlayer): void {
    player = fake;
    stop = demoteOnFailure(player, { bufferSeconds: 6, onDemote: demoted });
    player.events.emit("xhr-hooks-ready");
  }

  it("keeps VHS from giving a segment up by its own, shorter timeout, and leaves the gateway's requests their own", () => {
    const asked = (requestType: string): number | undefined => {
      let options: Parameters<OnRequest>[0] = { requestType, timeout: 3_000 };
      for (const hook of player.requestHooks) options = hook(options);
      return options.timeout;
    };
    expect(asked("segment")).toBe(0);
    expect(asked("segment-media-initialization")).toBe(0);
    expect(asked("segment-key")).toBe(3_000);
  });

  it.each([
    { what: "no answer", error: new Error("network"), status: 0 },
    { what: "status 503", error: null, status: 503 },
    { what: "status 404", error: null, status: 404 },
  ])("offers the other region's qualities after $what", async ({ what, error, status }) => {
    player.answered("http://west/1/0.m4s", error, status);
    expect(demoted).toHaveBeenCalledExactlyOnceWith("west", what);
    expect(player.steering.currentPathway).toBe("north");
    expect([...player.available]).toEqual(["north"]);
    const [failed] = player.playlists;
    if (failed !== undefined) failed.excludeUntil = 5000;
    await vi.advanceTimersByTimeAsync(1);
    expect(player.offered()).toEqual(["north"]);
    expect(failed?.excludeUntil, "VHS's own short exclusion would bring it back").toBe(Infinity);
  });

  it("has VHS take a timeout for a failure, not for a lack of bandwidth", () => {
    const error = Object.assign(new Error("timeout"), { code: "ETIMEDOUT" });
    player.answered("http://west/1/0.m4s", error);
    expect(error.code).toBeUndefined();
  });

  it("says nothing of a region for keys, steering manifests, what VHS aborted, and what went well", () => {
    player.answered("http://west/key", null, 500, "segment-key");
    player.answered("http://west/steering", null, 500, "content-steering-manifest");
    player.answered("http://west/1/0.m4s", null, 200);
    for (const hook of player.responseHooks)
      hook({ uri: "http://west/1", requestType: "segment", aborted: true } as Request, new Error("aborted"), undefined);
    expect(demoted).not.toHaveBeenCalled();
    expect(player.steering.currentPathway).toBe("west");
  });

  it("stays away while the gateway has not noticed, and returns when it has noticed and mended", () => {
    player.answered("http://west/1/0.m4s", null, 503);
    player.steered("west", "north");
    expect(player.steering.currentPathway).toBe("north");
    player.steered("north", "west");
    player.steered("west", "north");
    expect(player.steering.currentPathway).toBe("west");
    expect(player.changeSegmentPathway).toHaveBeenCalledOnce();
    expect(player.offered()).toEqual(["west"]);
  });

  it("does not hurry from one to the other where both fail", async () => {
    player.answered("http://west/1/0.m4s", null, 503);
    player.answered("http://north/1/0.m4s", null, 503);
    expect(player.steering.currentPathway).toBe("north");
    await vi.advanceTimersByTimeAsync(2000);
    player.answered("http://north/1/0.m4s", null, 503);
    expect(player.steering.currentPathway).toBe("west");
    expect(player.available.size, "one has to stay available, or VHS ends steering for good").toBeGreaterThan(0);
  });

  it("leaves VHS alone where there is one pathway", () => {
    start(new FakePlayer(["gateway"]));
    player.answered("http://gateway/1/0.m4s", null, 503);
    expect(demoted).not.toHaveBeenCalled();
    expect(player.offered()).toEqual(["gateway"]);
  });

  it("takes its hooks out again", () => {
    stop();
    expect([player.requestHooks.size, player.responseHooks.size, player.events.eventNames().length]).toEqual([0, 0, 0]);
  });

  describe("a request", () => {
    class FakeRequest extends EventTarget {
      static readonly aborted = vi.fn();
      readonly onerror = vi.fn();
      abort(): void {
        FakeRequest.aborted(this);
      }
    }

    function send(requestType: string): FakeRequest {
      vi.stubGlobal("XMLHttpRequest", FakeRequest);
      const request = new FakeRequest();
      const beforeSend = vi.fn();
      for (const hook of player.requestHooks) hook({ requestType, beforeSend }).beforeSend?.(request as unknown as Request);
      expect(beforeSend, "the application's own hook").toHaveBeenCalledExactlyOnceWith(request);
      return request;
    }

    it("that falls silent is failed and aborted", async () => {
      const request = send("segment");
      await vi.advanceTimersByTimeAsync(2000);
      request.dispatchEvent(new Event("progress"));
      await vi.advanceTimersByTimeAsync(2000);
      expect(request.onerror).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(200);
      expect(request.onerror).toHaveBeenCalledExactlyOnceWith(expect.any(Error));
      expect(FakeRequest.aborted).toHaveBeenCalledExactlyOnceWith(request);
    });

    it("that has ended is let be, and so is one for a key", async () => {
      const request = send("segment");
      request.dispatchEvent(new Event("loadend"));
      const key = send("segment-key");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(request.onerror).not.toHaveBeenCalled();
      expect(key.onerror).not.toHaveBeenCalled();
    });
  });
});
