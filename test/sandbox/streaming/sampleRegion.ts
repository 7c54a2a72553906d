/** One region with the repository's sample video: an account with locators under several policies, and its files in memory. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { silentLog } from "../../../src/core/log.ts";
import type { AccountView, EmulatedKey, EmulatedLocator, Fault, FaultKind, FaultView, JsonObject } from "../../../src/sandbox/contracts.ts";
import { streamingApp } from "../../../src/sandbox/streaming/app.ts";
import type { BlobAnswer, BlobQuestion, BlobReader } from "../../../src/sandbox/streaming/blobs.ts";
import { ManualClock } from "../../fakes/clock.ts";

export const SAMPLE = new URL("../../../sample/", import.meta.url);

/** Blobs of one container in memory. Counts what was asked. */
export class MemoryBlobs implements BlobReader {
  readonly files = new Map<string, Uint8Array>();
  readonly asked: BlobQuestion[] = [];
  readonly container: string;

  constructor(container: string) {
    this.container = container;
  }

  static sample(container: string): MemoryBlobs {
    const blobs = new MemoryBlobs(container);
    for (const name of readdirSync(SAMPLE)) blobs.files.set(name, readSample(name));
    return blobs;
  }

  read(question: BlobQuestion): Promise<BlobAnswer> {
    this.asked.push(question);
    const bytes = question.container === this.container ? this.files.get(question.name) : undefined;
    if (bytes === undefined) return Promise.resolve({ kind: "absent" });
    const etag = createHash("sha1").update(bytes).digest("hex");
    if (question.ifNoneMatch === etag) return Promise.resolve({ kind: "unchanged" });
    if (question.ifMatch !== undefined && question.ifMatch !== etag) return Promise.resolve({ kind: "changed" });
    return Promise.resolve({ kind: "found", bytes: bytes.subarray(question.offset, question.offset + question.count), etag });
  }
}

export function readSample(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(name, SAMPLE)));
}

export const KEY: EmulatedKey = {
  id: "5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0001",
  type: "EnvelopeEncryption",
  label: "clearKeyDefault",
  value: Buffer.from("0123456789abcdef").toString("base64"),
  policyName: "open",
};

export const CLEAR_LOCATOR = "11111111-0000-4000-8000-000000000001";
export const KEYED_LOCATOR = "11111111-0000-4000-8000-000000000002";
export const TEMPLATE_LOCATOR = "11111111-0000-4000-8000-000000000003";

function locator(id: string, streamingPolicyName: string, change: Partial<EmulatedLocator> = {}): EmulatedLocator {
  return {
    name: `locator-${id}`,
    assetName: "sample",
    streamingLocatorId: id,
    streamingPolicyName,
    alternativeMediaId: null,
    startTime: null,
    endTime: null,
    filters: [],
    contentKeys: [],
    ...change,
  };
}

const BOTH = { download: false, dash: true, hls: true, smoothStreaming: false };
const ONE_KEY = { defaultKey: { label: "clearKeyDefault" }, keyToTrackMappings: [] };

/** An account whose entities a test may change. */
export class FakeAccount implements AccountView {
  running = true;
  /** The asset is that of a live event that does not run. */
  eventStopped = false;
  readonly locators = new Map<string, EmulatedLocator>();
  readonly streamingPolicies = new Map<string, JsonObject>([
    ["clear", { noEncryption: { enabledProtocols: BOTH } }],
    ["hls-only", { noEncryption: { enabledProtocols: { ...BOTH, dash: false } } }],
    ["keyed", { envelopeEncryption: { enabledProtocols: BOTH, clearTracks: [], contentKeys: ONE_KEY } }],
    [
      "template",
      {
        defaultContentKeyPolicyName: "open",
        envelopeEncryption: {
          enabledProtocols: BOTH,
          contentKeys: ONE_KEY,
          customKeyAcquisitionUrlTemplate: "https://gateway.test/keys/{AlternativeMediaId}?kid={ContentKeyId}&v=1",
        },
      },
    ],
  ]);
  readonly contentKeyPolicies = new Map<string, JsonObject>();

  constructor() {
    this.add(locator(CLEAR_LOCATOR, "clear"));
    this.add(locator(KEYED_LOCATOR, "keyed", { contentKeys: [KEY] }));
    const other = { ...KEY, id: "5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0002", policyName: null };
    this.add(locator(TEMPLATE_LOCATOR, "template", { contentKeys: [other], alternativeMediaId: "media 1/ä" }));
  }

  add(added: EmulatedLocator): void {
    this.locators.set(added.streamingLocatorId, added);
  }

  /** Changes one locator in place. */
  change(id: string, change: Partial<EmulatedLocator>): void {
    const known = this.locators.get(id);
    if (known === undefined) throw new Error(`no locator ${id}`);
    this.locators.set(id, { ...known, ...change });
  }

  locator(id: string): EmulatedLocator | null {
    return this.locators.get(id) ?? null;
  }

  key(id: string): { locator: EmulatedLocator; key: EmulatedKey } | null {
    for (const held of this.locators.values()) {
      const key = held.contentKeys.find((candidate) => candidate.id === id);
      if (key !== undefined) return { locator: held, key };
    }
    return null;
  }

  container(assetName: string): string | null {
    return assetName === "sample" ? "asset-sample" : null;
  }

  contentKeyPolicy(name: string): JsonObject | null {
    return this.contentKeyPolicies.get(name) ?? null;
  }

  streamingPolicy(name: string): JsonObject | null {
    return this.streamingPolicies.get(name) ?? null;
  }

  streamingRunning(): boolean {
    return this.running;
  }

  offAir(): boolean {
    return this.eventStopped;
  }
}

export class FakeFault implements FaultView {
  kind: FaultKind | null = null;

  current(): Fault | null {
    return this.kind === null ? null : { kind: this.kind, status: 503, delayMs: 0 };
  }
}

export const STREAMING = "http://westeurope.test";

export interface SampleRegion {
  readonly account: FakeAccount;
  readonly blobs: MemoryBlobs;
  readonly clock: ManualClock;
  readonly fault: FakeFault;
  /** GET, unless `init` says otherwise. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The body of a 200 answer; anything else throws. */
  bytes(path: string): Promise<Uint8Array>;
  text(path: string): Promise<string>;
}

export function sampleRegion(): SampleRegion {
  const account = new FakeAccount();
  const blobs = MemoryBlobs.sample("asset-sample");
  const clock = new ManualClock();
  const fault = new FakeFault();
  const app = streamingApp({ account, blobs, clock, fault, keysUrl: "http://keys.westeurope.test", log: silentLog });
  const ask = async (path: string, init?: RequestInit): Promise<Response> => app.request(new Request(new URL(path, STREAMING), init));
  const bytes = async (path: string): Promise<Uint8Array> => {
    const answer = await ask(path);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
  return { account, blobs, clock, fault, ask, bytes, text: async (path) => new TextDecoder().decode(await bytes(path)) };
}

export function manifestPath(locatorId: string, format: "m3u8-cmaf" | "mpd-time-cmaf", encryption = ""): string {
  return `/${locatorId}/paircast-sample.ism/manifest(format=${format}${encryption})`;
}
