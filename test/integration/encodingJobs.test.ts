/** Jobs of a sandbox region from submission to playback: real encoding where ffmpeg is, real storage, queue and webhook. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { QueueClient, QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { walkPlayback } from "../../src/core/playback.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import type { JsonObject } from "../../src/sandbox/contracts.ts";
import { findPrograms, type Programs } from "../../src/sandbox/encoding/programs.ts";
import { sandboxLayout } from "../../src/sandbox/layout.ts";
import { Places } from "../../src/sandbox/management/jobPlaces.ts";
import { startRegion, type SandboxRegion } from "../../src/sandbox/region.ts";
import { readSample } from "../../src/sandbox/sample.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { parseTrackIndex } from "../../src/sandbox/streaming/trackIndex.ts";
import { EventReceiver } from "../harness/eventReceiver.ts";
import { eventually } from "../harness/wait.ts";

const programs = findPrograms();
const HOW_TO_GET_FFMPEG = "no ffmpeg here: install it (apt-get install ffmpeg) or name it in FFMPEG";
const ADAPTIVE = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" };
const QUICK = { queuedMs: 10, scheduledMs: 10, processingMs: 100 };
const SECONDS = 6;

const stack = new AsyncDisposableStack();
let azurite: Azurite;
let folder: string;
let key: string;
let sourceUrl: string;
let regions: readonly SandboxRegion[];
let served: Buffer = Buffer.from("not a video at all");

beforeAll(async () => {
  folder = stack.adopt(await mkdtemp(join(tmpdir(), "paircast-encoding-")), async (path) => rm(path, { recursive: true, force: true }));
  const layout = sandboxLayout("0").regions;
  key = Buffer.alloc(64, 7).toString("base64");
  const accounts = layout.map(({ storageAccount }) => ({ name: storageAccount, key }));
  azurite = stack.use(await Azurite.start({ accounts, port: 0, allServices: true, clock, log }));
  regions = [await region(0, programs), await region(1, null)];
  const server = createServer((req, res) => {
    if (req.url?.startsWith("/film.mp4?") === true) res.end(served);
    else res.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  sourceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (programs !== null) served = await film(programs, SECONDS, "320x240");
});
afterEach(() => {
  for (const { encoding } of regions) {
    encoding.behaviour.reset();
    encoding.behaviour.change(QUICK);
  }
});
afterAll(async () => stack.disposeAsync());

async function region(at: number, encoders: Programs | null): Promise<SandboxRegion> {
  const layout = sandboxLayout("0").regions[at];
  if (layout === undefined) throw new Error(`there is no region ${at}`);
  const fronts = new StorageFronts(azurite.url);
  const shared = { subscriptionId: random.uuid(), resourceGroup: "rg", apiKey: "the-key", authority: null, sample: await readSample() };
  const started = stack.use(
    await startRegion({
      layout,
      accountKey: key,
      fronts,
      programs: encoders,
      encoders: new Places(() => 1),
      folder,
      clock,
      random,
      log,
      ...shared,
    }),
  );
  started.encoding.behaviour.change(QUICK);
  await started.arm.put("transforms/adaptive", { outputs: [{ preset: ADAPTIVE }] });
  return started;
}

const real = (): SandboxRegion => regions[0] as SandboxRegion;
const prepared = (): SandboxRegion => regions[1] as SandboxRegion;

/** A moving picture with sound. */
async function film({ ffmpeg }: Programs, seconds: number, size: string): Promise<Buffer> {
  const path = join(folder, `source-${seconds}.mp4`);
  const inputs = ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=30000/1001`, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
  const codecs = ["-t", String(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
  execFileSync(ffmpeg, ["-v", "error", "-y", ...inputs, ...codecs, path]);
  return readFile(path);
}

const http = (path: string): JsonObject => ({ "@odata.type": "#Microsoft.Media.JobInputHttp", baseUri: sourceUrl, files: [path] });

async function submit({ arm }: SandboxRegion, name: string, input: JsonObject, transform = "adaptive"): Promise<string> {
  await arm.put(`assets/${name}-out`, { container: `${name}-out` });
  const outputs = [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName: `${name}-out` }];
  await arm.put(`transforms/${transform}/jobs/${name}`, { input, outputs, correlationData: { test: name } });
  return `transforms/${transform}/jobs/${name}`;
}

interface Job {
  readonly state: string;
  readonly outputs: readonly { readonly state: string; readonly progress: number; readonly error?: JsonObject }[];
}

async function reached({ arm }: SandboxRegion, path: string, ...states: readonly string[]): Promise<Job> {
  const asked = eventually(40_000, `${path} to be ${states.join(" or ")}`, async () => {
    const job = (await arm.get(path))?.["properties"] as Job | undefined;
    return job !== undefined && states.includes(job.state) ? job : null;
  });
  return (await asked).value;
}

const final = async (of: SandboxRegion, path: string): Promise<Job> => reached(of, path, "Finished", "Canceled", "Error");

/** Every rendition of an asset, in both protocols, through the region's streaming endpoint. */
async function played({ arm, urls }: SandboxRegion, assetName: string): Promise<{ variants: number; durationMs: number }[]> {
  await arm.put(`streamingLocators/${assetName}`, { assetName, streamingPolicyName: "Predefined_ClearStreamingOnly" });
  const paths = await arm.post(`streamingLocators/${assetName}/listPaths`, {});
  const listed = paths["streamingPaths"] as readonly { readonly streamingProtocol: string; readonly paths: readonly string[] }[];
  await using client = new RegionHttpClient({ origins: [{ url: urls.streaming, ca: null }] });
  const walks: { variants: number; durationMs: number }[] = [];
  for (const {
    paths: [path = ""],
  } of listed.filter(({ streamingProtocol }) => ["Hls", "Dash"].includes(streamingProtocol))) {
    const options = { http: client, manifestUrl: `${urls.streaming}${path}`, timeoutMs: 10_000, whole: true };
    const { variants } = await walkPlayback(options);
    for (let variant = 0; variant < variants.length; variant += 1) {
      const { durationMs } = await walkPlayback({ ...options, variant, segment: "last" });
      walks.push({ variants: variants.length, durationMs });
    }
  }
  return walks;
}

/** Seconds of the fragments of every video rendition. */
async function fragments({ arm }: SandboxRegion, assetName: string): Promise<number[][]> {
  const expiryTime = new Date(clock.now() + 600_000).toISOString();
  const answer = await arm.post(`assets/${assetName}/listContainerSas`, { permissions: "ReadWrite", expiryTime });
  const [url = ""] = answer["assetContainerSasUrls"] as readonly string[];
  const container = new ContainerClient(url);
  const all: number[][] = [];
  for await (const { name } of container.listBlobsFlat()) {
    if (!name.endsWith(".mp4") || name.includes("_audio_")) continue;
    const index = parseTrackIndex(new Uint8Array(await container.getBlobClient(name).downloadToBuffer()), name);
    all.push((index?.fragments ?? []).map(({ duration }) => Math.round((duration * 10_000) / (index?.timescale ?? 1)) / 10_000));
  }
  return all;
}

async function leftovers(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("encode-"));
}

describe.skipIf(programs === null)(programs === null ? HOW_TO_GET_FFMPEG : "with ffmpeg", () => {
  it("a job over HTTP becomes an adaptive set that plays as HLS and DASH, and tells a webhook so", async () => {
    await using receiver = await EventReceiver.start();
    const { encoding } = real();
    const destination = { kind: "webhook", url: receiver.url, headers: { "x-secret": "of the test" } } as const;
    await encoding.events.subscribe({ name: "test", destination, eventTypes: [] });
    const path = await submit(real(), "over-http", http("/film.mp4?sig=secret"));
    expect(JSON.stringify(await real().arm.get(path))).not.toContain("secret");
    const job = await final(real(), path);
    expect(job).toMatchObject({ state: "Finished", outputs: [{ state: "Finished", progress: 100 }] });
    const walks = await played(real(), "over-http-out");
    // 240 and 144 lines and the sound, in each protocol.
    expect(walks.map(({ variants }) => variants)).toEqual([3, 3, 3, 3, 3, 3]);
    for (const { durationMs } of walks) expect(Math.abs(durationMs - SECONDS * 1000)).toBeLessThan(200);
    expect(await fragments(real(), "over-http-out")).toEqual([
      [2.002, 2.002, 2.002],
      [2.002, 2.002, 2.002],
    ]);
    await eventually(5000, "the event of the finished job", async () =>
      Promise.resolve(receiver.events.find(({ eventType }) => eventType === "Microsoft.Media.JobFinished") ?? null),
    );
    expect(receiver.headers).toMatchObject({ "x-secret": "of the test", "aeg-event-type": "Notification" });
    expect(new Set(receiver.events.map(({ eventType }) => eventType.slice("Microsoft.Media.".length)))).toEqual(
      new Set(
        ["StateChange", "Scheduled", "Processing", "Finished"]
          .flatMap((each) => [`Job${each}`, `JobOutput${each}`])
          .concat("JobOutputProgress"),
      ),
    );
    expect(await leftovers()).toEqual([]);
    encoding.events.unsubscribe("test");
  });

  it("a clip of an asset becomes what a custom preset asks for, and tells a queue so", async () => {
    const { arm, urls, encoding } = real();
    const { storageAccount } = sandboxLayout("0").regions[0] ?? { storageAccount: "" };
    const service = new QueueServiceClient(`${azurite.queues}/${storageAccount}`, new StorageSharedKeyCredential(storageAccount, key));
    await service.createQueue("job-events");
    const sas = service.getQueueClient("job-events").generateSasUrl({
      expiresOn: new Date(clock.now() + 600_000),
      permissions: { toString: () => "a" } as never,
    });
    await encoding.events.subscribe({
      name: "queue",
      destination: { kind: "queue", url: sas },
      eventTypes: ["Microsoft.Media.JobFinished"],
    });
    const h264 = { "@odata.type": "#Microsoft.Media.H264Video", keyFrameInterval: "PT1S", layers: [{ bitrate: 300_000, height: "50%" }] };
    const codecs = [h264, { "@odata.type": "#Microsoft.Media.AacAudio", bitrate: 64_000, channels: 1 }];
    const preset = {
      "@odata.type": "#Microsoft.Media.StandardEncoderPreset",
      codecs,
      formats: [{ "@odata.type": "#Microsoft.Media.Mp4Format" }],
    };
    await arm.put("transforms/custom", { outputs: [{ preset }] });
    await arm.put("assets/uploaded", { container: "uploaded" });
    const answer = await arm.post("assets/uploaded/listContainerSas", {
      permissions: "ReadWrite",
      expiryTime: new Date(clock.now() + 600_000).toISOString(),
    });
    const [container = ""] = answer["assetContainerSasUrls"] as readonly string[];
    await new ContainerClient(container).getBlockBlobClient("My film (1).mp4").uploadData(served);
    const end = { "@odata.type": "#Microsoft.Media.AbsoluteClipTime", time: "PT4S" };
    const start = { "@odata.type": "#Microsoft.Media.AbsoluteClipTime", time: "PT1S" };
    const input = { "@odata.type": "#Microsoft.Media.JobInputAsset", assetName: "uploaded", start, end };
    const path = await submit(real(), "of-asset", input, "custom");
    expect(await final(real(), path)).toMatchObject({ state: "Finished" });
    const walks = await played(real(), "of-asset-out");
    expect(walks).toHaveLength(4);
    for (const { durationMs } of walks) expect(Math.abs(durationMs - 3000)).toBeLessThan(150);
    const queue = new QueueClient(`${azurite.queues}/${storageAccount}/job-events`, new StorageSharedKeyCredential(storageAccount, key));
    const { value: text } = await eventually(
      5000,
      "a message in the queue",
      async () => (await queue.receiveMessages()).receivedMessageItems[0]?.messageText ?? null,
    );
    expect(JSON.parse(Buffer.from(text, "base64").toString("utf8"))).toMatchObject({
      eventType: "Microsoft.Media.JobFinished",
      subject: "transforms/custom/jobs/of-asset",
      data: { state: "Finished", correlationData: { test: "of-asset" } },
    });
    encoding.events.unsubscribe("queue");
    expect(urls.streaming).not.toBe("");
  });

  it.each([
    ["/film.mp4?text", "not a video at all", { code: "ContentUnsupported", category: "Content", retry: "DoNotRetry" }],
    ["/film.mp4?empty", "", { code: "ContentMalformed", category: "Content", retry: "DoNotRetry" }],
    ["/none.mp4?sig=secret", "", { code: "DownloadNotAccessible", category: "Download", retry: "DoNotRetry" }],
  ])("a job whose input is %s fails by its own fault", async (file, content, error) => {
    const film = served;
    served = Buffer.from(content);
    try {
      const job = await final(real(), await submit(real(), `broken-${error.code.toLowerCase()}`, http(file)));
      expect(job).toMatchObject({ state: "Error", outputs: [{ state: "Error", error }] });
      expect(JSON.stringify(job)).not.toContain("secret");
    } finally {
      served = film;
    }
  });

  it("a canceled job's encoder is gone, and leaves nothing", async () => {
    const short = served;
    if (programs !== null) served = await film(programs, 20, "1280x720");
    try {
      const path = await submit(real(), "canceled", http("/film.mp4?long"));
      await eventually(20_000, "the encoder to write", async () => {
        const [made] = await leftovers();
        if (made === undefined) return null;
        return (await readdir(join(folder, made))).some((name) => name.endsWith(".mp4")) ? true : null;
      });
      await real()
        .arm.post(`${path}/cancelJob`, {})
        .catch((error: unknown) => {
          // The answer has no body.
          if (!(error instanceof SyntaxError)) throw error;
        });
      expect(await final(real(), path)).toMatchObject({ state: "Canceled", outputs: [{ state: "Canceled" }] });
      expect(await leftovers()).toEqual([]);
    } finally {
      served = short;
    }
  });
});

describe("without ffmpeg", () => {
  it("a job's output is the sample, which plays", async () => {
    const path = await submit(prepared(), "sample", http("/film.mp4?any"));
    expect(await final(prepared(), path)).toMatchObject({ state: "Finished" });
    expect((await played(prepared(), "sample-out")).length).toBe(8);
  });

  it("an input that is not there fails the job all the same", async () => {
    const job = await final(prepared(), await submit(prepared(), "absent", http("/none.mp4")));
    expect(job).toMatchObject({ state: "Error", outputs: [{ error: { code: "DownloadNotAccessible" } }] });
  });
});
