import { beforeEach, describe, expect, it } from "vitest";
import type { Canary } from "../../../src/core/contracts.ts";
import { keyedFingerprint } from "../../../src/core/fingerprint.ts";
import type { CanarySource } from "../../../src/core/ports/health.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../../src/core/ports/http.ts";
import type { ProbedRegion } from "../../../src/health/probes/canary.ts";
import { probeContext, type ProbeContext, type ProbeEvents } from "../../../src/health/probes/context.ts";
import { keyProbe } from "../../../src/health/probes/keys.ts";
import { look, type Probe } from "../../../src/health/probes/probe.ts";
import { streamingProbe } from "../../../src/health/probes/streaming.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { packageVideo, serveFile, testKey, text, type Files } from "../../fakes/packagedVideo.ts";

const key = testKey("right");
const wrong = testKey("wrong");
const KEY_PATH = "/?kid=0a0a0a0a-0000-4000-8000-00000000000A";
const GATEWAY_URI = `https://gw.example/keys${KEY_PATH}`;
const fingerprint = keyedFingerprint(testKey("secret"));

/** Regions at hosts of their own, each with a copy of the video and with a key of its own. */
class World implements HttpClient {
  readonly clock = new ManualClock();
  readonly asked: HttpQuestion[] = [];
  readonly alerts: string[] = [];
  readonly files = new Map<string, Files>();
  /** Host -> what its key server answers. */
  readonly keys = new Map<string, HttpAnswer | Uint8Array>();
  readonly context: ProbeContext;
  readonly regions: readonly ProbedRegion[];

  constructor(names: readonly string[], canary: ProbedRegion["canary"], canaries: CanarySource = { canary: async () => null }) {
    this.regions = names.map((name) => ({
      name,
      streaming: `https://${name}.example/vod`,
      keys: `https://k-${name}.example`,
      ...(canary === undefined ? {} : { canary }),
    }));
    for (const name of names) {
      this.package(name, key);
      this.keys.set(`k-${name}.example`, key);
    }
    const events: ProbeEvents = {
      unauthorized: (region, service, detail) => void (detail !== null && this.alerts.push(`unauthorized ${region} ${service}`)),
      keyDisputed: (region, detail) => void (detail !== null && this.alerts.push(`disputed ${region}`)),
    };
    const signals = { certificateWarn: 0, clockSkew: 5_000, firstByte: 1_000, throughputFactor: 1.2 };
    const keyDoor = { prefix: "/keys", host: null };
    const shared = { http: this, canaries, timeoutMs: 1_000, fingerprint, clock: this.clock, signals, keyDoor, events };
    this.context = probeContext(this.regions, shared);
  }

  package(name: string, with_: Uint8Array, keyUri = GATEWAY_URI): void {
    this.files.set(`${name}.example`, packageVideo("/vod/v/", { encryption: { key: with_, keyUri } }));
  }

  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    this.asked.push(question);
    const { host, pathname } = new URL(question.url);
    const answer = this.keys.get(host);
    if (answer instanceof Uint8Array) return { status: 200, headers: {}, body: answer };
    return answer ?? serveFile(this.files.get(host) ?? new Map(), pathname, question.headers?.["range"]);
  }

  async streaming(name: string): Promise<string> {
    return this.#run(streamingProbe(this.#region(name), this.context));
  }

  async delivery(name: string): Promise<string> {
    const region = this.#region(name);
    return this.#run(keyProbe(region, region.keys ?? "", this.context));
  }

  /** `ok`, with the kinds of its signals, or the reason; and the detail. */
  async #run(run: Probe): Promise<string> {
    const { outcome, detail } = await look(run, { clock: this.clock, timeoutMs: 1_000, signal: new AbortController().signal });
    const signals = outcome.ok ? (outcome.signals ?? []).map(({ kind }) => kind).join() : "";
    return `${outcome.ok ? `ok${signals === "" ? "" : ` ${signals}`}` : outcome.reason}: ${detail}`;
  }

  #region(name: string): ProbedRegion {
    const region = this.regions.find((each) => each.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region;
  }
}

