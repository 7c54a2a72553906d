/** Two regions, the gateway in front of them, and a published sample video. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { composeFoundations, type Foundations } from "../compose/foundations.ts";
import { composeServe, type Serving } from "../compose/serve.ts";
import { systemClock as clock, systemRandom as random } from "../core/clock.ts";
import { loadConfig } from "../core/config/load.ts";
import { errorChain, PaircastError } from "../core/errors.ts";
import { createLog, type Log } from "../core/log.ts";
import { Azurite } from "./azurite.ts";
import { createAuthority } from "./certificates.ts";
import { controlApp, type PublishRequest } from "./control.ts";
import { findPrograms } from "./encoding/programs.ts";
import { FaultServer } from "./faultServer.ts";
import { homeHost, type SandboxLayout } from "./layout.ts";
import { Places } from "./management/jobPlaces.ts";
import { Publisher, type PublishedVideo } from "./publish.ts";
import { startRegion, type SandboxRegion } from "./region.ts";
import { readSample, type SampleFile } from "./sample.ts";
import { sandboxSettings } from "./settings.ts";
import { StorageFronts } from "./storage/storageFronts.ts";

export interface SandboxOptions {
  readonly layout: SandboxLayout;
  readonly tls: boolean;
  /** After how long steered players ask again while all is well: `5s`. */
  readonly steeringTtl: string;
  /** What makes the outputs of jobs: ffmpeg, copies of the sample, or ffmpeg where it is. */
  readonly encoder: "auto" | "ffmpeg" | "sample";
  readonly version: string;
  readonly stop: AbortSignal;
  /** Hears what is under way. */
  readonly progress: (text: string) => void;
}

const RESOURCE_GROUP = "sandbox";
const SAMPLE = "paircast-sample";
/** It takes two seconds; nearly 30 on a machine with ten times as much to do as it can. */
const VERIFIED_WITHIN_MS = 120_000;

/** Dispose it to stop everything that was started. */
export interface Sandbox extends AsyncDisposable {
  readonly regions: readonly SandboxRegion[];
  readonly serving: Serving;
  readonly controlUrl: string;
  readonly videos: readonly PublishedVideo[];
  /** The configuration file of the gateway, for other commands. */
  readonly configFile: string;
}

/** Resolves when the sample plays from every region. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { layout, version, stop, steeringTtl } = options;
  const progress = (text: string): void => {
    stop.throwIfAborted();
    options.progress(text);
  };
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), "paircast-sandbox-")), async (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const log = createLog("warn");
  progress("starting blob storage, media accounts, streaming endpoints and key delivery of two regions");
  const started = await startRegions(options, log, folder, stack);
  const { regions } = started;
  const configFile = join(folder, "paircast.yaml");
  const statePath = join(folder, "paircast.db");
  const eventsSecret = randomBytes(24).toString("hex");
  const settings = sandboxSettings({ ...started, layout, resourceGroup: RESOURCE_GROUP, statePath, steeringTtl, eventsSecret });
  await writeFile(configFile, settings, { mode: 0o600 });
  const desk = new PublishingDesk(regions);
  const control = stack.use(await startControl(layout.control, regions, desk, log));
  progress("starting the gateway, health probes and the replicator");
  const onListening = (_setting: string, url: string): void => {
    void subscribeAll(regions, `${url}?code=${eventsSecret}`, log);
  };
  const foundations = stack.use(await composeFoundations({ config: loadConfig(configFile), version, log, onListening }));
  const serving = stack.use(await composeServe(foundations, { control: control.origin }));
  desk.open(serving, started.sample);
  progress("publishing the sample video in the first region");
  await desk.publishSample();
  progress("waiting for the replicator to copy and verify it in the second region");
  await allVerified(foundations, desk.videos, regions, stop);
  const owned = stack.move();
  const release = async (): Promise<void> => owned.disposeAsync();
  return { regions, serving, controlUrl: control.origin, videos: desk.videos, configFile, [Symbol.asyncDispose]: release };
}

/** The gateway hears of jobs from the accounts of all regions. Never rejects: without events accounts are asked. */
async function subscribeAll(regions: readonly SandboxRegion[], url: string, log: Log): Promise<void> {
  const request = { name: "gateway-encoding", destination: { kind: "webhook", url, headers: {} }, eventTypes: [] } as const;
  const subscribed = await Promise.allSettled(regions.map(async ({ encoding }) => encoding.events.subscribe(request)));
  for (const each of subscribed) if (each.status === "rejected") log.warn("sandbox.events_unavailable", { error: errorChain(each.reason) });
}

async function startControl(port: number, regions: readonly SandboxRegion[], desk: PublishingDesk, log: Log): Promise<FaultServer> {
  const app = controlApp({
    regions,
    pageOrigins: () => desk.pageOrigins,
    videos: () => desk.videos,
    publish: async (request) => desk.publishCopy(request),
    log,
  });
  const listener = getRequestListener(app.fetch);
  return FaultServer.start({
    label: "control port",
    host: homeHost,
    port,
    listener: (req, res) => {
      void listener(req, res);
    },
    tls: null,
    clock,
  });
}

