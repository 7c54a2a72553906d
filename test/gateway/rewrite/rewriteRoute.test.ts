/** Routes that steer or anchor, through the application: what players get, and why some get a redirect after all. */
import { describe, expect, it } from "vitest";
import { entry, LOCATOR, ManualClock, series } from "../world.ts";
import {
  aligned,
  ALIGNED,
  DASH,
  FILM,
  GATEWAY,
  HLS,
  MASTER,
  mediaPlaylist,
  mpd,
  NORTH,
  putHls,
  stage,
  VIDEO,
  WEST,
  type StageOptions,
} from "./stage.ts";

function playing(playback: "steer" | "anchor", gateway: StageOptions["gateway"] = {}) {
  const clock = new ManualClock();
  const played = stage({ clock, gateway: { playback, manifests: { hedge: "0s" }, ...gateway } });
  putHls(played.files, [WEST, NORTH], VIDEO);
  played.files.everywhere(DASH, mpd());
  return { ...played, clock };
}

type Playing = ReturnType<typeof playing>;

/** Ids in a steered manifest, in its order. */
function pathwaysOf(text: string): string[] {
  const ids = [...text.matchAll(/PATHWAY-ID="([^"]+)"|BaseURL serviceLocation="([^"]+)"/g)].map((found) => found[1] ?? found[2] ?? "");
  return [...new Set(ids)];
}

/** The steering manifest that stands in the manifest itself. */
function inlineList(text: string): { TTL: number; "RELOAD-URI": string; "PATHWAY-PRIORITY": string[] } {
  const encoded = /base64,([A-Za-z0-9+/=]+)/.exec(text)?.[1] ?? "";
  return JSON.parse(atob(encoded)) as ReturnType<typeof inlineList>;
}

async function fallbacks({ metrics }: Playing, mode: string): Promise<Record<string, number>> {
  const metric = await metrics.registry.getSingleMetric("paircast_playback_fallbacks_total")?.get();
  const counted = metric?.values.filter(({ value, labels }) => value > 0 && labels["mode"] === mode) ?? [];
  return Object.fromEntries(counted.map(({ labels, value }) => [String(labels["reason"]), value]));
}