describe("keys of configured canaries, compared between regions", () => {
  const configured = { key: KEY_PATH };

  it("agree", async () => {
    const world = new World(["a", "b"], configured);
    expect(await world.delivery("a")).toMatch(/^ok: .*not known/);
    expect(await world.delivery("b")).toMatch(/^ok: .*the one of the other regions/);
  });

  it("the one that differs from two others is wrong", async () => {
    const world = new World(["a", "b", "c"], configured);
    world.keys.set("k-a.example", wrong);
    for (const name of ["b", "c"]) expect(await world.delivery(name)).toMatch(/^ok/);
    expect(await world.delivery("a")).toMatch(/^key_mismatch: .*most regions/);
    for (const name of ["b", "c"]) expect(await world.delivery(name)).toMatch(/^ok/);
    world.keys.set("k-a.example", key);
    expect(await world.delivery("a")).toMatch(/^ok/);
  });

  it("of two that differ from the start, neither is wrong, and both are flagged", async () => {
    const world = new World(["a", "b"], configured);
    world.keys.set("k-a.example", wrong);
    await world.delivery("a");
    expect(await world.delivery("b")).toMatch(/^ok: .*nothing says which is right/);
    expect(await world.delivery("a")).toMatch(/^ok: .*nothing says which is right/);
    expect(world.alerts).toEqual(["disputed b", "disputed a"]);
  });

  it("of two that agreed before, the one that changed is wrong, until the other follows", async () => {
    const world = new World(["a", "b"], configured);
    for (const name of ["a", "b"]) await world.delivery(name);
    world.keys.set("k-a.example", wrong);
    expect(await world.delivery("a")).toMatch(/^key_mismatch: .*answered before/);
    expect(await world.delivery("b")).toMatch(/^ok/);
    world.keys.set("k-b.example", wrong);
    for (const name of ["b", "a"]) expect(await world.delivery(name)).toMatch(/^ok/);
  });

  it("a region that has fallen silent does not hold the others to an old key", async () => {
    const world = new World(["a", "b"], configured);
    for (const name of ["a", "b"]) await world.delivery(name);
    world.keys.set("k-b.example", { status: 503, headers: {}, body: text("") });
    expect(await world.delivery("b")).toMatch(/^status/);
    world.keys.set("k-a.example", wrong);
    expect(await world.delivery("a")).toMatch(/^ok: .*not known/);
    world.keys.set("k-b.example", key);
    await world.delivery("b");
    await world.clock.advance(61_000);
    expect(await world.delivery("a")).toMatch(/^ok: .*not known/);
  });

  it("are asked for twice after a single error", async () => {
    const world = new World(["a"], configured);
    let left = 1;
    const ask = world.ask.bind(world);
    world.ask = async (question) => (left-- > 0 ? { status: 500, headers: {}, body: text("") } : ask(question));
    expect(await world.delivery("a")).toMatch(/^ok/);
  });
});

