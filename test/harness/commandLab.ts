/** Commands on two real regions in which nothing goes on but what the commands do, and a folder with configurations that name them. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ContainerClient } from "@azure/storage-blob";
import { request } from "undici";
import { parse, stringify } from "yaml";
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { ArmClient } from "../../src/sandbox/arm.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import type { FaultKind, SandboxService } from "../../src/sandbox/contracts.ts";
import { sandboxLayout } from "../../src/sandbox/layout.ts";
import { Places } from "../../src/sandbox/management/jobPlaces.ts";
import { Publisher, type Protection, type PublishedVideo } from "../../src/sandbox/publish.ts";
import { startRegion, type SandboxRegion } from "../../src/sandbox/region.ts";
import { readSample } from "../../src/sandbox/sample.ts";
import { sandboxSettings } from "../../src/sandbox/settings.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { runCommand, type Ended } from "./command.ts";
import { STORAGE_KEY } from "./storageStage.ts";

export interface LabRegion {
  readonly name: string;
  readonly streaming: string;
  readonly keys: string;
  readonly account: {
    readonly endpoint: string;
    readonly subscriptionId: string;
    readonly resourceGroup: string;
    readonly accountName: string;
    readonly credential: { readonly apiKey: string };
  };
}

/** As the sandbox writes them, and what else a test adds. */
export interface Settings {
  readonly regions: readonly LabRegion[];
  readonly replication: object;
  readonly state: { readonly path: string };
  readonly [name: string]: unknown;
}

interface Parts {
  readonly folder: string;
  readonly settings: Settings;
  readonly regions: readonly SandboxRegion[];
  readonly publisher: Publisher;
}

const RESOURCES = {
  subscriptionId: "af8a425a-298d-48b8-91ab-632561f42f68",
  resourceGroup: "sandbox",
  apiKey: "the-api-key-of-the-accounts",
};
const SAMPLE = "paircast-sample";
/** Nothing listens there: a gateway that is not running. */
export const NO_GATEWAY = "127.0.0.1:9";
const SAS_MS = 600_000;

export class CommandLab implements AsyncDisposable {
  readonly folder: string;
  readonly settings: Settings;
  /** One asset in the first region under two locators: its keys at the gateway, and at the region. */
  readonly videos: readonly PublishedVideo[];
  readonly #regions: readonly SandboxRegion[];
  readonly #publisher: Publisher;
  readonly #owned: AsyncDisposableStack;
  #published = 0;

  private constructor({ folder, settings, regions, publisher }: Parts, videos: readonly PublishedVideo[], owned: AsyncDisposableStack) {
    this.folder = folder;
    this.settings = settings;
    this.videos = videos;
    this.#regions = regions;
    this.#publisher = publisher;
    this.#owned = owned;
  }