describe("a steered manifest", () => {
  it("of HLS names every region, the decision first and the gateway last", async () => {
    const { ask } = playing("steer");
    const { status, text, headers } = await ask(HLS);
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "application/vnd.apple.mpegurl",
      "content-length": String(text.length),
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "x-paircast-reason": "primary",
      "x-paircast-origin": "westeurope",
    });
    expect(pathwaysOf(text)).toEqual(["westeurope", "northeurope", "gateway"]);
    const urls = text.split("\n").filter((line) => line.endsWith("v1/index.m3u8"));
    expect(urls).toEqual([WEST, NORTH, GATEWAY].map((base) => `${base}${VIDEO}/v1/index.m3u8`));
    expect(inlineList(text)).toMatchObject({
      TTL: 30,
      "RELOAD-URI": `${GATEWAY}/steering/hls${HLS}?pathways=westeurope,northeurope,gateway`,
      "PATHWAY-PRIORITY": ["westeurope", "northeurope", "gateway"],
    });
  });

  it("of DASH does the same, and only a live one leads its refreshes back", async () => {
    const { ask, files } = playing("steer");
    const still = await ask(DASH);
    expect(still.headers.get("content-type")).toBe("application/dash+xml");
    expect(pathwaysOf(still.text)).toEqual(["westeurope", "northeurope", "gateway"]);
    expect(still.text).not.toContain("<Location");
    files.everywhere(`${VIDEO}/live.mpd`, mpd({ live: true }));
    expect((await ask(`${VIDEO}/live.mpd`)).text).toContain(`>${GATEWAY}${VIDEO}/live.mpd</Location>`);
  });

  it("lists an ill region, last, and asks players to look again sooner", async () => {
    const { ask, health } = playing("steer", { steering: { anchorLast: false } });
    health.set("westeurope", "streaming", "unhealthy", "refused");
    const { text } = await ask(HLS);
    expect(pathwaysOf(text)).toEqual(["northeurope", "westeurope"]);
    expect(inlineList(text).TTL).toBeLessThan(10);
  });

  it("is read from the next region when the first fails, and still names both", async () => {
    const { ask, files, outcomes } = playing("steer");
    files.set(WEST + HLS, "refused");
    const { text } = await ask(HLS);
    expect(pathwaysOf(text)).toEqual(["westeurope", "northeurope", "gateway"]);
    expect(text).toContain(`${WEST}${VIDEO}/v1/index.m3u8`);
    expect(outcomes.words).toEqual(["westeurope:refused", "northeurope:ok"]);
  });

  it("is read once, and again when the catalogue has another publication", async () => {
    const { ask, files, catalogue } = playing("steer");
    await ask(HLS);
    await ask(HLS, { host: "other.example" });
    expect(files.count(HLS)).toBe(1);
    catalogue.list = [{ ...ALIGNED, publishedAt: 2 }];
    await ask(HLS);
    expect(files.count(HLS)).toBe(2);
  });

  it("has what players report of themselves neither in the question nor in the answer", async () => {
    const { ask, files } = playing("steer");
    const first = await ask(`${HLS}?CMCD=sid%3D%22a%22`);
    const second = await ask(`${HLS}?CMCD=sid%3D%22b%22`);
    expect(first.text).toBe(second.text);
    expect(first.text).not.toContain("CMCD");
    expect(files.urls).toEqual([WEST + HLS]);
  });

  it("does not name a region that an operator has disabled, also where its text came from there", async () => {
    const { ask, overrides } = playing("steer", { steering: { anchorLast: false } });
    await ask(HLS);
    const disable = { kind: "disable", region: "westeurope", service: "all", reason: "a test", by: "tester" } as const;
    await overrides.set({ ...disable, durationMs: 60_000, expiresAt: null, force: false });
    const { status, location } = await ask(HLS);
    expect([status, location]).toEqual([302, NORTH + HLS]);
  });

  it("has no way out through the gateway where that could lead to a copy that differs", async () => {
    const clock = new ManualClock();
    const base = "https://third.example";
    const regions = [
      { name: "westeurope", streaming: WEST, keys: null },
      { name: "northeurope", streaming: NORTH, keys: null },
      { name: "third", streaming: base, keys: null },
    ];
    const { ask, files, catalogue } = stage({ clock, regions, gateway: { playback: "steer" } });
    putHls(files, [WEST, NORTH, base], VIDEO);
    catalogue.list = [{ ...ALIGNED, regions: { ...ALIGNED.regions, third: { state: "verified", at: 1, detail: "", aligned: false } } }];
    expect(pathwaysOf((await ask(HLS)).text)).toEqual(["westeurope", "northeurope"]);
  });

  it("keeps a viewer where his session is, by the steering endpoint that it names", async () => {
    const { ask } = playing("steer", { routing: { method: "weighted", weights: { westeurope: 1, northeurope: 1 } } });
    const { text } = await ask(HLS);
    const { "RELOAD-URI": reload, "PATHWAY-PRIORITY": before } = inlineList(text);
    expect(reload).toMatch(/&chance=[0-9a-f]{8}$/);
    const answer = await ask(reload.slice(GATEWAY.length));
    expect(answer.status).toBe(200);
    expect((JSON.parse(answer.text) as { "PATHWAY-PRIORITY": string[] })["PATHWAY-PRIORITY"]).toEqual(before);
  });

  it("is answered to HEAD as to GET, and to POST not at all", async () => {
    const { ask } = playing("steer");
    const [get, head, post] = [await ask(HLS), await ask(HLS, {}, "HEAD"), await ask(HLS, {}, "POST")];
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(get.headers.get("content-length"));
    expect(post.status).toBe(405);
  });
});

