/** Tracks, filters, key URLs and recreated locators between two real regions, by the command. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StreamingLocator } from "../../src/core/media.ts";
import type { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { CommandLab, printed } from "../harness/commandLab.ts";
import type { PublishedVideo } from "../../src/sandbox/publish.ts";

interface Summary {
  readonly results: readonly {
    readonly target: string;
    readonly result: string;
    readonly error: { readonly message: string } | null;
    readonly counts: { readonly written: readonly string[]; readonly notes: readonly string[] };
  }[];
}

const KEYS = "https://keys.we.example";
const GATEWAY = "https://play.example/keys";
let lab: CommandLab;
let config: string;
let west: AzureMediaAccount;
let north: AzureMediaAccount;
let video: PublishedVideo;

beforeAll(async () => {
  lab = await CommandLab.start();
  config = lab.configure("entities", { replication: { ...lab.settings.replication, keyUrls: [{ from: KEYS, to: GATEWAY }] } });
  [west, north] = [lab.media("westeurope"), lab.media("northeurope")];
  video = await lab.publish();
  expect((await replicate()).code).toBe(0);
});

afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

async function replicate(
  ...options: string[]
): Promise<{ readonly code: number | null; readonly toNorth: Summary["results"][number] | undefined }> {
  const { code, json } = await printed<Summary>(["replicate", "--config", config, "--asset", video.name, ...options]);
  return { code, toNorth: json.results.find(({ target }) => target === "northeurope") };
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