  static async start(): Promise<CommandLab> {
    await using stack = new AsyncDisposableStack();
    const parts = await startParts(stack);
    const { publisher } = parts;
    const home = parts.regions[0]?.name ?? "";
    await publisher.upload(home, SAMPLE);
    const videos = [
      await publisher.publish(home, SAMPLE, "gateway-keys", SAMPLE),
      await publisher.publish(home, SAMPLE, "region-keys", `${SAMPLE}-region-keys`),
    ];
    return new CommandLab(parts, videos, stack.move());
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The state file of the configuration with this name. */
  state(name: string): string {
    return this.path(`${name}.db`);
  }

  /** Writes a configuration: the sandbox's with these changes, and a state of its own unless they name another. Gives the file's path. */
  configure(name: string, change: Partial<Settings> = {}): string {
    const file = this.path(`${name}.yaml`);
    writeFileSync(file, stringify({ ...this.settings, state: { path: this.state(name) }, ...change }));
    return file;
  }

  region(name: string): LabRegion {
    const region = this.settings.regions.find((candidate) => candidate.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region;
  }

  arm(name: string): ArmClient {
    const { account } = this.region(name);
    return new ArmClient({ ...account, apiKey: account.credential.apiKey });
  }

  media(name: string): AzureMediaAccount {
    const { credential: config, ...account } = this.region(name).account;
    const credential = createCredential({ kind: "api-key", apiKey: config.apiKey }, { ...account, clock });
    return new AzureMediaAccount({ region: name, ...account, credential, clock });
  }

  /** An asset's container, for whoever changes it past the replicator. */
  async container(region: string, asset: string): Promise<ContainerClient> {
    const expiryTime = new Date(clock.now() + SAS_MS).toISOString();
    const answer = await this.arm(region).post(`assets/${asset}/listContainerSas`, { permissions: "ReadWriteDelete", expiryTime });
    const [sas] = answer["assetContainerSasUrls"] as readonly string[];
    return new ContainerClient(String(sas));
  }

  /** Names of what a region's account has of a kind: `assets`, `streamingLocators`. */
  async names(region: string, kind: string): Promise<readonly string[]> {
    const { value } = (await this.arm(region).get(kind)) as { value: { name: string }[] };
    return value.map(({ name }) => name);
  }

  /** Deletes an entity, as an operator does in the account itself; also such as no port of ours deletes. */
  async remove(region: string, path: string): Promise<void> {
    const { endpoint, subscriptionId, resourceGroup, accountName, credential } = this.region(region).account;
    const login = { method: "POST", body: JSON.stringify({ subscriptionId, apiKey: credential.apiKey }) } as const;
    const token = await (await request(`${endpoint}/auth/token`, login)).body.text();
    const account = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${accountName}`;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await request(`${endpoint}${account}/${path}?api-version=2022-08-01`, { method: "DELETE", headers });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`DELETE ${path} in ${region}: ${answer.statusCode}`);
  }

  /** Another copy of the sample, as an asset of its own. */
  async publish(protection: Protection = "clear", region = "westeurope"): Promise<PublishedVideo> {
    this.#published += 1;
    const name = `${SAMPLE}-${this.#published}`;
    await this.#publisher.upload(region, name);
    return this.#publisher.publish(region, name, protection, name);
  }

  async break(region: string, service: SandboxService, kind: FaultKind): Promise<void> {
    await this.#servers(region)[service].set({ kind, status: 503, delayMs: 0 });
  }

  async mend(region: string): Promise<void> {
    for (const server of Object.values(this.#servers(region))) await server.clear();
  }

  #servers(name: string): SandboxRegion["servers"] {
    const region = this.#regions.find((candidate) => candidate.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region.servers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function startParts(stack: AsyncDisposableStack): Promise<Parts> {
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), "paircast-commands-")), (path) => {
    rmSync(path, { recursive: true, force: true });
  });
  const layout = sandboxLayout("0");
  const accounts = layout.regions.map(({ storageAccount }) => ({ name: storageAccount, key: STORAGE_KEY }));
  const azurite = stack.use(await Azurite.start({ accounts, port: 0, clock, log }));
  const sample = await readSample();
  const encoding = { sample, programs: null, encoders: new Places(() => 1), folder };
  const shared = { ...RESOURCES, ...encoding, fronts: new StorageFronts(azurite.url), authority: null, clock, random, log };
  const regions: SandboxRegion[] = [];
  for (const each of layout.regions) regions.push(stack.use(await startRegion({ ...shared, layout: each, accountKey: STORAGE_KEY })));
  const publisher = new Publisher({
    regions: new Map(regions.map(({ name, arm }) => [name, arm])),
    keysUrl: `http://${NO_GATEWAY}/keys`,
    sample,
    signingKey: randomBytes(40),
    clock,
  });
  return { folder, settings: settingsOf(regions), regions, publisher };
}

/** The sandbox's, without what it has for its own gateway. */
function settingsOf(regions: readonly SandboxRegion[]): Settings {
  const options = {
    ...RESOURCES,
    layout: sandboxLayout("0"),
    regions,
    statePath: "",
    caFile: null,
    steeringTtl: "5s",
    eventsSecret: "unused",
  };
  const { encoding: _encoding, ...settings } = parse(sandboxSettings(options)) as Settings;
  return { ...settings, admin: { listen: NO_GATEWAY } };
}

/** What a command printed as JSON, in a process of its own or in this one. Throws with what it said instead where that is nothing. */
export async function printed<T>(
  options: readonly string[],
  how: (options: readonly string[]) => Promise<Ended> = runCommand,
): Promise<Ended & { readonly json: T }> {
  const ended = await how([...options, "--json"]);
  if (ended.out === "") throw new Error(`paircast ${options.join(" ")}: ${String(ended.code)} ${ended.err}`);
  return { ...ended, json: JSON.parse(ended.out) as T };
}

/** As if so much time had passed that the leases of a process that was killed have run out. Processes that live renew theirs. */
export function lapseLeases(state: string): void {
  using database = new DatabaseSync(state, { timeout: 5_000 });
  database.exec("UPDATE leases SET until = 0");
}
