/** Publishes copies of the sample video in a region, as an encoder and an operator's tool would leave them. */
import { ContainerClient } from "@azure/storage-blob";
import { SignJWT } from "jose";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { ArmClient } from "./arm.ts";
import type { JsonObject } from "./contracts.ts";
import { liveSample, uploadSample, type SampleFile } from "./sample.ts";

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
/** Of what is encoded here: AES-128, the key at the gateway and open, so that it plays at once. Both are there once the sample is published. */
export const OUTPUT_POLICIES = { streamingPolicy: GATEWAY_KEYS_POLICY, contentKeyPolicy: OPEN_POLICY } as const;
const TOKEN_LIFETIME_S = 24 * 3600;

const containerSas = z.object({ assetContainerSasUrls: z.tuple([z.string()], z.string()) });
const publishedLocator = z.object({
  properties: z.object({ streamingLocatorId: z.string(), contentKeys: z.array(z.object({ id: z.string() })) }),
});
const locatorPaths = z.object({ streamingPaths: z.array(z.object({ streamingProtocol: z.string(), paths: z.array(z.string()) })) });

export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Uploads the sample's files as asset `name`, to be broadcast where it is to be `live`. Its container has the asset's name. */
  async upload(region: string, name: string, live = false): Promise<void> {
    const arm = this.#arm(region);
    await arm.put(`assets/${name}`, { container: name, description: "The sandbox's sample video", alternateId: `sample/${name}` });
    const expiry = new Date(this.#options.clock.now() + 3_600_000).toISOString();
    const answer = containerSas.parse(await arm.post(`assets/${name}/listContainerSas`, { permissions: "ReadWrite", expiryTime: expiry }));
    await uploadSample(
      new ContainerClient(answer.assetContainerSasUrls[0]),
      live ? liveSample(this.#options.sample) : this.#options.sample,
    );
  }

  /** Publishes an uploaded asset under a new locator. */
  async publish(region: string, assetName: string, protection: Protection, name: string): Promise<PublishedVideo> {
    const arm = this.#arm(region);
    await this.#ensurePolicies(arm, protection);
    const { properties } = publishedLocator.parse(await arm.put(`streamingLocators/${name}`, this.#locator(assetName, protection, name)));
    const keyId = properties.contentKeys[0]?.id ?? null;
    const { streamingPaths } = locatorPaths.parse(await arm.post(`streamingLocators/${name}/listPaths`, {}));
    const path = (protocol: string): string => streamingPaths.find((entry) => entry.streamingProtocol === protocol)?.paths[0] ?? "";
    return {
      name,
      locatorId: properties.streamingLocatorId,
      hls: path("Hls"),
      dash: path("Dash"),
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