/** Where videos are published. It opens when the gateway listens, because key URLs name the gateway. */
class PublishingDesk {
  readonly #regions: readonly SandboxRegion[];
  readonly #videos: PublishedVideo[] = [];
  #open: { readonly publisher: Publisher; readonly pageOrigin: string } | null = null;

  constructor(regions: readonly SandboxRegion[]) {
    this.#regions = regions;
  }

  get videos(): readonly PublishedVideo[] {
    return this.#videos;
  }

  get pageOrigins(): readonly string[] {
    return this.#open === null ? [] : [this.#open.pageOrigin];
  }

  open({ gatewayUrl, adminUrl }: Serving, sample: readonly SampleFile[]): void {
    const publisher = new Publisher({
      regions: new Map(this.#regions.map(({ name, arm }) => [name, arm])),
      keysUrl: `${gatewayUrl}/keys`,
      sample,
      signingKey: randomBytes(40),
      clock,
    });
    this.#open = { publisher, pageOrigin: adminUrl };
  }

  /** One asset, published twice: with keys from the gateway, and with keys from the region's own key host. */
  async publishSample(): Promise<void> {
    const publisher = this.#publisher();
    const home = this.#regions[0]?.name ?? "";
    await publisher.upload(home, SAMPLE);
    this.#videos.push(await publisher.publish(home, SAMPLE, "gateway-keys", SAMPLE));
    this.#videos.push(await publisher.publish(home, SAMPLE, "region-keys", `${SAMPLE}-region-keys`));
  }

  /** Another copy of the sample: an asset of its own, so that there is something to replicate. */
  async publishCopy({ region, protection, name, live }: PublishRequest): Promise<PublishedVideo> {
    const publisher = this.#publisher();
    const chosen = name ?? `${SAMPLE}-${random.uuid().slice(0, 8)}`;
    if (this.#videos.some((video) => video.name === chosen)) {
      throw new PaircastError("video_exists", `a video named ${chosen} is published already: choose another name`, { retry: "conflict" });
    }
    await publisher.upload(region, chosen, live);
    const video = await publisher.publish(region, chosen, protection, chosen);
    this.#videos.push(video);
    return video;
  }

  #publisher(): Publisher {
    if (this.#open === null)
      throw new PaircastError("not_ready", "the sandbox is still starting: try again in a moment", { retry: "retry" });
    return this.#open.publisher;
  }
}

interface StartedRegions {
  readonly regions: readonly SandboxRegion[];
  readonly sample: readonly SampleFile[];
  readonly subscriptionId: string;
  readonly apiKey: string;
  readonly caFile: string | null;
}

async function startRegions(
  { layout, tls, encoder }: SandboxOptions,
  log: Log,
  folder: string,
  stack: AsyncDisposableStack,
): Promise<StartedRegions> {
  const subscriptionId = random.uuid();
  const apiKey = random.uuid();
  const accounts = layout.regions.map(({ storageAccount }) => ({
    name: storageAccount,
    key: randomBytes(64).toString("base64"),
  }));
  const [azurite, sample, authority] = await Promise.all([
    Azurite.start({ accounts, port: 0, folder, clock, log }).then((started) => stack.use(started)),
    readSample(),
    tls ? createAuthority(clock) : null,
  ]);
  const fronts = new StorageFronts(azurite.url);
  const programs = encoder === "sample" ? null : findPrograms();
  if (encoder === "ffmpeg" && programs === null)
    throw new PaircastError("ffmpeg_missing", "there is no ffmpeg with ffprobe on the PATH: install it, or name it in FFMPEG");
  const encoders = new Places(() => 1);
  const shared = {
    programs,
    encoders,
    folder,
    fronts,
    sample,
    authority,
    subscriptionId,
    resourceGroup: RESOURCE_GROUP,
    apiKey,
    clock,
    random,
    log,
  };
  const regions: SandboxRegion[] = [];
  for (const [at, region] of layout.regions.entries()) {
    regions.push(stack.use(await startRegion({ ...shared, layout: region, accountKey: accounts[at]?.key ?? "" })));
  }
  if (authority === null) return { regions, sample, subscriptionId, apiKey, caFile: null };
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.ca);
  return { regions, sample, subscriptionId, apiKey, caFile };
}

async function allVerified(
  { view, journal }: Foundations,
  videos: readonly PublishedVideo[],
  regions: readonly SandboxRegion[],
  stop: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + VERIFIED_WITHIN_MS;
  const verified = (): boolean =>
    videos.every(({ locatorId }) => regions.every(({ name }) => view.byLocator(locatorId)?.regions[name]?.state === "verified"));
  while (!verified()) {
    if (clock.monotonic() > until) {
      const jobs = (await journal.jobs(10)).map(({ id, state, errorMessage }) => `${id} ${state}: ${errorMessage ?? ""}`);
      throw new PaircastError(
        "not_replicated",
        `the sample is not verified in every region after ${VERIFIED_WITHIN_MS / 1000} s:\n${jobs.join("\n")}`,
      );
    }
    await clock.sleep(50, stop);
  }
}
