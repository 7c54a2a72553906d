/** What a locator's streaming policy makes of a request: clear, or AES-128 envelope encryption with the locator's content key. */
import { createCipheriv, createHash } from "node:crypto";
import { z } from "zod";
import type { AccountView, EmulatedKey, EmulatedLocator } from "../contracts.ts";
import { OriginError } from "./originErrors.ts";
import type { Packaging, Protocol } from "./path.ts";

/** A content key in use. `key` is a secret. */
export interface Envelope {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** Absolute URL for the player. */
  readonly keyUri: string;
}

/** The wire leaves out what is not set, or has null for it. */
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value === true);
const protocols = z
  .object({ hls: flag, dash: flag })
  .nullish()
  .transform((value) => value ?? { hls: false, dash: false });
const list = z
  .array(z.unknown())
  .nullish()
  .transform((value) => value ?? []);
const defaultKey = z
  .object({ label: z.string().nullish() })
  .nullish()
  .transform((value) => value?.label ?? null);
const contentKeys = z
  .object({ defaultKey, keyToTrackMappings: list })
  .nullish()
  .transform((value) => value ?? { defaultKey: null, keyToTrackMappings: [] });
const envelopeEncryption = z.object({
  enabledProtocols: protocols,
  clearTracks: list,
  contentKeys,
  customKeyAcquisitionUrlTemplate: z.string().nullish(),
});
const noEncryption = z.object({ enabledProtocols: protocols });
const streamingPolicy = z.object({ noEncryption: noEncryption.nullish(), envelopeEncryption: envelopeEncryption.nullish() });
type EnvelopeEncryption = z.infer<typeof envelopeEncryption>;

/**
 * Null: served clear. Throws `OriginError` 400 for a protocol or an encryption that the policy does not enable, and for a missing
 * `encryption=` where the policy has no clear delivery of the protocol.
 * @param keysUrl the region's key-delivery base URL, for policies without a template of their own
 */
export function protectionFor(account: AccountView, locator: EmulatedLocator, packaging: Packaging, keysUrl: string): Envelope | null {
  const policy = streamingPolicy.safeParse(account.streamingPolicy(locator.streamingPolicyName));
  if (!policy.success) throw new OriginError("asset_unusable", `streaming policy ${locator.streamingPolicyName} is missing or malformed`);
  const { protocol, encryption } = packaging;
  const clear = policy.data.noEncryption?.enabledProtocols[protocol] === true;
  const envelope = policy.data.envelopeEncryption?.enabledProtocols[protocol] === true ? policy.data.envelopeEncryption : null;
  if (encryption === null) {
    if (!clear) throw notClear(protocol, envelope !== null);
    return null;
  }
  if (envelope === null || encryption !== "cbc") throw notEncrypted(protocol, encryption);
  return envelopeOf(locator, envelope, keysUrl);
}

function notEncrypted(protocol: Protocol, encryption: string): OriginError {
  const reason =
    encryption === "cbc"
      ? `the streaming policy sets no envelope encryption for ${protocol}`
      : "only encryption=cbc, AES-128 envelope encryption, is emulated";
  return new OriginError("MPE_ENC_ENCRYPTION_NOT_SET_IN_DELIVERY_POLICY", reason);
}

function notClear(protocol: Protocol, encrypted: boolean): OriginError {
  return encrypted
    ? new OriginError("MPE_ENC_ENCRYPTION_NOT_SPECIFIED_IN_URL", "the streaming policy demands encryption: add encryption=cbc")
    : new OriginError("MPE_OUTPUT_FORMAT_BLOCKED", `the streaming policy does not enable ${protocol}`);
}

function envelopeOf(locator: EmulatedLocator, encryption: EnvelopeEncryption, keysUrl: string): Envelope {
  if (encryption.clearTracks.length > 0 || encryption.contentKeys.keyToTrackMappings.length > 0) {
    throw new OriginError("not_emulated", "clearTracks and keyToTrackMappings of streaming policies are not emulated");
  }
  const key = keyOf(locator, encryption.contentKeys.defaultKey);
  const value = Buffer.from(key.value, "base64");
  if (value.length !== 16) throw new OriginError("key_unusable", `content key ${key.id} has ${value.length} bytes; AES-128 needs 16`);
  return {
    key: value,
    iv: initializationVector(key.id),
    keyUri: keyUri(locator, key, encryption.customKeyAcquisitionUrlTemplate, keysUrl),
  };
}

function keyOf({ contentKeys, name }: EmulatedLocator, label: string | null): EmulatedKey {
  const keys = contentKeys.filter(({ type }) => type === "EnvelopeEncryption");
  const key = keys.find((candidate) => candidate.label === label) ?? (keys.length === 1 ? keys[0] : undefined);
  if (key === undefined) throw new OriginError("key_unusable", `locator ${name} has no envelope encryption key with the policy's label`);
  return key;
}

/**
 * One vector per content key, made from its id alone, so that every region that holds the key makes byte-identical segments. It is
 * the same for all segments, as in Azure's manifests and as an MPEG-DASH CryptoPeriod with an explicit IV demands (ISO/IEC 23009-4).
 */
function initializationVector(keyId: string): Uint8Array {
  return createHash("sha256").update(`paircast sandbox initialization vector ${keyId}`).digest().subarray(0, 16);
}

function keyUri(
  { alternativeMediaId }: EmulatedLocator,
  { id }: EmulatedKey,
  template: string | null | undefined,
  keysUrl: string,
): string {
  const uri = (template ?? `${keysUrl}/?kid={ContentKeyId}`)
    .replaceAll(/\{ContentKeyId\}/gi, () => id)
    .replaceAll(/\{(AlternativeMediaId|AssetAlternativeId)\}/gi, () => encodeURIComponent(alternativeMediaId ?? ""));
  // A quoted string of a playlist cannot hold these (RFC 8216, 4.2).
  return uri.replaceAll(/["\r\n]/g, (character) => encodeURIComponent(character));
}

/** AES-128-CBC with PKCS#7 padding over the whole segment (RFC 8216, 4.3.2.4). */
export function encryptSegment({ key, iv }: Envelope, segment: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-cbc", key, iv);
  return Buffer.concat([cipher.update(segment), cipher.final()]);
}
