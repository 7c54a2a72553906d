/** What the service makes of a new locator's content keys: type and policy from the streaming policy, values where none were brought. */
import type { Random } from "../../src/core/clock.ts";
import type { ContentKey, StreamingLocator, StreamingPolicy, Tree, TreeObject } from "../../src/core/media.ts";

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
    const keys = child(child(policy.properties, section), "contentKeys");
    if (keys === null) return [];
    const mappings = keys["keyToTrackMappings"];
    const entries = [keys["defaultKey"], ...(Array.isArray(mappings) ? (mappings as readonly Tree[]) : [])];
    return entries.filter(isObject).map((entry) => ({ type, label: text(entry["label"]), policyName: text(entry["policyName"]) }));
  });
}

function child(tree: TreeObject | null, name: string): TreeObject | null {
  const value = tree?.[name];
  return isObject(value) ? value : null;
}

function isObject(value: Tree | undefined): value is TreeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array);
}

function text(value: Tree | undefined): string | null {
  return typeof value === "string" ? value : null;
}
