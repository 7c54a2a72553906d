/** A pair of live events in two regions: one URL and one key, whichever region is on air, and commands that complete what they began. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { ArmClient } from "../../src/sandbox/arm.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { SANDBOX_SERVICES, type SandboxService } from "../../src/sandbox/contracts.ts";
import { sandboxLayout } from "../../src/sandbox/layout.ts";
import { Places } from "../../src/sandbox/management/jobPlaces.ts";
import { Publisher, type PublishedVideo } from "../../src/sandbox/publish.ts";
import { startRegion, type SandboxRegion } from "../../src/sandbox/region.ts";
import { readSample } from "../../src/sandbox/sample.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually, within } from "../harness/wait.ts";

interface Report {
  readonly locatorId: string;
  readonly playback: { readonly hls: string; readonly dash: string };
  readonly serves?: string | null;
  readonly onAir?: Readonly<Record<string, { readonly onAir: boolean; readonly detail: string }>>;
  readonly regions: readonly {
    readonly region: string;
    readonly state: string | null;
    readonly changed: readonly string[];
    readonly error: { readonly code: string; readonly message: string } | null;
    readonly ingest?: readonly { readonly url: string }[];
  }[];
}

interface Catalogue {
  readonly entries: readonly { readonly liveEvent?: string; readonly regions: Readonly<Record<string, { readonly state: string }>> }[];
}

const root = new URL("../../", import.meta.url);
const TOKEN = "0f3c1b52-6f0e-4d3c-9d57-0d8f6a1f2b3c";
const [WEST, NORTH] = ["westeurope", "northeurope"] as const;

const stack = new AsyncDisposableStack();
let folder: ServeFolder;
let serve: ServeProcess;
let video: PublishedVideo;
const regions = new Map<string, SandboxRegion>();

beforeAll(async () => {
  folder = stack.use(await ServeFolder.create());
  await startRegions();
  serve = stack.use(await ServeProcess.start(folder));
  const publisher = new Publisher({
    regions: new Map([...regions].map(([name, region]) => [name, region.arm])),
    keysUrl: `${serve.gateway}/keys`,
    sample: await readSample(),
    signingKey: randomBytes(40),
    clock,
  });
  await publisher.upload(WEST, "recorded");
  // With it come the policies that the live event is published under.
  video = await publisher.publish(WEST, "recorded", "gateway-keys", "recorded");
}, 120_000);
afterAll(async () => {
  await stack.disposeAsync();
});

/** Two regions as `paircast sandbox` has them, and a configuration for them. */
async function startRegions(): Promise<void> {
  const layout = sandboxLayout("0");
  const accounts = layout.regions.map(({ storageAccount: name }) => ({ name, key: randomBytes(64).toString("base64") }));
  const azurite = stack.use(await Azurite.start({ accounts, port: 0, clock, log: silentLog }));
  const [subscriptionId, apiKey, resourceGroup] = [random.uuid(), random.uuid(), "live"];
  const identity = { subscriptionId, apiKey, resourceGroup };
  const shared = {
    fronts: new StorageFronts(azurite.url),
    sample: await readSample(),
    programs: null,
    encoders: new Places(() => 1),
    // Longer ones are waited for just the same: the conformance suite of live accounts has them.
    switches: { operationMs: 100 },
  };
  const surroundings = { folder: folder.path, authority: null, clock, random, log: silentLog };
  for (const [at, region] of layout.regions.entries()) {
    const accountKey = accounts[at]?.key ?? "";
    regions.set(region.name, stack.use(await startRegion({ ...identity, ...shared, ...surroundings, layout: region, accountKey })));
  }
  const configured = [...regions.values()].map(({ name, urls, mediaAccount: accountName }) => {
    const account = { driver: "ams", endpoint: urls.management, subscriptionId, resourceGroup, accountName };
    return { name, streaming: urls.streaming, keys: urls.keys, account: { ...account, credential: { kind: "api-key", apiKey } } };
  });
  const listen = { listen: "127.0.0.1:0" };
  // Time-outs that a busy machine keeps: what is lost here refuses its connections.
  const health = { interval: "500ms", fastInterval: "300ms", timeout: "5s", fall: 3, rise: 2, ramp: "0s", damping: { base: "0s" } };
  const state = { path: join(folder.path, "paircast.db") };
  await folder.write(stringify({ regions: configured, gateway: listen, admin: listen, health, replication: { interval: "2s" }, state }));
}

function region(name: string): SandboxRegion {
  const found = regions.get(name);
  if (found === undefined) throw new Error(`no region ${name}`);
  return found;
}

async function lose(name: string, services: readonly SandboxService[] = SANDBOX_SERVICES): Promise<void> {
  for (const service of services) await region(name).servers[service].set({ kind: "refuse", status: 503, delayMs: 0 });
}