describe("keys in a manifest", () => {
  it("under a region's key delivery are asked of the gateway", async () => {
    const { ask, files } = playing("steer");
    const session = '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="https://we.keys.example/base/?kid=1"\n';
    files.everywhere(HLS, MASTER.replace("#EXT-X-STREAM-INF", `${session}#EXT-X-STREAM-INF`));
    expect((await ask(HLS)).text).toContain(`#EXT-X-SESSION-KEY:METHOD=AES-128,URI="${GATEWAY}/keys/?kid=1"`);
    files.everywhere(DASH, mpd({ key: "https://ne.keys.example/clearkey" }));
    expect((await ask(DASH)).text).toContain(`>${GATEWAY}/keys/clearkey<`);
  });

  it("in an anchored playlist too, and one beside the video comes as its segments do", async () => {
    const { ask, files } = playing("anchor");
    const playlist = `${VIDEO}/v1/index.m3u8`;
    files.everywhere(playlist, mediaPlaylist({ key: "https://we.keys.example/base/?kid=1" }));
    expect((await ask(playlist)).text).toContain(`URI="${GATEWAY}/keys/?kid=1"`);
    files.everywhere(`${VIDEO}/v2/index.m3u8`, mediaPlaylist({ key: "key.bin" }));
    expect((await ask(`${VIDEO}/v2/index.m3u8`)).text).toContain(`URI="${GATEWAY}${VIDEO}/v2/key.bin"`);
  });

  it("explain says of whom they are asked", async () => {
    const { router, catalogue, ask } = playing("steer");
    catalogue.list = [{ ...ALIGNED, keys: [{ id: "1", fingerprint: "x" }], streamingPolicyName: "Predefined_ClearKey" }];
    expect(router.explain(HLS)?.playback).toMatchObject({
      mode: "steer",
      answer: "steer",
      fallback: null,
      pathways: ["westeurope", "northeurope", "gateway"],
      keys: "region",
      why: expect.stringContaining("as mortal as its region") as string,
    });
    expect(router.explain(DASH)?.playback?.keys).toBe("gateway");
    catalogue.list = [{ ...ALIGNED, keys: [{ id: "1", fingerprint: "x" }], streamingPolicyName: "own" }];
    expect(router.explain(HLS)?.playback?.keys).toBe("gateway");
    await ask(HLS);
    expect(router.explain(HLS)?.playback?.keys).toBe("gateway");
  });
});

describe("an anchored manifest", () => {
  it("stands under the gateway's own path, playlists and all, and its segments are redirected", async () => {
    const { ask } = playing("anchor");
    const master = await ask(HLS);
    expect([master.status, master.text]).toEqual([200, MASTER]);
    const playlist = await ask(`${VIDEO}/v1/index.m3u8`);
    expect([playlist.status, playlist.text]).toEqual([200, mediaPlaylist()]);
    const segment = await ask(`${VIDEO}/v1/s0.m4s`);
    expect([segment.status, segment.location]).toEqual([302, `${WEST}${VIDEO}/v1/s0.m4s`]);
    expect((await ask(DASH)).text).not.toContain(WEST);
  });

  it("has every later request go to another region once one is ill", async () => {
    const { ask, health } = playing("anchor");
    await ask(HLS);
    health.set("westeurope", "streaming", "unhealthy", "refused");
    expect((await ask(`${VIDEO}/v1/index.m3u8`)).headers.get("x-paircast-origin")).toBe("northeurope");
    expect((await ask(`${VIDEO}/v1/s0.m4s`)).location).toBe(`${NORTH}${VIDEO}/v1/s0.m4s`);
  });

  it("of a live channel goes on with the other region, and never back", async () => {
    const { ask, files, health, clock } = playing("anchor");
    const path = `${VIDEO}/v1/index.m3u8`;
    files.everywhere(path, mediaPlaylist({ ended: false, first: 10 }));
    const first = await ask(path);
    health.set("westeurope", "streaming", "unhealthy", "refused");
    files.set(NORTH + path, mediaPlaylist({ ended: false, first: 9 }));
    clock.advance(1_001);
    expect((await ask(path)).text).toBe(first.text);
    files.set(NORTH + path, mediaPlaylist({ ended: false, first: 11 }));
    clock.advance(1_001);
    expect((await ask(path)).text).toContain("MEDIA-SEQUENCE:11");
  });

  it("of one region only is given, too", async () => {
    const { ask, catalogue } = playing("anchor");
    catalogue.list = [entry({ westeurope: "verified" }, { keys: [] })];
    expect((await ask(HLS)).status).toBe(200);
  });

  it("that no region gives is a 503 with Retry-After, and no redirect to a doubtful host", async () => {
    const played = playing("anchor");
    played.files.everywhere(HLS, 503);
    const { status, headers, location } = await played.ask(HLS);
    expect([status, headers.get("retry-after"), location]).toEqual([503, "5", null]);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(await fallbacks(played, "anchor")).toEqual({});
  });

  it("that no region has is a 404", async () => {
    const { ask, outcomes } = playing("anchor");
    expect((await ask(`${VIDEO}/none.m3u8`)).status).toBe(404);
    expect(outcomes.words).toEqual([]);
  });
});

