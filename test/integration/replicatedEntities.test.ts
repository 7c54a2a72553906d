/** Tracks, filters, key URLs and recreated locators between two real regions, by the command. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { systemClock } from "../../src/core/clock.ts";
import type { StreamingLocator } from "../../src/core/media.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { within } from "../harness/wait.ts";

interface Settings {
  readonly regions: readonly {
    readonly name: string;
    readonly account: {
      readonly endpoint: string;
      readonly subscriptionId: string;
      readonly resourceGroup: string;
      readonly accountName: string;
      readonly credential: { readonly apiKey: string };
    };
  }[];
  readonly replication: object;
  readonly state: object;
}

interface Summary {
  readonly results: readonly {
    readonly target: string;
    readonly result: string;
    readonly error: { readonly message: string } | null;
    readonly counts: { readonly written: readonly string[]; readonly notes: readonly string[] };
  }[];
}

const root = new URL("../../", import.meta.url);
const KEYS = "https://keys.we.example";
const GATEWAY = "https://play.example/keys";
let sandbox: SandboxProcess;
let folder: string;
let config: string;
let west: AzureMediaAccount;
let north: AzureMediaAccount;
let video: SandboxVideo;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-entities-"));
  sandbox = await SandboxProcess.start();
  const settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  config = join(folder, "paircast.yaml");
  const replication = { ...settings.replication, keyUrls: [{ from: KEYS, to: GATEWAY }] };
  writeFileSync(config, stringify({ ...settings, replication, state: { path: join(folder, "paircast.db") } }));
  [west, north] = [account(settings, "westeurope"), account(settings, "northeurope")];
  video = (await sandbox.control("POST", "/videos", { region: "westeurope", protection: "clear" })) as SandboxVideo;
  expect((await replicate()).code).toBe(0);
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function account({ regions }: Settings, name: string): AzureMediaAccount {
  const found = regions.find((region) => region.name === name);
  if (found === undefined) throw new Error(`no region ${name}`);
  const { endpoint, subscriptionId, resourceGroup, accountName, credential } = found.account;
  const token = createCredential({ kind: "api-key", apiKey: credential.apiKey }, { endpoint, subscriptionId, clock: systemClock });
  return new AzureMediaAccount({
    region: name,
    endpoint,
    subscriptionId,
    resourceGroup,
    accountName,
    credential: token,
    clock: systemClock,
  });
}

async function replicate(
  ...options: string[]
): Promise<{ readonly code: number; readonly toNorth: Summary["results"][number] | undefined }> {
  const arguments_ = ["src/main.ts", "replicate", "--config", config, "--json", "--asset", video.name, ...options];
  const child = spawn(process.execPath, arguments_, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  const out: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  const [code] = await within(45_000, `paircast ${arguments_.join(" ")}`, once(child, "close"));
  const { results } = JSON.parse(Buffer.concat(out).toString()) as Summary;
  return { code: Number(code), toNorth: results.find(({ target }) => target === "northeurope") };
}

async function locatorOf(where: AzureMediaAccount): Promise<StreamingLocator> {
  const [summary] = await where.assetLocators(video.name);
  const locator = summary === undefined ? null : await where.locator(summary.name);
  if (locator === null) throw new Error(`${video.name} is not published in ${where.region}`);
  return locator;
}

it("carries a track and a filter that came later, their changes, and then nothing", async () => {
  const asset = await west.asset(video.name);
  if (asset === null) throw new Error("the video is not there");
  const options = { contentType: "application/ttml+xml", condition: "absent" } as const;
  await west.container(asset, "write").write("subtitles.ttml", new TextEncoder().encode("<tt/>"), options);
  const track = {
    name: "subtitles",
    properties: {
      odataType: "#Microsoft.Media.TextTrack",
      fileName: "subtitles.ttml",
      displayName: "English",
      playerVisibility: "Visible",
    },
  };
  await west.putTrack(video.name, track);
  await west.putAccountFilter({ name: "by-url", properties: { firstQuality: { bitrate: 300_000 } } });
  const first = await replicate();
  expect(first.toNorth).toMatchObject({ result: "changed", error: null });
  expect(first.toNorth?.counts.written).toEqual([`track subtitles of asset ${video.name}`, "account filter by-url"]);
  expect((await Array.fromAsync(north.tracks(video.name))).find(({ name }) => name === "subtitles")).toEqual(track);
  await west.putTrack(video.name, { ...track, properties: { ...track.properties, displayName: "British English" } });
  await west.putAccountFilter({ name: "by-url", properties: { firstQuality: { bitrate: 400_000 } } });
  await replicate();
  expect((await north.accountFilter("by-url"))?.properties).toMatchObject({ firstQuality: { bitrate: 400_000 } });
  const tracks = await Array.fromAsync(north.tracks(video.name));
  expect(tracks.find(({ name }) => name === "subtitles")?.properties).toMatchObject({ displayName: "British English" });
  expect((await replicate()).toNorth?.result).toBe("unchanged");
});

it("refuses a locator that differs, and makes it anew when it is told to", async () => {
  const original = await locatorOf(west);
  await north.deleteLocator(original.name);
  await north.createLocator({ ...original, endTime: Date.UTC(2040, 0, 1) });
  const refused = await replicate();
  expect(refused).toMatchObject({ code: 1, toNorth: { result: "conflict" } });
  expect(refused.toNorth?.error?.message).toContain("--recreate");
  const { code, toNorth } = await replicate("--recreate");
  expect({ code, toNorth }).toMatchObject({ code: 0, toNorth: { result: "changed", error: null } });
  expect({ ...(await locatorOf(north)), created: 0 }).toEqual({ ...original, created: 0 });
  expect((await replicate()).toNorth?.result).toBe("unchanged");
});

it("leads custom key URLs to the gateway", async () => {
  const protocols = { download: false, dash: true, hls: true, smoothStreaming: false };
  const drm = { widevine: { customLicenseAcquisitionUrlTemplate: `${KEYS}/widevine?kid={ContentKeyId}` } };
  const cenc = { enabledProtocols: protocols, contentKeys: { defaultKey: { label: "cenc" } }, drm };
  await west.putContentKeyPolicy({
    name: "widevine",
    properties: {
      options: [
        {
          configuration: { odataType: "#Microsoft.Media.ContentKeyPolicyWidevineConfiguration", widevineTemplate: "{}" },
          restriction: { odataType: "#Microsoft.Media.ContentKeyPolicyOpenRestriction" },
        },
      ],
    },
  });
  await west.createStreamingPolicy({ name: "led", properties: { commonEncryptionCenc: cenc } });
  const clear = await locatorOf(west);
  await west.createLocator({
    ...clear,
    name: `${clear.name}-drm`,
    streamingLocatorId: "0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3afff",
    streamingPolicyName: "led",
    defaultContentKeyPolicyName: "widevine",
    contentKeys: [],
  });
  await replicate();
  const properties = (await north.streamingPolicy("led"))?.properties;
  expect(JSON.stringify(properties)).toContain(`"customLicenseAcquisitionUrlTemplate":"${GATEWAY}/widevine?kid={ContentKeyId}"`);
  expect((await north.locator(`${clear.name}-drm`))?.contentKeys).toEqual((await west.locator(`${clear.name}-drm`))?.contentKeys);
});