async function mend(name: string): Promise<void> {
  for (const service of SANDBOX_SERVICES) await region(name).servers[service].clear();
}

async function live(...args: string[]): Promise<{ readonly code: number; readonly report: Report; readonly err: string }> {
  const child = spawn(process.execPath, ["src/main.ts", "live", ...args, "--config", folder.config, "--json"], { cwd: root });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (part: Buffer) => out.push(part));
  child.stderr.on("data", (part: Buffer) => err.push(part));
  const [code] = await within(90_000, `paircast live ${args.join(" ")}`, once(child, "close"));
  const text = Buffer.concat(out).toString();
  const report = (text === "" ? null : JSON.parse(text)) as Report;
  return { code: Number(code), report, err: Buffer.concat(err).toString() };
}

const status = async (name: string) => live("status", name, "--admin", serve.admin);

const arm = (name: string): ArmClient => region(name).arm;

/** Where the gateway sends a player to. */
async function sentTo(path: string): Promise<string | null> {
  const answer = await request(`${serve.gateway}${path}`);
  await answer.body.dump();
  const location = answer.headers["location"];
  return [...regions.values()].find(({ urls }) => typeof location === "string" && location.startsWith(urls.streaming))?.name ?? null;
}

async function metric(series: string): Promise<number> {
  const line = (await text(`${serve.admin}/metrics`)).split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

async function text(url: string): Promise<string> {
  const answer = await request(url);
  const body = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${body}`);
  return body;
}

/** The media playlist of the first variant, from the region to which the gateway sends; its media sequence and the key that it names. */
async function playlist(path: string): Promise<{ readonly sequence: number; readonly key: string }> {
  const url = `${region((await sentTo(path)) ?? "nowhere").urls.streaming}${path}`;
  const variant = (await text(url)).split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "";
  const media = await text(new URL(variant, url).href);
  return { sequence: Number(/MEDIA-SEQUENCE:(\d+)/.exec(media)?.[1]), key: /URI="[^"]*kid=([^"]+)"/.exec(media)?.[1] ?? "" };
}

async function keysIn(region: string, locator: string): Promise<unknown> {
  return (await arm(region).post(`streamingLocators/${locator}/listContentKeys`, {}))["contentKeys"];
}

/** As an operator does at a portal. */
async function stopAlone(name: string, event: string): Promise<void> {
  await arm(name).post(`liveEvents/${event}/stop`, { removeOutputsOnStop: false });
}

/** What `live status` says; the catalogue is asked first, which costs no process. */
async function onAir(name: string, wanted: readonly string[]): Promise<Report> {
  const { value } = await eventually(60_000, `${name} to be on air in ${wanted.join(" and ")}`, async () => {
    const { entries } = JSON.parse(await text(`${serve.admin}/api/catalogue`)) as Catalogue;
    const copies = Object.entries(entries.find(({ liveEvent }) => liveEvent === name)?.regions ?? {});
    if (
      !isSame(
        named(copies, ({ state }) => state === "verified"),
        wanted,
      )
    )
      return null;
    const { report } = await status(name);
    return isSame(
      named(Object.entries(report.onAir ?? {}), (air) => air.onAir),
      wanted,
    )
      ? report
      : null;
  });
  return value;
}

function named<T>(copies: readonly (readonly [region: string, copy: T])[], has: (copy: T) => boolean): readonly string[] {
  return copies.flatMap(([region, copy]) => (has(copy) ? [region] : []));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.toSorted().join() === other.toSorted().join();
}

describe("a pair of live events", () => {
  it("plays under one URL with one key, also when a region is lost and when only its event is", { timeout: 300_000 }, async () => {
    const policy = ["--streaming-policy", "sandbox-gateway-keys", "--key-policy", "sandbox-token"];
    const create = ["create", "Show", ...policy, "--dvr", "PT1H", "--access-token", TOKEN, "--start"];
    const made = await live(...create);
    expect(made.err).toBe("");
    expect(made.code).toBe(0);
    expect(made.report.regions.map(({ region, state, error }) => [region, state, error])).toEqual([
      [WEST, "running", null],
      [NORTH, "running", null],
    ]);
    for (const { ingest = [] } of made.report.regions)
      expect(ingest.map(({ url }) => url)).toContainEqual(expect.stringContaining(TOKEN.replaceAll("-", "")));
    expect(made.report.playback.hls).toBe(`/${made.report.locatorId}/Show.ism/manifest(format=m3u8-cmaf,encryption=cbc)`);

    const keys = await keysIn(WEST, "paircast-live-Show");
    expect(keys).toMatchObject([{ type: "EnvelopeEncryption", value: expect.stringMatching(/^.{22}==$/) }]);
    expect(await keysIn(NORTH, "paircast-live-Show")).toEqual(keys);
    const { streamingPaths } = await arm(NORTH).post("streamingLocators/paircast-live-Show/listPaths", {});
    expect(streamingPaths).toMatchObject([{ paths: [made.report.playback.hls] }, { paths: [made.report.playback.dash] }]);

    const { hls } = made.report.playback;
    expect((await onAir("Show", [WEST, NORTH])).serves).toBe(WEST);
    expect(await metric('paircast_live_events{state="several_regions"}')).toBe(1);
    expect(await sentTo(hls)).toBe(WEST);
    const first = await playlist(hls);
    const { value: later } = await eventually(20_000, "the playlist to go on", async () => {
      const now = await playlist(hls);
      return now.sequence > first.sequence ? now : null;
    });
    expect(later.key).toBe(first.key);

    const again = await live(...create);
    expect([again.code, again.report.locatorId]).toEqual([0, made.report.locatorId]);
    expect(again.report.regions.map(({ changed }) => changed)).toEqual([[], []]);

    await lose(WEST);
    await eventually(60_000, "the gateway to send to the other region", async () => ((await sentTo(hls)) === NORTH ? true : null));
    const other = await playlist(hls);
    expect(other.key).toBe(first.key);
    expect(other.sequence).toBeGreaterThanOrEqual(later.sequence);
    const during = await status("Show");
    expect([during.code, during.report.serves]).toEqual([1, NORTH]);
    expect(during.report.regions[0]?.error?.code).toBe("account_unreachable");
    await mend(WEST);
    await eventually(60_000, "the gateway to send to the first region again", async () => ((await sentTo(hls)) === WEST ? true : null));

    // Its encoder or its event alone: whatever else the region has plays from there.
    await stopAlone(WEST, "Show");
    await eventually(60_000, "the gateway to send to where it is on air", async () => ((await sentTo(hls)) === NORTH ? true : null));
    expect(await sentTo(video.hls)).toBe(WEST);
    expect(await metric('paircast_live_events{state="one_region"}')).toBe(1);
    expect(await metric(`paircast_live_copies{origin="${WEST}",state="off_air"}`)).toBe(1);
    await live("start", "Show");
    await onAir("Show", [WEST, NORTH]);
    expect(await sentTo(hls)).toBe(WEST);

    const running = await live("delete", "Show");
    expect([running.code, running.err]).toEqual([2, expect.stringContaining("runs in westeurope and northeurope: stop it first")]);
    const stopped = await live("stop", "Show");
    expect([stopped.code, stopped.report.regions.map(({ state }) => state)]).toEqual([0, ["stopped", "stopped"]]);
    await onAir("Show", []);
    expect((await live("delete", "Show")).code).toBe(0);
    for (const region of [WEST, NORTH]) {
      for (const path of ["liveEvents/Show", "streamingLocators/paircast-live-Show", "assets/paircast-live-Show"])
        expect(await arm(region).get(path)).toBeNull();
    }
    const gone = await live("status", "Show");
    expect([gone.code, gone.err]).toEqual([2, expect.stringContaining("there is no live event Show")]);
    // Nothing of it was taken for a video to replicate.
    const { body } = await request(`${serve.admin}/api/status`);
    expect(JSON.stringify(await body.json())).not.toContain("paircast-live-Show");
    const log = serve.text.split("\n");
    expect(log.filter((line) => line.includes("paircast-live-Show") && !line.includes('"live.o'))).toEqual([]);
    for (const form of [TOKEN, TOKEN.replaceAll("-", "")]) expect(log.join("\n")).not.toContain(form);
  });

  it("is completed by the same command where a region could not be reached", { timeout: 240_000 }, async () => {
    await lose(NORTH, ["management"]);
    const half = await live("create", "Half");
    expect(half.code).toBe(1);
    expect(half.report.regions.map(({ region, state, error }) => [region, state, error?.code ?? null])).toEqual([
      [WEST, "stopped", null],
      [NORTH, null, "account_unreachable"],
    ]);
    await mend(NORTH);
    const whole = await live("create", "Half");
    expect([whole.code, whole.report.locatorId]).toEqual([0, half.report.locatorId]);
    expect(whole.report.regions.map(({ changed }) => changed.length)).toEqual([0, 4]);
    const other = await live("create", "Half", "--protocol", "fmp4");
    expect(other.code).toBe(1);
    expect(other.report.regions[0]?.error).toMatchObject({ code: "live_differs", message: expect.stringContaining("protocol rtmp") });

    await lose(WEST, ["management"]);
    expect((await live("delete", "Half")).code).toBe(1);
    await mend(WEST);
    expect((await live("delete", "Half")).code).toBe(0);
    for (const region of [WEST, NORTH]) expect(await arm(region).get("assets/paircast-live-Half")).toBeNull();
    expect((await live("list")).report).toEqual({ pairs: [], failures: [] });
  });
});