describe("a playlist asked of a gateway that steers", () => {
  it("is anchored, for it is the way out that is taken", async () => {
    const { ask, logs } = playing("steer");
    const path = `${VIDEO}/v1/index.m3u8`;
    const { status, text } = await ask(path);
    expect([status, text]).toEqual([200, mediaPlaylist()]);
    expect(logs.of("gateway.request").at(-1)).toMatchObject({ mode: "anchor", path });
  });

  it("of a media account is known by its path", async () => {
    const { ask, files } = playing("steer");
    const path = `/${LOCATOR}/v.ism/QualityLevels(177000)/Manifest(video,format=m3u8-cmaf)`;
    files.everywhere(path, "refused");
    expect((await ask(path)).status).toBe(503);
  });
});

describe("a redirect instead", () => {
  const cases: Record<
    string,
    { mode?: "steer" | "anchor"; path?: string; headers?: Record<string, string>; set: (played: Playing) => void }
  > = {
    smooth: { path: `/${LOCATOR}/v.ism/manifest`, set: () => undefined },
    credentials: { headers: { authorization: "Bearer t" }, set: () => undefined },
    single_region: {
      set: ({ catalogue }) => {
        catalogue.list = [entry({ westeurope: "verified", northeurope: "withdrawn" }, { keys: [] })];
      },
    },
    unaligned: {
      set: ({ catalogue }) => {
        catalogue.list = [aligned(false)];
      },
    },
    unmeasured: {
      set: ({ catalogue }) => {
        catalogue.list = [aligned(undefined)];
      },
    },
    unfetchable: {
      set: ({ files }) => {
        files.everywhere(HLS, "refused");
      },
    },
    denied: {
      set: ({ files }) => {
        files.everywhere(HLS, 403);
      },
    },
    moved: {
      set: ({ files }) => {
        files.everywhere(HLS, 302);
      },
    },
    too_large: {
      set: ({ files }) => {
        files.everywhere(HLS, MASTER + "#".repeat(5_000_000));
      },
    },
    foreign_uri: {
      set: ({ files }) => {
        files.everywhere(HLS, MASTER.replace("v1/index", "https://elsewhere.example/v1/index"));
      },
    },
    malformed: {
      set: ({ files }) => {
        files.everywhere(DASH, "<MPD><Period></MPD>");
      },
      path: DASH,
    },
  };

  it.each(Object.entries(cases))("%s", async (reason, { path = HLS, headers = {}, set }) => {
    const played = playing("steer");
    set(played);
    const answer = await played.ask(path, headers);
    expect([answer.status, answer.location]).toEqual([302, WEST + path]);
    expect(await fallbacks(played, "steer")).toEqual({ [reason]: 1 });
    expect(played.logs.of("gateway.request").at(-1)).toMatchObject({ mode: "redirect", fallback: `steer:${reason}`, status: 302 });
    if (reason !== "credentials")
      expect(played.router.explain(path)?.playback).toMatchObject({ answer: "redirect", fallback: reason, pathways: [] });
  });

  it("for a cookie, which is neither sent on nor answered from memory", async () => {
    const played = playing("anchor");
    await played.ask(HLS);
    expect((await played.ask(HLS, { cookie: "a=b" })).status).toBe(302);
    expect(played.files.asked.every(({ headers }) => headers?.["cookie"] === undefined)).toBe(true);
  });

  it("of an anchored manifest, where some region's copy differs", async () => {
    const played = playing("anchor");
    played.catalogue.list = [aligned(false)];
    expect((await played.ask(HLS)).status).toBe(302);
    expect((await played.ask(`${VIDEO}/v1/index.m3u8`)).status).toBe(302);
    expect(await fallbacks(played, "anchor")).toEqual({ unaligned: 2 });
  });

  it("is none where nobody may serve: that is answered as ever", async () => {
    const { ask, health } = playing("steer", { whenNoneEligible: "closed" });
    for (const region of ["westeurope", "northeurope"]) health.set(region, "streaming", "unhealthy", "refused");
    expect((await ask(HLS)).status).toBe(503);
  });
});

