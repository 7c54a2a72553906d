/** Content key policies and streaming policies of every kind that the management API has, with every field that it takes. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ContentKeyPolicy, StreamingPolicy, Tree, TreeObject } from "../../src/core/media.ts";

const TYPE = "#Microsoft.Media.ContentKeyPolicy";
const CERTIFICATE = readFileSync(new URL("issuer.pem", import.meta.url), "utf8");

export const SYMMETRIC: TreeObject = { odataType: `${TYPE}SymmetricTokenKey`, keyValue: new Uint8Array(40).fill(3) };
export const RSA: TreeObject = {
  odataType: `${TYPE}RsaTokenKey`,
  exponent: new Uint8Array([1, 0, 1]),
  modulus: new Uint8Array(256).map((_, at) => (at * 5) % 256),
};
/** As an operator sends it; the service gives it back in another form. */
export const X509_PEM: TreeObject = { odataType: `${TYPE}X509CertificateTokenKey`, rawBody: new Uint8Array(Buffer.from(CERTIFICATE)) };
export const X509_DER: TreeObject = { ...X509_PEM, rawBody: new Uint8Array(new X509Certificate(CERTIFICATE).raw) };

const OPEN: TreeObject = { odataType: `${TYPE}OpenRestriction` };
const CLEAR_KEY: TreeObject = { odataType: `${TYPE}ClearKeyConfiguration` };

function token(primaryVerificationKey: TreeObject | null, change: TreeObject = {}): TreeObject {
  return {
    odataType: `${TYPE}TokenRestriction`,
    issuer: "https://login.example.com",
    audience: "player",
    restrictionTokenType: "Jwt",
    ...(primaryVerificationKey === null ? {} : { primaryVerificationKey }),
    ...change,
  };
}

const PLAY_READY: TreeObject = {
  odataType: `${TYPE}PlayReadyConfiguration`,
  responseCustomData: "custom",
  licenses: [
    {
      allowTestDevices: true,
      securityLevel: "SL2000",
      beginDate: new Date("2026-01-01T00:00:00.000Z"),
      playRight: {
        firstPlayExpiration: "PT24H",
        scmsRestriction: 2,
        agcAndColorStripeRestriction: 1,
        explicitAnalogTelevisionOutputRestriction: { bestEffort: true, configurationData: 3 },
        digitalVideoOnlyContentRestriction: false,
        imageConstraintForAnalogComponentVideoRestriction: true,
        imageConstraintForAnalogComputerMonitorRestriction: false,
        allowPassingVideoContentToUnknownOutput: "NotAllowed",
        uncompressedDigitalVideoOpl: 100,
        compressedDigitalVideoOpl: 400,
        analogVideoOpl: 100,
        compressedDigitalAudioOpl: 250,
        uncompressedDigitalAudioOpl: 100,
      },
      licenseType: "Persistent",
      contentKeyLocation: {
        odataType: `${TYPE}PlayReadyContentEncryptionKeyFromKeyIdentifier`,
        keyId: "7b9f4e0c-0f2a-4b7e-9a55-6c1f4a1b2c3d",
      },
      contentType: "UltraVioletStreaming",
    },
    {
      allowTestDevices: false,
      relativeBeginDate: "PT5M",
      relativeExpirationDate: "PT30M",
      gracePeriod: "PT48H",
      licenseType: "Persistent",
      contentKeyLocation: { odataType: `${TYPE}PlayReadyContentEncryptionKeyFromHeader` },
      contentType: "UltraVioletDownload",
    },
    {
      allowTestDevices: false,
      expirationDate: new Date("2030-12-31T23:00:00.000Z"),
      licenseType: "NonPersistent",
      contentKeyLocation: { odataType: `${TYPE}PlayReadyContentEncryptionKeyFromHeader` },
      contentType: "Unspecified",
    },
  ],
};

const WIDEVINE: TreeObject = {
  odataType: `${TYPE}WidevineConfiguration`,
  widevineTemplate: '{"allowed_track_types":"SD_HD","content_key_specs":[{"track_type":"SD","security_level":1}],"policy_overrides":{}}',
};

function fairPlay(change: TreeObject): TreeObject {
  return {
    odataType: `${TYPE}FairPlayConfiguration`,
    ask: new Uint8Array(16).fill(9),
    fairPlayPfx: Buffer.from("a certificate with its key").toString("base64"),
    fairPlayPfxPassword: "password of the certificate",
    ...change,
  };
}

function policy(name: string, ...options: readonly (readonly [configuration: TreeObject, restriction: TreeObject])[]): ContentKeyPolicy {
  const named = options.map(([configuration, restriction], at): Tree => ({ name: `option-${at}`, configuration, restriction }));
  return { name, properties: { description: `the policy ${name}`, options: named } };
}

