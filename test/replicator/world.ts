/** Two (or more) regions in memory whose streaming and key delivery serve what their accounts hold. */
import { randomBytes } from "node:crypto";
import { jwtVerify } from "jose";
import type { Region } from "../../src/core/contracts.ts";
import { PaircastError } from "../../src/core/errors.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { HttpFailure } from "../../src/core/http.ts";
import { silentLog } from "../../src/core/log.ts";
import type { StreamingLocator, TreeObject } from "../../src/core/media.ts";
import { PlaybackFailure } from "../../src/core/playback/failure.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../src/core/ports/http.ts";
import type { PlaybackCheck } from "../../src/replicator/jobDeps.ts";
import type { AmsDeps } from "../../src/replicator/run.ts";
import { ManualClock, seededRandom } from "../fakes/clock.ts";
import { MemoryCatalogue } from "../fakes/memoryCatalogue.ts";
import { MemoryJournal } from "../fakes/memoryJournal.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";

export const SIGNING_KEY = randomBytes(40);
export const LOCATOR_ID = "11111111-1111-4111-8111-111111111111";
export const KEY_ID = "22222222-2222-4222-8222-222222222222";
export const KEY_VALUE = Buffer.from("00112233445566778899aabbccddeeff", "hex");

export class World {
  readonly clock = new ManualClock();
  readonly journal = new MemoryJournal();
  readonly catalogue = new MemoryCatalogue((fence) => this.journal.holds(fence));
  readonly accounts: ReadonlyMap<string, MemoryMediaAccount>;
  /** Regions at which nobody answers a player. */
  readonly dark = new Set<string>();
  /** Regions whose key delivery gives other bytes. */
  readonly wrongKeys = new Set<string>();
  /** `region path` of every request of a player. */
  readonly played: string[] = [];
  readonly deps: AmsDeps;

  constructor(names: readonly string[] = ["west", "north"]) {
    this.accounts = new Map(
      names.map((region, at) => [region, new MemoryMediaAccount({ region, clock: this.clock, random: seededRandom(at + 1) })]),
    );
    const regions = names.map((name): [string, Region] => [
      name,
      { name, streaming: `http://${name}.test`, keys: `http://keys.${name}.test` },
    ]);
    this.deps = {
      regions: new Map(regions),
      accounts: this.accounts,
      catalogue: this.catalogue,
      journal: this.journal,
      http: this.#http,
      playback: this.#play,
      clock: this.clock,
      fingerprint: keyedFingerprint(new Uint8Array(32)),
      owner: "tester",
      log: silentLog,
      metrics: null,
      options: { concurrency: 2, blobConcurrency: 2, leaseMs: 15_000, keyPrefix: "/keys" },
    };
  }

  account(region: string): MemoryMediaAccount {
    const account = this.accounts.get(region);
    if (account === undefined) throw new Error(`no region ${region}`);
    return account;
  }

  mutations(region: string): number {
    return this.account(region).mutations;
  }

  reset(): void {
    for (const account of this.accounts.values()) {
      account.calls.reset();
      account.blobCalls.reset();
    }
    this.catalogue.calls.reset();
    this.journal.calls.reset();
  }

  /** Publishes an encrypted asset with everything that a locator can name. */
  async publish(region = "west", name = "intro", change: Partial<StreamingLocator> = {}): Promise<void> {
    const account = this.account(region);
    await account.createAsset({ name, container: `asset-${name}`, alternateId: `alt-${name}`, description: "a film" });
    const blobs = account.blobs(`asset-${name}`);
    blobs.put(`${name}.ism`, Buffer.from("<smil/>"));
    blobs.put("video.mp4", Buffer.from(`video of ${name}`));
    blobs.put("audio.mp4", Buffer.from(`audio of ${name}`), { contentMd5: null });
    await account.putContentKeyPolicy({ name: "tokens", properties: tokenPolicy() });
    await account.createStreamingPolicy({ name: "envelope", properties: envelopePolicy() }).catch(() => undefined);
    await account.putAssetFilter(name, { name: "own", properties: { firstQuality: { bitrate: 128_000 } } });
    await account.putAccountFilter({ name: "shared", properties: { tracks: [] } });
    await this.locate(region, name, change);
  }