describe("a video that the catalogue does not know", () => {
  it("is redirected until its copies have been compared, and steered from then on", async () => {
    const played = playing("steer");
    const { files, ask, alignments, router } = played;
    putHls(files, [WEST, NORTH], FILM);
    const path = `${FILM}/master.m3u8`;
    expect((await ask(path)).status).toBe(302);
    await alignments.settled();
    const { status, text } = await ask(path);
    expect([status, pathwaysOf(text)]).toEqual([200, ["westeurope", "northeurope", "gateway"]]);
    expect(await fallbacks(played, "steer")).toEqual({ unmeasured: 1 });
    expect(router.explain(path)?.playback).toMatchObject({ answer: "steer", keys: "unknown" });
  });

  it("stays with redirects where its copies differ", async () => {
    const played = playing("steer");
    const { files, ask, alignments } = played;
    putHls(files, [WEST], FILM);
    putHls(files, [NORTH], FILM, mediaPlaylist({ name: "other" }));
    await ask(`${FILM}/master.m3u8`);
    await alignments.settled();
    expect((await ask(`${FILM}/master.m3u8`)).status).toBe(302);
    expect(await fallbacks(played, "steer")).toEqual({ unmeasured: 1, unaligned: 1 });
  });

  it("has its region listed that went down after the comparison", async () => {
    const { files, ask, alignments, clock } = playing("steer", { unknownLocators: { foundFor: "1m", absentFor: "1s" } });
    putHls(files, [WEST, NORTH], FILM);
    const path = `${FILM}/master.m3u8`;
    await ask(path);
    await alignments.settled();
    files.set(WEST + path, "refused");
    clock.advance(60_001);
    const { status, text } = await ask(path);
    expect([status, pathwaysOf(text)]).toEqual([200, ["northeurope", "westeurope", "gateway"]]);
  });

  it("of which playlists are asked for is compared by its manifest", async () => {
    const { files, ask, alignments } = playing("anchor");
    putHls(files, [WEST, NORTH], FILM);
    await ask(`${FILM}/master.m3u8`);
    await alignments.settled();
    expect((await ask(`${FILM}/v1/index.m3u8`)).status).toBe(200);
    await alignments.settled();
    expect(files.count(`${FILM}/v1/index.m3u8`)).toBe(3);
  });

  it("counts as found where one region has it, and is anchored", async () => {
    const { files, ask } = playing("anchor");
    putHls(files, [NORTH], FILM);
    const { status, headers } = await ask(`${FILM}/master.m3u8`);
    expect([status, headers.get("x-paircast-origin")]).toEqual([200, "northeurope"]);
  });
});

describe("routes", () => {
  it("have modes of their own", async () => {
    const { ask } = playing("steer", { playback: "redirect", routes: [{ host: "steer.example", playback: "steer" }] });
    expect((await ask(HLS)).status).toBe(302);
    expect((await ask(HLS, { host: "steer.example" })).status).toBe(200);
    expect((await ask(`/steering/hls${HLS}?pathways=westeurope,northeurope`, { host: "steer.example" })).status).toBe(200);
  });

  it("reserve the steering paths only where one steers", async () => {
    const { ask } = playing("anchor");
    expect((await ask("/steering/hls/x")).status).toBe(404);
  });

  it("count their answers by mode", async () => {
    const { ask, metrics } = playing("steer");
    await ask(HLS);
    expect(await series(metrics, "paircast_requests_total", { kind: "manifest", mode: "steer", code: "2xx" })).toBe(1);
    expect(await series(metrics, "paircast_routed_requests_total", { kind: "manifest", origin: "westeurope" })).toBe(1);
  });
});

describe("the gateway's own URL", () => {
  it("is the configured one", async () => {
    const { ask } = playing("steer", { publicUrl: "https://video.example" });
    const { text } = await ask(HLS);
    expect(text).toContain(`https://video.example${VIDEO}/v1/index.m3u8`);
    expect(inlineList(text)["RELOAD-URI"]).toMatch(/^https:\/\/video\.example\/steering\/hls\//);
  });

  it("has the scheme that a trusted proxy tells, and nobody else", async () => {
    const headers = { "x-forwarded-proto": "https" };
    const trusting = playing("steer", { viewers: { proxies: ["192.0.2.0/24"] } });
    expect((await trusting.ask(HLS, headers)).text).toContain(`https://gw.example:8080${VIDEO}`);
    expect((await playing("steer").ask(HLS, headers)).text).toContain(`http://gw.example:8080${VIDEO}`);
  });
});