describe("the key that a playlist names", () => {
  let world: World;

  beforeEach(() => {
    world = new World(["a", "b"], { manifest: "/v/master.m3u8" });
  });

  it("is asked of the region's key delivery, decrypts the segment, and is asked for by the key probe too", async () => {
    expect(await world.delivery("a")).toMatch(/no video is known/);
    expect(await world.streaming("a")).toMatch(/^ok: .*decrypted with its key/);
    expect(world.asked.at(-1)?.url).toBe(`https://k-a.example${KEY_PATH}`);
    expect(await world.delivery("a")).toMatch(/^ok: .*the one that decrypts the video/);
  });

  it("is wrong where it does not decrypt the video: the key delivery is to blame, in one region or in all", async () => {
    world.keys.set("k-a.example", wrong);
    expect(await world.streaming("a")).toMatch(/^ok: .*does not decrypt with the key/);
    expect(await world.delivery("a")).toMatch(/^key_mismatch/);
    await world.streaming("b");
    expect(await world.delivery("b")).toMatch(/^ok/);
    expect(await world.delivery("a")).toMatch(/^key_mismatch/);
    world.keys.set("k-a.example", key);
    expect(await world.delivery("a")).toMatch(/^ok/);
  });

  it("is right where it decrypted the video before, and now the segment is to blame", async () => {
    await world.streaming("b");
    world.package("a", wrong);
    expect(await world.streaming("a")).toMatch(/^segment: .*right key/);
    expect(await world.delivery("a")).toMatch(/^ok/);
  });

  it("that decrypts each region's own copy, and is not the same, is flagged", async () => {
    world.package("a", wrong);
    world.keys.set("k-a.example", wrong);
    for (const name of ["a", "b"]) expect(await world.streaming(name)).toMatch(/^ok/);
    for (const name of ["a", "b"]) expect(await world.delivery(name)).toMatch(/^ok: .*another key does in/);
    expect(world.alerts).toEqual(["disputed a", "disputed b"]);
  });

  it.each([
    ["a refusal as text", { status: 200, headers: {}, body: text("Forbidden") }, "body"],
    ["15 bytes", key.subarray(1), "key_length"],
    ["503", { status: 503, headers: {}, body: text("") }, "status"],
    ["404", { status: 404, headers: {}, body: text("") }, "not_found"],
  ] as const)("is missed by the key probe alone: %s", async (_, answer, reason) => {
    await world.streaming("a");
    world.keys.set("k-a.example", answer);
    expect(await world.streaming("a")).toMatch(/^ok: .*its key/);
    expect(await world.delivery("a")).toMatch(new RegExp(`^${reason}`));
  });

  it("refused from the start may want a token, refused after it was given freely is a fault", async () => {
    const refusal = { status: 403, headers: {}, body: text("") };
    world.keys.set("k-a.example", refusal);
    await world.streaming("a");
    expect(await world.delivery("a")).toMatch(/^ok: .*wants a token/);
    world.keys.set("k-a.example", key);
    await world.delivery("a");
    world.keys.set("k-a.example", refusal);
    expect(await world.delivery("a")).toMatch(/^unauthorized/);
  });

  it("beside the video belongs to the streaming service", async () => {
    world.package("a", key, "../key.bin");
    const files = world.files.get("a.example");
    expect(await world.streaming("a")).toMatch(/^not_found: key https:\/\/a.example\/vod\/key.bin/);
    files?.set("/vod/key.bin", key);
    expect(await world.streaming("a")).toMatch(/^ok: .*decrypted/);
    files?.set("/vod/key.bin", wrong);
    expect(await world.streaming("a")).toMatch(/^segment|^key_mismatch/);
    expect(await world.delivery("a")).toMatch(/no video is known/);
  });

  it("at another region is tried, and says nothing about this one", async () => {
    world.package("a", key, `https://k-b.example${KEY_PATH}`);
    expect(await world.streaming("a")).toMatch(/^ok: .*decrypted/);
    expect(world.asked.at(-1)?.url).toBe(`https://k-b.example${KEY_PATH}`);
    world.keys.set("k-b.example", { status: 503, headers: {}, body: text("") });
    expect(await world.streaming("a")).toMatch(/^ok/);
    expect(await world.delivery("a")).toMatch(/no video is known/);
  });

  it("at a host that nobody knows is tried at the region's key delivery, which need not have it", async () => {
    world.package("a", key, `https://elsewhere.example${KEY_PATH}`);
    expect(await world.streaming("a")).toMatch(/^ok: .*decrypted/);
    expect(await world.delivery("a")).toMatch(/^ok/);
    world.keys.set("k-a.example", { status: 404, headers: {}, body: text("") });
    await world.streaming("a");
    expect(await world.delivery("a")).toMatch(/^ok/);
  });

  it("of a DASH presentation is tried as well", async () => {
    world = new World(["a"], { manifest: "/v/manifest.mpd" });
    world.files.set("a.example", packageVideo("/vod/v/", { encryption: { key, keyUri: GATEWAY_URI, iv: testKey("iv") } }));
    expect(await world.streaming("a")).toMatch(/^ok: dash .*decrypted with its key/);
    world.keys.set("k-a.example", wrong);
    await world.clock.advance(61_000);
    expect(await world.streaming("a")).toMatch(/does not decrypt/);
    expect(await world.delivery("a")).toMatch(/^key_mismatch/);
  });
});

