/** Publishes copies of the sample video in a region, as an encoder and an operator's tool would leave them. */
import { ContainerClient } from "@azure/storage-blob";
import { SignJWT } from "jose";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { ArmClient } from "./arm.ts";
import type { Json, JsonObject } from "./contracts.ts";
import { uploadSample, type SampleFile } from "./sample.ts";

/**
 * - `gateway-keys` AES-128, key URI at the gateway, token needed · `region-keys` AES-128, key URI at the region's own key host, open
 * - `clear` not encrypted
 */
export const PROTECTIONS = ["gateway-keys", "region-keys", "clear"] as const;
export type Protection = (typeof PROTECTIONS)[number];

export interface PublishedVideo {
  readonly name: string;
  readonly locatorId: string;
  /** Paths to append to the gateway or to a region's streaming URL. */
  readonly hls: string;
  readonly dash: string;
  readonly keyId: string | null;
  /** JWT that the key delivery wants; null where it wants none. */
  readonly token: string | null;
  readonly source: string;
  readonly protection: Protection;
}

export interface PublisherOptions {
  /** Region name -> its management API. */
  readonly regions: ReadonlyMap<string, ArmClient>;
  /** Where the gateway takes key requests, without a trailing slash. */
  readonly keysUrl: string;
  readonly sample: readonly SampleFile[];
  /** Signs and verifies the viewers' tokens; the same in every region. */
  readonly signingKey: Uint8Array;
  readonly clock: Clock;
}

const ISSUER = "paircast-sandbox";
const AUDIENCE = "paircast-viewers";
const KEY_CLAIM = "urn:microsoft:azure:mediaservices:contentkeyidentifier";
const TOKEN_POLICY = "sandbox-token";
const OPEN_POLICY = "sandbox-open";
const GATEWAY_KEYS_POLICY = "sandbox-gateway-keys";
const TOKEN_LIFETIME_S = 24 * 3600;

export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Uploads the sample's files as asset `name`. Its container has the asset's name. */
  async upload(region: string, name: string): Promise<void> {
    const arm = this.#arm(region);
    await arm.put(`assets/${name}`, { container: name, description: "The sandbox's sample video", alternateId: `sample/${name}` });
    const expiry = new Date(this.#options.clock.now() + 3_600_000).toISOString();
    const { assetContainerSasUrls } = await arm.post(`assets/${name}/listContainerSas`, { permissions: "ReadWrite", expiryTime: expiry });
    const [sas] = Array.isArray(assetContainerSasUrls) ? assetContainerSasUrls : [];
    if (typeof sas !== "string") throw new PaircastError("publish_failed", `region ${region} gave no SAS for asset ${name}`);
    await uploadSample(new ContainerClient(sas), this.#options.sample);
  }

  /** Publishes an uploaded asset under a new locator. */
  async publish(region: string, assetName: string, protection: Protection, name: string): Promise<PublishedVideo> {
    const arm = this.#arm(region);
    await this.#ensurePolicies(arm, protection);
    const locator = await arm.put(`streamingLocators/${name}`, this.#locator(assetName, protection, name));
    const properties = object(locator["properties"]);
    const keys = Array.isArray(properties["contentKeys"]) ? properties["contentKeys"] : [];
    const keyId = keys.length > 0 ? String(object(keys[0] ?? null)["id"]) : null;
    const paths = await arm.post(`streamingLocators/${name}/listPaths`, {});
    return {
      name,
      locatorId: String(properties["streamingLocatorId"]),
      hls: streamingPath(paths, "Hls"),
      dash: streamingPath(paths, "Dash"),
      keyId,
      token: protection === "gateway-keys" && keyId !== null ? await this.#token(keyId) : null,
      source: region,
      protection,
    };
  }

  #arm(region: string): ArmClient {
    const arm = this.#options.regions.get(region);
    if (arm === undefined) throw new PaircastError("unknown_region", `the sandbox has no region ${region}`);
    return arm;
  }

  #locator(assetName: string, protection: Protection, name: string): JsonObject {
    const clear = { assetName, streamingPolicyName: "Predefined_ClearStreamingOnly", alternativeMediaId: name };
    if (protection === "clear") return clear;
    const gatewayKeys = protection === "gateway-keys";
    return {
      ...clear,
      streamingPolicyName: gatewayKeys ? GATEWAY_KEYS_POLICY : "Predefined_ClearKey",
      defaultContentKeyPolicyName: gatewayKeys ? TOKEN_POLICY : OPEN_POLICY,
    };
  }

  async #ensurePolicies(arm: ArmClient, protection: Protection): Promise<void> {
    if (protection === "clear") return;
    const policy = protection === "gateway-keys" ? TOKEN_POLICY : OPEN_POLICY;
    if ((await arm.get(`contentKeyPolicies/${policy}`)) === null)
      await arm.put(`contentKeyPolicies/${policy}`, this.#contentKeyPolicy(policy));
    if (protection === "region-keys" || (await arm.get(`streamingPolicies/${GATEWAY_KEYS_POLICY}`)) !== null) return;
    await arm.put(`streamingPolicies/${GATEWAY_KEYS_POLICY}`, {
      envelopeEncryption: {
        enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false },
        contentKeys: { defaultKey: { label: "clearKeyDefault" } },
        customKeyAcquisitionUrlTemplate: `${this.#options.keysUrl}/?kid={ContentKeyId}`,
      },
    });
  }

  #contentKeyPolicy(name: string): JsonObject {
    const configuration = { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" };
    const restriction: JsonObject =
      name === OPEN_POLICY
        ? { "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" }
        : {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
            issuer: ISSUER,
            audience: AUDIENCE,
            restrictionTokenType: "Jwt",
            primaryVerificationKey: {
              "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey",
              keyValue: Buffer.from(this.#options.signingKey).toString("base64"),
            },
            alternateVerificationKeys: [],
            requiredClaims: [{ claimType: KEY_CLAIM, claimValue: null }],
          };
    return { description: "Keys of the sandbox's sample video", options: [{ name, configuration, restriction }] };
  }

  async #token(keyId: string): Promise<string> {
    const now = Math.floor(this.#options.clock.now() / 1000);
    return new SignJWT({ [KEY_CLAIM]: keyId })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setNotBefore(now - 300)
      .setExpirationTime(now + TOKEN_LIFETIME_S)
      .sign(this.#options.signingKey);
  }
}

function object(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function streamingPath(answer: JsonObject, protocol: "Hls" | "Dash"): string {
  const entries = Array.isArray(answer["streamingPaths"]) ? answer["streamingPaths"] : [];
  for (const entry of entries) {
    const { streamingProtocol, paths } = object(entry);
    const [path] = Array.isArray(paths) ? paths : [];
    if (streamingProtocol === protocol && typeof path === "string") return path;
  }
  throw new PaircastError("publish_failed", `the locator has no ${protocol} path`);
}
