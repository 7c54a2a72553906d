/** Which policies and filters a locator needs beside itself. Pure. */
import { PREDEFINED_POLICY_PREFIX, type StreamingLocator, type StreamingPolicy, type Tree, type TreeObject } from "../core/media.ts";
import { isObject } from "./normalise.ts";

const ENCRYPTIONS = ["envelopeEncryption", "commonEncryptionCenc", "commonEncryptionCbcs"] as const;

export function isPredefined(policyName: string): boolean {
  return policyName.startsWith(PREDEFINED_POLICY_PREFIX);
}

/** Names of content key policies: the locator's default, those of its keys, and those that its streaming policy names. */
export function contentKeyPolicyNames(locator: StreamingLocator, policy: StreamingPolicy | null): readonly string[] {
  const names: readonly (string | null)[] = [
    locator.defaultContentKeyPolicyName,
    ...locator.contentKeys.map((key) => key.policyName),
    ...(policy === null ? [] : namedByStreamingPolicy(policy.properties)),
  ];
  return [...new Set(names.filter((name): name is string => name !== null && name !== ""))];
}

function namedByStreamingPolicy(properties: TreeObject): (string | null)[] {
  const sections = ENCRYPTIONS.map((name) => properties[name]).filter(isObject);
  return [
    text(properties["defaultContentKeyPolicyName"]),
    ...sections.flatMap((section) => [text(section["defaultContentKeyPolicyName"]), ...namedByKeys(section["contentKeys"])]),
  ];
}

function namedByKeys(keys: Tree | undefined): (string | null)[] {
  if (!isObject(keys)) return [];
  const mappings = keys["keyToTrackMappings"];
  const entries: readonly (Tree | undefined)[] = [keys["defaultKey"], ...(Array.isArray(mappings) ? (mappings as readonly Tree[]) : [])];
  return entries.filter(isObject).map((entry) => text(entry["policyName"]));
}

export function text(tree: Tree | undefined): string | null {
  return typeof tree === "string" && tree !== "" ? tree : null;
}

/** The content key policy that a key is delivered under: its own, or the locator's default, or the streaming policy's. */
export function policyOfKey(locator: StreamingLocator, keyId: string, policy: StreamingPolicy | null): string | null {
  const key = locator.contentKeys.find(({ id }) => id === keyId);
  return key?.policyName ?? locator.defaultContentKeyPolicyName ?? text(policy?.properties["defaultContentKeyPolicyName"]);
}

/**
 * Path and query at which a region's key delivery answers for a key. A custom template of the streaming policy leads through the gateway,
 * whose key prefix is taken off; without one the service's own form is used.
 */
export function keyPath(
  policy: StreamingPolicy | null,
  key: { readonly id: string; readonly alternativeMediaId: string | null },
  keyPrefix: string,
): string {
  const section = policy?.properties["envelopeEncryption"];
  const template = isObject(section) ? text(section["customKeyAcquisitionUrlTemplate"]) : null;
  const plain = `/?kid=${key.id}`;
  if (template === null) return plain;
  const filled = template
    .replaceAll(/\{ContentKeyId\}/gi, key.id)
    .replaceAll(/\{AlternativeMediaId\}/gi, encodeURIComponent(key.alternativeMediaId ?? ""));
  const target = filled.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/#.*$/, "");
  const rest =
    target === keyPrefix || target.startsWith(`${keyPrefix}/`) || target.startsWith(`${keyPrefix}?`)
      ? target.slice(keyPrefix.length)
      : target;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