describe("tokens and licences", () => {
  const refusal = { status: 401, headers: {}, body: text("") };

  it("a good token that is refused alerts and degrades, and drains nothing", async () => {
    const world = new World(["a"], { manifest: "/v/master.m3u8", key: KEY_PATH, keyAuthorization: "Bearer hidden" });
    expect(await world.streaming("a")).toMatch(/decrypted/);
    expect(world.asked.at(-1)?.headers).toEqual({ authorization: "Bearer hidden" });
    world.keys.set("k-a.example", refusal);
    const said = await world.delivery("a");
    expect(said).toMatch(/^ok unauthorized: /);
    expect(said).not.toContain("hidden");
    expect(world.alerts).toEqual(["unauthorized a keys"]);
    world.keys.set("k-a.example", { status: 500, headers: {}, body: text("") });
    expect(await world.delivery("a")).toMatch(/^status/);
  });

  it("a licence server has to answer, and not more", async () => {
    const world = new World(["a"], { key: "/Widevine/?kid=1", licence: true });
    for (const status of [200, 400, 401, 403, 405]) {
      world.keys.set("k-a.example", { status, headers: {}, body: text("whatever") });
      expect(await world.delivery("a")).toMatch(/^ok/);
    }
    world.keys.set("k-a.example", { status: 503, headers: {}, body: text("") });
    expect(await world.delivery("a")).toMatch(/^status: licence server/);
  });
});

describe("several canaries", () => {
  it("all have to be well; the one that is not is named", async () => {
    const region: ProbedRegion = {
      name: "a",
      streaming: "https://a.example/vod",
      keys: "https://k-a.example",
      canary: { manifest: "/v/master.m3u8", key: KEY_PATH },
      canaries: [{ manifest: "/w/manifest.mpd" }, { key: "/?kid=2" }],
    };
    const world = new World(["a"], undefined);
    for (const [path, file] of packageVideo("/vod/w/")) world.files.get("a.example")?.set(path, file);
    const run = async (probe: Probe): Promise<string> => {
      const { outcome, detail } = await look(probe, { clock: world.clock, timeoutMs: 1_000, signal: new AbortController().signal });
      return `${outcome.ok ? "ok" : outcome.reason}: ${detail}`;
    };
    const context = { ...world.context, regions: [region] };
    const streaming = streamingProbe(region, context);
    const delivery = keyProbe(region, region.keys ?? "", context);
    expect(await run(streaming)).toMatch(/^ok: canary \/v\/master.m3u8: .*canary \/w\/manifest.mpd: /);
    expect(await run(delivery)).toMatch(/^ok/);
    world.files.get("a.example")?.delete("/vod/w/v2/3.m4s");
    world.files.get("a.example")?.delete("/vod/w/v1/3.m4s");
    expect(await run(streaming)).toMatch(/^segment: canary \/w\/manifest.mpd: /);
    const ask = world.ask.bind(world);
    world.ask = async (question) => (question.url.endsWith("kid=2") ? { status: 404, headers: {}, body: text("") } : ask(question));
    expect(await run(delivery)).toMatch(/^not_found: canary \//);
  });

  it("of the catalogue bring their token along, and their verified key", async () => {
    const found: Canary = {
      locatorId: "x",
      manifestPath: "/v/master.m3u8",
      key: {
        id: "0a0a0a0a-0000-4000-8000-00000000000a",
        path: KEY_PATH,
        fingerprint: fingerprint(key),
        authorization: "Bearer t",
        tokenUnavailable: false,
      },
    };
    const world = new World(["a"], undefined, { canary: async () => found });
    expect(await world.streaming("a")).toMatch(/decrypted/);
    expect(world.asked.at(-1)?.headers).toEqual({ authorization: "Bearer t" });
    const before = world.asked.length;
    expect(await world.delivery("a")).toMatch(/verified key/);
    expect(world.asked.length).toBe(before + 1);
    world.package("a", wrong);
    expect(await world.streaming("a")).toMatch(/^segment: /);
  });
});