const CLAIMS = {
  requiredClaims: [{ claimType: "urn:microsoft:azure:mediaservices:contentkeyidentifier" }, { claimType: "plan", claimValue: "gold" }],
};

export const KEY_POLICIES: readonly ContentKeyPolicy[] = [
  policy("clear-key-open", [CLEAR_KEY, OPEN]),
  policy("clear-key-symmetric-token", [CLEAR_KEY, token(SYMMETRIC, CLAIMS)]),
  policy("clear-key-rsa-token", [CLEAR_KEY, token(RSA)]),
  policy("clear-key-x509-token", [CLEAR_KEY, token(X509_PEM)]),
  policy("clear-key-x509-token-in-der", [CLEAR_KEY, token(X509_DER)]),
  policy("clear-key-alternate-keys", [CLEAR_KEY, token(SYMMETRIC, { alternateVerificationKeys: [RSA, X509_PEM, SYMMETRIC] })]),
  policy("clear-key-simple-web-token", [CLEAR_KEY, token(SYMMETRIC, { restrictionTokenType: "Swt" })]),
  policy("open-id-discovery", [
    CLEAR_KEY,
    token(null, { openIdConnectDiscoveryDocument: "https://login.example.com/.well-known/openid-configuration" }),
  ]),
  policy("play-ready", [PLAY_READY, OPEN]),
  policy("widevine", [WIDEVINE, token(RSA)]),
  policy("fair-play", [fairPlay({ rentalAndLeaseKeyType: "PersistentUnlimited", rentalDuration: 0 }), OPEN]),
  policy("fair-play-rental", [fairPlay({ rentalAndLeaseKeyType: "PersistentLimited", rentalDuration: 3_600 }), token(SYMMETRIC)]),
  policy("fair-play-offline", [
    fairPlay({
      rentalAndLeaseKeyType: "DualExpiry",
      rentalDuration: 60,
      offlineRentalConfiguration: { playbackDurationSeconds: 86_400, storageDurationSeconds: 172_800 },
    }),
    token(X509_DER),
  ]),
  policy(
    "all-of-them",
    [PLAY_READY, token(SYMMETRIC)],
    [WIDEVINE, token(RSA)],
    [fairPlay({ rentalAndLeaseKeyType: "Undefined", rentalDuration: 0 }), OPEN],
  ),
];

const PROTOCOLS: TreeObject = { download: false, dash: true, hls: true, smoothStreaming: false };
const TRACKS: Tree = [{ trackSelections: [{ property: "FourCC", operation: "Equal", value: "hev1" }] }];

const CENC: TreeObject = {
  enabledProtocols: { ...PROTOCOLS, smoothStreaming: true },
  clearTracks: TRACKS,
  contentKeys: {
    defaultKey: { label: "cenc", policyName: "tokens" },
    keyToTrackMappings: [{ label: "cenc-uhd", policyName: "tokens", tracks: TRACKS }],
  },
  drm: {
    playReady: {
      customLicenseAcquisitionUrlTemplate: "https://keys.example.net/playready?kid={ContentKeyId}",
      playReadyCustomAttributes: "<a/>",
    },
    widevine: { customLicenseAcquisitionUrlTemplate: "https://keys.example.net/widevine?kid={ContentKeyId}&media={AlternativeMediaId}" },
  },
};

const CBCS: TreeObject = {
  enabledProtocols: PROTOCOLS,
  contentKeys: { defaultKey: { label: "cbcs" } },
  drm: {
    fairPlay: { customLicenseAcquisitionUrlTemplate: "https://keys.example.net/fairplay?kid={ContentKeyId}", allowPersistentLicense: true },
  },
};

export const STREAMING_POLICIES: readonly StreamingPolicy[] = [
  { name: "none", properties: { noEncryption: { enabledProtocols: { ...PROTOCOLS, download: true } } } },
  {
    name: "envelope",
    properties: {
      defaultContentKeyPolicyName: "tokens",
      envelopeEncryption: {
        enabledProtocols: PROTOCOLS,
        clearTracks: TRACKS,
        contentKeys: { defaultKey: { label: "aes" } },
        customKeyAcquisitionUrlTemplate: "https://keys.example.net/?kid={ContentKeyId}",
      },
    },
  },
  { name: "cenc", properties: { commonEncryptionCenc: CENC } },
  {
    name: "cenc-clear-key",
    properties: {
      commonEncryptionCenc: {
        enabledProtocols: PROTOCOLS,
        contentKeys: { defaultKey: { label: "cenc" } },
        clearKeyEncryptionConfiguration: { customKeysAcquisitionUrlTemplate: "https://keys.example.net/clearkey?kid={ContentKeyId}" },
      },
    },
  },
  { name: "cbcs", properties: { commonEncryptionCbcs: CBCS } },
  { name: "everything", properties: { defaultContentKeyPolicyName: "tokens", commonEncryptionCenc: CENC, commonEncryptionCbcs: CBCS } },
];
