/** Two regions, the gateway in front of them, and a published sample video. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeFoundations, composeServe, type Foundations, type Serving } from "../compose.ts";
import { systemClock as clock, systemRandom as random } from "../core/clock.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog, type Log } from "../core/log.ts";
import { Azurite } from "./azurite.ts";
import { createAuthority } from "./certificates.ts";
import { ControlServer } from "./controlServer.ts";
import type { SandboxLayout } from "./layout.ts";
import { Publisher, type Protection, type PublishedVideo } from "./publish.ts";
import { startRegion, type SandboxRegion } from "./region.ts";
import { readSample } from "./sample.ts";
import { sandboxSettings } from "./settings.ts";
import { StorageFronts } from "./storage/storageFronts.ts";

export interface SandboxOptions {
  readonly layout: SandboxLayout;
  readonly tls: boolean;
  readonly version: string;
  readonly stop: AbortSignal;
  /** Hears what is under way. */
  readonly progress: (text: string) => void;
}

const RESOURCE_GROUP = "sandbox";
const SAMPLE = "paircast-sample";
const VERIFIED_WITHIN_MS = 30_000;

/** Dispose it to stop everything that it started. */
export class Sandbox implements AsyncDisposable {
  readonly regions: readonly SandboxRegion[];
  readonly serving: Serving;
  readonly control: ControlServer;
  /** The configuration file of the gateway, for other commands. */
  readonly configFile: string;
  readonly #stack: AsyncDisposableStack;
  readonly #videos: PublishedVideo[];

  private constructor(
    parts: Pick<Sandbox, "regions" | "serving" | "control" | "configFile">,
    videos: PublishedVideo[],
    stack: AsyncDisposableStack,
  ) {
    this.regions = parts.regions;
    this.serving = parts.serving;
    this.control = parts.control;
    this.configFile = parts.configFile;
    this.#videos = videos;
    this.#stack = stack;
  }

  get videos(): readonly PublishedVideo[] {
    return this.#videos;
  }

  /** Resolves when the sample plays from every region. */
  static async start(options: SandboxOptions): Promise<Sandbox> {
    const { progress, layout, version } = options;
    await using stack = new AsyncDisposableStack();
    const folder = stack.adopt(await mkdtemp(join(tmpdir(), "paircast-sandbox-")), async (path) =>
      rm(path, { recursive: true, force: true }),
    );
    const log = createLog("warn");
    progress("starting blob storage, media accounts, streaming endpoints and key delivery of two regions");
    const started = await startRegions(options, log, folder, stack);
    const configFile = join(folder, "paircast.yaml");
    await writeFile(
      configFile,
      sandboxSettings({ ...started, layout, resourceGroup: RESOURCE_GROUP, statePath: join(folder, "paircast.db") }),
      { mode: 0o600 },
    );
    const videos: PublishedVideo[] = [];
    const { regions } = started;
    const control = stack.use(await ControlServer.start({ port: layout.control, regions, videos: () => videos, clock }));
    progress("starting the gateway, health probes and the replicator");
    const foundations = stack.use(await composeFoundations({ config: loadConfig(configFile), version, log }));
    const serving = stack.use(await composeServe(foundations, { control: control.url }));
    const publisher = new Publisher({
      regions: new Map(regions.map(({ name, arm }) => [name, arm])),
      keysUrl: `${serving.gatewayUrl}/keys`,
      sample: await readSample(),
      signingKey: crypto.getRandomValues(new Uint8Array(40)),
      clock,
    });
    progress("publishing the sample video in the first region");
    videos.push(...(await publishSample(publisher, regions)));
    control.open({ pageOrigin: serving.adminUrl, publish: async (request) => publishCopy(publisher, request, videos) });
    progress("waiting for the replicator to copy and verify it in the second region");
    await allVerified(foundations, videos, regions, options.stop);
    return new Sandbox({ regions, serving, control, configFile }, videos, stack.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface StartedRegions {
  readonly regions: readonly SandboxRegion[];
  readonly subscriptionId: string;
  readonly apiKey: string;
  readonly caFile: string | null;
}

async function startRegions(
  { layout, tls }: SandboxOptions,
  log: Log,
  folder: string,
  stack: AsyncDisposableStack,
): Promise<StartedRegions> {
  const subscriptionId = random.uuid();
  const apiKey = random.uuid();
  const accounts = layout.regions.map(({ storageAccount }) => ({
    name: storageAccount,
    key: Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString("base64"),
  }));
  const [azurite, sample, authority] = await Promise.all([
    Azurite.start({ accounts, port: 0, clock, log }).then((started) => stack.use(started)),
    readSample(),
    tls ? createAuthority(clock) : null,
  ]);
  const fronts = new StorageFronts(azurite.url);
  const shared = { fronts, sample, authority, subscriptionId, resourceGroup: RESOURCE_GROUP, apiKey, clock, random, log };
  const regions: SandboxRegion[] = [];
  for (const [at, region] of layout.regions.entries()) {
    regions.push(stack.use(await startRegion({ ...shared, layout: region, accountKey: accounts[at]?.key ?? "" })));
  }
  if (authority === null) return { regions, subscriptionId, apiKey, caFile: null };
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.ca);
  return { regions, subscriptionId, apiKey, caFile };
}

/** One asset, published twice: with keys from the gateway, and with keys from the region's own key host. */
async function publishSample(publisher: Publisher, regions: readonly SandboxRegion[]): Promise<PublishedVideo[]> {
  const home = regions[0]?.name ?? "";
  await publisher.upload(home, SAMPLE);
  return [
    await publisher.publish(home, SAMPLE, "gateway-keys", SAMPLE),
    await publisher.publish(home, SAMPLE, "region-keys", `${SAMPLE}-region-keys`),
  ];
}

/** Another copy of the sample: an asset of its own, so that there is something to replicate. */
async function publishCopy(
  publisher: Publisher,
  { region, protection, name }: { readonly region: string; readonly protection: Protection; readonly name: string | null },
  videos: PublishedVideo[],
): Promise<PublishedVideo> {
  const chosen = name ?? `${SAMPLE}-${random.uuid().slice(0, 8)}`;
  if (videos.some((video) => video.name === chosen))
    throw new PaircastError("video_exists", `a video named ${chosen} is published already: choose another name`);
  await publisher.upload(region, chosen);
  const video = await publisher.publish(region, chosen, protection, chosen);
  videos.push(video);
  return video;
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
