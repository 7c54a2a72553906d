/** What the service makes of a new locator's content keys: type and policy from the streaming policy, values where none were brought. */
import type { Random } from "../../src/core/clock.ts";
import type { ContentKey, StreamingLocator, StreamingPolicy, Tree } from "../../src/core/media.ts";
import { child, isTreeObject } from "./trees.ts";

const TYPES = {
  envelopeEncryption: "EnvelopeEncryption",
  commonEncryptionCenc: "CommonEncryptionCenc",
  commonEncryptionCbcs: "CommonEncryptionCbcs",
} as const;

interface PolicyKey {
  readonly type: string;
  readonly label: string | null;
  readonly policyName: string | null;
}

/** Keys with lower-case ids; a locator without keys under a policy that encrypts gets generated ones. */
export function assignKeys(locator: StreamingLocator, policy: StreamingPolicy, random: Random): readonly ContentKey[] {
  const wanted = policyKeys(policy);
  if (locator.contentKeys.length === 0) return wanted.map((key) => generated(key, locator, random));
  return locator.contentKeys.map((key) => {
    const match = wanted.find(({ label }) => label === key.labelReferenceInStreamingPolicy);
    return {
      id: key.id.toLowerCase(),
      type: match?.type ?? key.type,
      labelReferenceInStreamingPolicy: key.labelReferenceInStreamingPolicy,
      value: key.value,
      policyName: match?.policyName ?? locator.defaultContentKeyPolicyName,
    };
  });
}

function generated(key: PolicyKey, locator: StreamingLocator, random: Random): ContentKey {
  return {
    id: random.uuid(),
    type: key.type,
    labelReferenceInStreamingPolicy: key.label,
    value: Buffer.from(random.uuid().replaceAll("-", ""), "hex").toString("base64"),
    policyName: key.policyName ?? locator.defaultContentKeyPolicyName,
  };
}

function policyKeys(policy: StreamingPolicy): readonly PolicyKey[] {
  return Object.entries(TYPES).flatMap(([section, type]) => {
    const keys = child(policy.properties[section], "contentKeys");
    const mappings = child(keys, "keyToTrackMappings");
    const entries = [child(keys, "defaultKey"), ...(Array.isArray(mappings) ? (mappings as readonly Tree[]) : [])];
    return entries.filter(isTreeObject).map((entry) => ({ type, label: text(entry["label"]), policyName: text(entry["policyName"]) }));
  });
}

function text(value: Tree | undefined): string | null {
  return typeof value === "string" ? value : null;
}
