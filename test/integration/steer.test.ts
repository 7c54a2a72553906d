/** Steered and anchored playback against two whole regions: what a player would do with what it gets, one request after the other. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { request } from "undici";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";

type Mode = "steer" | "anchor";

interface Got {
  readonly status: number;
  readonly text: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

let sandbox: SandboxProcess;
let video: SandboxVideo;

beforeAll(async () => {
  sandbox = await SandboxProcess.start();
  video = sandbox.video("paircast-sample");
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const { name } of sandbox.ready.regions) await sandbox.mendRegion(name);
  await eventually(30_000, "both regions to be well", async () => {
    const { text } = await get(`${sandbox.ready.admin}/metrics`);
    const well = sandbox.ready.regions.every(({ name }) =>
      text.includes(`paircast_service_state{origin="${name}",service="streaming",state="healthy"} 1`),
    );
    return well ? true : null;
  });
});

/** Of a URL whose host is one of the gateway's names, which only browsers take for this machine. */
async function get(url: string, headers: Record<string, string> = {}): Promise<Got> {
  const { protocol, host, pathname, search, hostname, port } = new URL(url);
  const named = hostname.endsWith(".localhost");
  const answer = await request(`${protocol}//${named ? `127.0.0.1:${port}` : host}${pathname}${search}`, {
    headers: { ...headers, ...(named ? { host } : {}) },
    // A kept connection may just be closed by the other side.
    reset: true,
  });
  const body = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, text: body.toString(), body, headers: answer.headers };
}

/** As a player: redirects are followed. */
async function fetched(url: string, headers: Record<string, string> = {}): Promise<Got & { readonly from: string }> {
  const got = await get(url, headers);
  const { location } = got.headers;
  if (got.status !== 302 && got.status !== 307) return { ...got, from: new URL(url).host };
  return { ...(await get(String(location), headers)), from: new URL(String(location)).host };
}

function gatewayUrl(mode: Mode, path: string): string {
  return `http://${mode}.localhost:${new URL(sandbox.ready.gateway).port}${path}`;
}

function hostOf(region: string): string {
  return new URL(sandbox.region(region).streaming).host;
}

