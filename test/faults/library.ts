/** What the source region publishes: small videos, clear and protected, with filters and policies, and files of every awkward kind. */
import { readFileSync } from "node:fs";
import { ContainerClient } from "@azure/storage-blob";
import type { JsonObject } from "../../src/sandbox/contracts.ts";
import { seededRandom } from "../fakes/clock.ts";
import type { Region } from "./regions.ts";

export interface LibraryOptions {
  readonly assets: number;
  /** One asset has a file of this many bytes that the target cannot read by URL: it goes through the replicator in blocks. */
  readonly large?: number;
  /** One asset after the other takes the next of these. Default: all that there are. */
  readonly protections?: readonly Protection[];
  /** Fragments of each track. Default 3. */
  readonly fragments?: number;
}

/** Name of the large file. */
export const LARGE = "master.bin";

export const PROTECTIONS = ["token", "clear", "open", "token and filters"] as const;
export type Protection = (typeof PROTECTIONS)[number];
const SIGNING_KEY = Buffer.alloc(40, 9).toString("base64");
const GATEWAY_KEYS = "https://play.example/keys/?kid={ContentKeyId}";
const KEY_CLAIM = "urn:microsoft:azure:mediaservices:contentkeyidentifier";

interface File {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

export async function publishLibrary({ arm }: Region, options: LibraryOptions): Promise<readonly string[]> {
  await publishPolicies(arm);
  const { protections = PROTECTIONS } = options;
  const names: string[] = [];
  for (let at = 0; at < options.assets; at += 1) {
    const name = `video-${String(at + 1).padStart(2, "0")}`;
    const protection = protections[at % protections.length] ?? "clear";
    await arm.put(`assets/${name}`, { container: `asset-${name}`, description: `Film ${at + 1}`, alternateId: `alt/${name}` });
    const large = at === 0 && options.large !== undefined ? [largeFile(options.large)] : [];
    await upload(arm, name, [...videoFiles(name, options.fragments ?? 3), ...awkwardFiles(at), ...large]);
    if (protection === "token and filters") await publishFilters(arm, name);
    await arm.put(`streamingLocators/${name}`, locator(name, protection));
    names.push(name);
  }
  return names;
}

type Arm = Region["arm"];

async function publishPolicies(arm: Arm): Promise<void> {
  const configuration = { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" };
  const open = { "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" };
  const token = {
    "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
    issuer: "tests",
    audience: "viewers",
    restrictionTokenType: "Jwt",
    primaryVerificationKey: { "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", keyValue: SIGNING_KEY },
    alternateVerificationKeys: [],
    requiredClaims: [{ claimType: KEY_CLAIM, claimValue: null }],
  };
  await arm.put("contentKeyPolicies/open", { description: "Open", options: [{ name: "open", configuration, restriction: open }] });
  await arm.put("contentKeyPolicies/tokens", { description: "Tokens", options: [{ name: "token", configuration, restriction: token }] });
  await arm.put("streamingPolicies/gateway-keys", {
    envelopeEncryption: {
      enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false },
      contentKeys: { defaultKey: { label: "main" } },
      customKeyAcquisitionUrlTemplate: GATEWAY_KEYS,
    },
  });
  await arm.put("accountFilters/low", { firstQuality: { bitrate: 128_000 } });
}

async function publishFilters(arm: Arm, name: string): Promise<void> {
  await arm.put(`assets/${name}/assetFilters/first-seconds`, {
    presentationTimeRange: { startTimestamp: 0, endTimestamp: 40_000_000, timescale: 10_000_000 },
    tracks: [],
  });
}

function locator(assetName: string, protection: Protection): JsonObject {
  const shared = { assetName, alternativeMediaId: `media-${assetName}` };
  switch (protection) {
    case "clear":
      return { ...shared, streamingPolicyName: "Predefined_ClearStreamingOnly" };
    case "open":
      return { ...shared, streamingPolicyName: "Predefined_ClearKey", defaultContentKeyPolicyName: "open" };
    case "token":
      return { ...shared, streamingPolicyName: "gateway-keys", defaultContentKeyPolicyName: "tokens" };
    case "token and filters":
      return {
        ...shared,
        streamingPolicyName: "gateway-keys",
        defaultContentKeyPolicyName: "tokens",
        filters: ["first-seconds", "low"],
        startTime: "2026-01-02T03:04:05Z",
      };
  }
}

async function upload(arm: Arm, name: string, files: readonly File[]): Promise<void> {
  const expiryTime = new Date(Date.now() + 3_600_000).toISOString();
  const answer = await arm.post(`assets/${name}/listContainerSas`, { permissions: "ReadWrite", expiryTime });
  const container = new ContainerClient((answer["assetContainerSasUrls"] as readonly string[])[0] ?? "");
  for (const { name: blob, contentType, content } of files)
    await container.getBlockBlobClient(blob).uploadData(content, {
      blobHTTPHeaders: { blobContentType: contentType, ...(blob.endsWith(".txt") ? { blobCacheControl: "max-age=60" } : {}) },
      ...(blob.endsWith(".txt") ? { metadata: { origin: "tests" } } : {}),
    });
}

function videoFiles(name: string, fragments: number): File[] {
  const manifest = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch>',
    entry("video", "video.mp4", 57_000),
    entry("audio", "audio.mp4", 50_000),
    "</switch></body></smil>",
  ].join("");
  return [
    { name: `${name}.ism`, contentType: "application/smil+xml", content: Buffer.from(manifest) },
    { name: "video.mp4", contentType: "video/mp4", content: cut("paircast-sample_256x144.mp4", fragments) },
    { name: "audio.mp4", contentType: "audio/mp4", content: cut("paircast-sample_audio.mp4", fragments) },
  ];
}

function entry(kind: "video" | "audio", file: string, bitrate: number): string {
  return `<${kind} src="${file}" systemBitrate="${bitrate}" systemLanguage="en"><param name="trackName" value="${kind}"/></${kind}>`;
}

/** Without what the storage service takes for a path, and names that end in a dot. */
function awkwardFiles(at: number): File[] {
  return [
    { name: "empty.bin", contentType: "application/octet-stream", content: Buffer.alloc(0) },
    { name: "notes & extras/ü 100%+#.txt", contentType: "text/plain; charset=utf-8", content: Buffer.from(`Notes of film ${at}`) },
  ];
}

function largeFile(length: number): File {
  const { next } = seededRandom(length);
  const content = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4096) content.writeUInt32LE(Math.floor(next() * 0x1_0000_0000), offset);
  return { name: LARGE, contentType: "application/octet-stream", content };
}

/** The first fragments of a track of the sandbox's sample, its index cut to them (ISO/IEC 14496-12, 8.16.3, version 1). */
function cut(file: string, fragments: number): Buffer {
  const whole = readFileSync(new URL(`../../sample/${file}`, import.meta.url));
  let offset = 0;
  let media = 0;
  let index = -1;
  while (offset < whole.length && media < fragments) {
    const type = whole.toString("latin1", offset + 4, offset + 8);
    if (type === "sidx") index = offset;
    if (type === "mdat") media += 1;
    offset += whole.readUInt32BE(offset);
  }
  const head = Buffer.from(whole.subarray(0, offset));
  const REFERENCE_COUNT = 38;
  head.writeUInt16BE(media, index + REFERENCE_COUNT);
  return head;
}