  async locate(region: string, assetName: string, change: Partial<StreamingLocator> = {}): Promise<void> {
    await this.account(region).createLocator({
      name: `locator-${assetName}`,
      assetName,
      streamingLocatorId: LOCATOR_ID,
      streamingPolicyName: "envelope",
      defaultContentKeyPolicyName: "tokens",
      alternativeMediaId: "media-1",
      startTime: null,
      endTime: null,
      filters: ["own", "shared"],
      contentKeys: [
        { id: KEY_ID, type: null, labelReferenceInStreamingPolicy: "main", value: KEY_VALUE.toString("base64"), policyName: null },
      ],
      created: 0,
      ...change,
    });
  }

  readonly #play: PlaybackCheck = async ({ manifestUrl }) => {
    const region = new URL(manifestUrl).hostname.split(".")[0] ?? "";
    const path = new URL(manifestUrl).pathname;
    this.played.push(`${region} ${path}`);
    if (this.dark.has(region)) throw new PlaybackFailure("refused", "manifest", `manifest ${manifestUrl}: refused`);
    const id = path.split("/")[1];
    for await (const locator of this.account(region).locators()) {
      if (locator.streamingLocatorId === id) return { segment: { evidence: "decrypted" } };
    }
    throw new PlaybackFailure("not_found", "manifest", `manifest ${manifestUrl} answered 404`);
  };

  readonly #http: HttpClient = { ask: (question) => this.#answer(question) };

  async #answer({ url, headers }: HttpQuestion): Promise<HttpAnswer> {
    const region = new URL(url).hostname.split(".")[1] ?? "";
    if (this.dark.has(region)) throw new HttpFailure("refused", `GET ${url} failed: refused`);
    const kid = new URL(url).searchParams.get("kid") ?? "";
    const answer = (status: number, body: Uint8Array): HttpAnswer => ({ status, headers: {}, body });
    try {
      const token = (headers?.["authorization"] ?? "").replace("Bearer ", "");
      const checked = await jwtVerify(token, SIGNING_KEY, {
        issuer: "issuer",
        audience: "audience",
        currentDate: new Date(this.clock.now()),
      });
      if (checked.payload["urn:microsoft:azure:mediaservices:contentkeyidentifier"] !== kid) return answer(403, new Uint8Array());
    } catch {
      return answer(401, new Uint8Array());
    }
    const value = await this.#keyValue(region, kid);
    if (value === null) return answer(404, new Uint8Array());
    return answer(200, this.wrongKeys.has(region) ? value.map((byte) => byte ^ 1) : value);
  }

  async #keyValue(region: string, kid: string): Promise<Uint8Array | null> {
    const account = this.account(region);
    for await (const { name } of account.locators()) {
      const key = (await account.locator(name))?.contentKeys.find(({ id }) => id === kid);
      if (key !== undefined) return Buffer.from(key.value, "base64");
    }
    return null;
  }
}

export function tokenPolicy(change: TreeObject = {}): TreeObject {
  return {
    policyId: "server-made",
    description: "tokens of ours",
    options: [
      {
        policyOptionId: "server-made",
        name: "clear",
        configuration: { odataType: "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        restriction: {
          odataType: "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
          issuer: "issuer",
          audience: "audience",
          primaryVerificationKey: { odataType: "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", keyValue: SIGNING_KEY },
          alternateVerificationKeys: [],
          requiredClaims: [{ claimType: "urn:microsoft:azure:mediaservices:contentkeyidentifier", claimValue: null }],
          restrictionTokenType: "Jwt",
          ...change,
        },
      },
    ],
  };
}

export function envelopePolicy(): TreeObject {
  return {
    envelopeEncryption: {
      enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false },
      contentKeys: { defaultKey: { label: "main" } },
      customKeyAcquisitionUrlTemplate: "https://play.example/keys/?kid={ContentKeyId}",
    },
  };
}

export function unavailable(what = "the service went away"): PaircastError {
  return new PaircastError("account_unavailable", what, { retry: "retry" });
}