function uris(playlist: string): string[] {
  return playlist.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** The steering manifest that stands in a playlist or an MPD. */
function inlineList(text: string): { TTL: number; "RELOAD-URI": string; "PATHWAY-PRIORITY": string[] } {
  return JSON.parse(atob(/base64,([A-Za-z0-9+/=]+)/.exec(text)?.[1] ?? "")) as ReturnType<typeof inlineList>;
}

async function breakAndNotice(region: string): Promise<void> {
  await sandbox.breakRegion(region, { kind: "refuse" });
  await eventually(20_000, `${region} to be left`, async () => {
    const { headers } = await get(`${sandbox.ready.gateway}${video.hls}`);
    return headers["x-paircast-origin"] === region ? null : true;
  });
}

async function explained(path: string, mode: Mode): Promise<Record<string, unknown>> {
  const { text } = await get(`${sandbox.ready.admin}/api/explain?url=${encodeURIComponent(gatewayUrl(mode, path))}`);
  return (JSON.parse(text) as { playback: Record<string, unknown> }).playback;
}

async function published(options: Readonly<Record<string, unknown>>): Promise<SandboxVideo> {
  const made = (await sandbox.control("POST", "/videos", { region: "westeurope", ...options })) as SandboxVideo;
  await eventually(90_000, `${made.name} to be replicated`, async () => {
    const { listed } = { listed: (await explained(made.hls, "steer"))["pathways"] as string[] | undefined };
    return listed?.includes("northeurope") === true ? true : null;
  });
  return made;
}

describe("a segment under the gateway's own path", () => {
  it.each(["anchor", "steer"] as const)("is sent elsewhere when it is asked for again, %s", async (mode) => {
    const playlist = uris((await get(gatewayUrl("anchor", video.hls))).text)[0] ?? "";
    const playlistUrl = new URL(playlist, gatewayUrl(mode, video.hls)).href;
    const segment = uris((await get(playlistUrl)).text)[0] ?? "";
    const url = `${new URL(segment, playlistUrl).href}?${mode}`;
    const origins = [];
    for (let time = 0; time < 3; time += 1) origins.push((await get(url)).headers["x-paircast-origin"]);
    expect(origins).toEqual(["westeurope", "northeurope", "westeurope"]);
    expect((await get(url, { range: "bytes=0-99" })).headers["x-paircast-origin"]).toBe("westeurope");
  });
});

describe("a browser's cross-origin requests", () => {
  it("may be redirected, and are answered by a region that is told of no origin", async () => {
    const sent = await get(`${sandbox.ready.gateway}${video.hls}`, { origin: "https://page.example" });
    expect([sent.status, sent.headers["access-control-allow-origin"]]).toEqual([302, "*"]);
    // After a redirect from one origin to another, browsers send this (Fetch standard, 4.4).
    const found = await get(String(sent.headers["location"]), { origin: "null" });
    expect([found.status, found.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
  });
});

describe("a steered video", () => {
  it("of HLS names both regions and the gateway, and every playlist that it names is there", async () => {
    const { status, text, headers } = await get(gatewayUrl("steer", video.hls));
    expect([status, headers["content-type"], headers["cache-control"]]).toEqual([200, "application/vnd.apple.mpegurl", "no-store"]);
    expect(inlineList(text)["PATHWAY-PRIORITY"]).toEqual(["westeurope", "northeurope", "gateway"]);
    const playlists = uris(text);
    expect(new Set(playlists.map((url) => new URL(url).host))).toEqual(
      new Set([hostOf("westeurope"), hostOf("northeurope"), new URL(gatewayUrl("steer", "/")).host]),
    );
    for (const url of playlists) {
      const { status: found, text: playlist } = await get(url);
      expect([url, found, playlist.startsWith("#EXTM3U")]).toEqual([url, 200, true]);
    }
  });

  it("of DASH names both regions and the gateway, and segments are the same from each", async () => {
    const { text } = await get(gatewayUrl("steer", video.dash));
    const bases = [...text.matchAll(/<BaseURL serviceLocation="([^"]+)">([^<]+)</g)].map((found) => [found[1], found[2] ?? ""] as const);
    expect(bases.map(([id]) => id)).toEqual(["westeurope", "northeurope", "gateway"]);
    const template = /initialization="([^"]+)"/.exec(text)?.[1] ?? "";
    const bandwidth = /bandwidth="(\d+)"/.exec(text)?.[1] ?? "";
    const parts = await Promise.all(bases.map(async ([, base]) => fetched(base + template.replace("$Bandwidth$", bandwidth))));
    expect(parts.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(parts.map(({ body }) => body.toString("base64"))).size).toBe(1);
  });

  it("is steered away from a region that is lost, by the endpoint that it names, and new viewers get the other one first", async () => {
    const before = inlineList((await get(gatewayUrl("steer", video.hls))).text);
    await breakAndNotice("westeurope");
    const asked = await get(before["RELOAD-URI"]);
    const list = JSON.parse(asked.text) as typeof before;
    expect([asked.status, list["PATHWAY-PRIORITY"]]).toEqual([200, ["northeurope", "westeurope", "gateway"]]);
    expect(list.TTL).toBeLessThanOrEqual(before.TTL);
    const { text, headers } = await get(gatewayUrl("steer", video.hls));
    expect(headers["x-paircast-origin"]).toBe("northeurope");
    expect(inlineList(text)["PATHWAY-PRIORITY"]).toEqual(["northeurope", "westeurope", "gateway"]);
  });

  it("is redirected to whoever brings a token, and is counted with the reason", async () => {
    const { status, headers } = await get(gatewayUrl("steer", video.hls), { authorization: "Bearer x" });
    expect([status, headers["location"]]).toEqual([302, `${sandbox.region("westeurope").streaming}${video.hls}`]);
    const metrics = await get(`${sandbox.ready.admin}/metrics`);
    expect(metrics.text).toContain('paircast_playback_fallbacks_total{mode="steer",reason="credentials"} 1');
  });

  it("is explained", async () => {
    expect(await explained(video.hls, "steer")).toMatchObject({
      mode: "steer",
      answer: "steer",
      fallback: null,
      pathways: ["westeurope", "northeurope", "gateway"],
      keys: "gateway",
    });
  });
});

describe("an anchored video", () => {
  /** From the manifest to the bytes of a segment, all by the gateway's paths; the host that the segment came from. */
  async function played(path: string): Promise<string> {
    const url = gatewayUrl("anchor", path);
    const master = await fetched(url);
    expect([master.status, master.from]).toEqual([200, new URL(url).host]);
    const playlistUrl = new URL(uris(master.text)[0] ?? "", url).href;
    const playlist = await fetched(playlistUrl);
    expect([playlist.status, playlist.from]).toEqual([200, new URL(url).host]);
    const segment = await fetched(new URL(uris(playlist.text)[0] ?? "", playlistUrl).href);
    expect(segment.status).toBe(200);
    expect(segment.body.length).toBeGreaterThan(1_000);
    return segment.from;
  }

  it("plays by the gateway's paths, also once a region refuses", async () => {
    expect(await played(video.hls)).toBe(hostOf("westeurope"));
    await breakAndNotice("westeurope");
    expect(await played(video.hls)).toBe(hostOf("northeurope"));
  });

  it("has its playlists read from the other region before anybody has noticed", async () => {
    const own = await published({ name: "anchored-early", protection: "clear" });
    await sandbox.breakRegion("westeurope", { kind: "refuse" });
    const { status, headers } = await get(gatewayUrl("anchor", own.hls));
    expect([status, headers["x-paircast-origin"]]).toEqual([200, "northeurope"]);
  });

  it("is a 503 where no region gives it", async () => {
    const own = await published({ name: "anchored-nowhere", protection: "clear" });
    for (const { name } of sandbox.ready.regions) await sandbox.breakRegion(name, { kind: "status" });
    const { status, headers } = await get(gatewayUrl("anchor", own.hls));
    expect([status, headers["location"], headers["access-control-allow-origin"]]).toEqual([503, undefined, "*"]);
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("keys", () => {
  it("that the regions' playlists ask of their own key hosts come through the gateway where it is anchored, and survive a key host", async () => {
    const own = await published({ name: "region-keys", protection: "region-keys" });
    const playlistOf = async (mode: Mode): Promise<string> => {
      const url = gatewayUrl(mode, own.hls);
      const first = new URL(uris((await get(url)).text)[0] ?? "", url).href;
      return (await get(first)).text;
    };
    const keyIn = (playlist: string): string => /#EXT-X-KEY:[^\n]*URI="([^"]+)"/.exec(playlist)?.[1] ?? "";
    expect(new URL(keyIn(await playlistOf("steer"))).host).toBe(new URL(sandbox.region("westeurope").keys).host);
    expect(await explained(own.hls, "steer")).toMatchObject({ answer: "steer", keys: "region" });
    expect(await explained(own.hls, "anchor")).toMatchObject({ answer: "anchor", keys: "gateway" });
    const anchored = keyIn(await playlistOf("anchor"));
    expect(anchored).toBe(gatewayUrl("anchor", `/keys/?kid=${String(own.keyId)}`));
    await sandbox.breakRegion("westeurope", { service: "keys", kind: "refuse" });
    const key = await fetched(anchored);
    expect([key.status, key.body.length]).toEqual([200, 16]);
  });
});

describe("a live channel", () => {
  it("goes on under the gateway's path when a region is lost, and its sequence never goes back", async () => {
    const channel = await published({ name: "channel", protection: "clear", live: true });
    const url = gatewayUrl("anchor", channel.hls);
    const playlistUrl = new URL(uris((await get(url)).text)[0] ?? "", url).href;
    const sequences: number[] = [];
    const look = async (): Promise<number> => {
      const { status, text } = await get(playlistUrl);
      expect([status, text.includes("#EXT-X-ENDLIST")]).toEqual([200, false]);
      const sequence = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
      sequences.push(sequence);
      return sequence;
    };
    const start = await look();
    await breakAndNotice("westeurope");
    await eventually(90_000, "two more segments", async () => ((await look()) >= start + 2 ? true : null));
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
    const { text } = await get(playlistUrl);
    const newest = await fetched(new URL(uris(text).at(-1) ?? "", playlistUrl).href);
    expect([newest.status, newest.from]).toEqual([200, hostOf("northeurope")]);
  });

  it("of DASH leads its refreshes back to the gateway, steered and anchored", async () => {
    const channel = await published({ name: "channel-dash", protection: "clear", live: true });
    for (const mode of ["steer", "anchor"] as const) {
      const url = gatewayUrl(mode, channel.dash);
      const { text } = await get(url);
      expect(text).toContain('type="dynamic"');
      expect(/<Location[^>]*>([^<]+)</.exec(text)?.[1]).toBe(url);
    }
  });
});
