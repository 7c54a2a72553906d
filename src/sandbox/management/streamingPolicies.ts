/** Streaming policies: immutable, the six predefined ones first. */
import type { Json, JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { badRequest, conflict } from "./errors.ts";
import { isObject, listField, objectField, objectsField, optional, requiredText, textField } from "./fields.ts";
import { recreated } from "./immutable.ts";
import { LISTINGS, page } from "./odata.ts";
import { PREDEFINED_PREFIX } from "./predefinedPolicies.ts";
import type { StreamingPolicyRecord } from "./records.ts";
import { entityBody } from "./resources.ts";
import { same } from "./store.ts";
import { formatTicks } from "./times.ts";

const ENCRYPTIONS = ["envelopeEncryption", "commonEncryptionCenc", "commonEncryptionCbcs"] as const;
const PROTOCOLS = ["download", "dash", "hls", "smoothStreaming"] as const;

export function streamingPolicyRoutes(emulator: Emulator): Route[] {
  const { store } = emulator;
  const existing = (call: Call) => store.streamingPolicies.get(call.param("policy"));
  const body = ({ name, properties, stamp }: StreamingPolicyRecord): JsonObject =>
    entityBody(emulator.account, `/streamingPolicies/${name}`, properties, stamp);
  const one = "streamingpolicies/:policy";
  return [
    {
      method: "GET",
      path: "streamingpolicies",
      handle: (call) => {
        const bodies = store.streamingPolicies.values().map(body);
        return { status: 200, body: page(bodies, LISTINGS.streamingPolicies, call.url, emulator.switches.pageSize) };
      },
    },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: body(found(existing(call))) }) },
    {
      method: "PUT",
      path: one,
      handle: (call) => {
        const content = stored(emulator, objectField(bodyOf(call), "properties"));
        const before = existing(call);
        if (before !== undefined) return recreated(emulator, `streaming policy '${before.name}'`, contentOf(before), content, body(before));
        const stamp = stampOf(emulator);
        const policy = { name: newName(call), properties: { created: formatTicks(stamp.created), ...content }, stamp };
        store.streamingPolicies.set(policy);
        return { status: 201, body: body(policy) };
      },
    },
    { method: "DELETE", path: one, handle: (call) => remove(emulator, existing(call)) },
  ];
}

function newName(call: Call): string {
  const name = call.param("policy");
  if (name.startsWith(PREDEFINED_PREFIX)) throw badRequest(`Names that begin with '${PREDEFINED_PREFIX}' are reserved.`);
  return name;
}

function contentOf({ properties }: StreamingPolicyRecord): JsonObject {
  const { created: _, ...content } = properties;
  return content;
}

function remove({ store, switches }: Emulator, policy: StreamingPolicyRecord | undefined): Reply {
  if (policy === undefined) return deleted(false);
  if (policy.stamp === null) throw badRequest(`The predefined streaming policy '${policy.name}' cannot be deleted.`);
  const used = store.locators().some(({ streamingPolicyName }) => same(streamingPolicyName, policy.name));
  if (used && switches.deletePolicyInUse === "refuse")
    throw conflict(`The streaming policy '${policy.name}' is used by a streaming locator.`);
  return deleted(store.streamingPolicies.delete(policy.name));
}

/** Properties as the service keeps them: what is left out of an encryption is filled in. */
function stored(emulator: Emulator, properties: JsonObject): JsonObject {
  const encryptions = ENCRYPTIONS.filter((name) => isObject(properties[name]));
  const clear = isObject(properties["noEncryption"]) ? objectField(properties, "noEncryption") : null;
  if (encryptions.length === 0 && clear === null) throw badRequest("A streaming policy needs at least one way of streaming.");
  return {
    ...optional("defaultContentKeyPolicyName", knownPolicy(emulator, properties, "defaultContentKeyPolicyName")),
    ...Object.fromEntries(encryptions.map((name) => [name, storedEncryption(emulator, objectField(properties, name))])),
    ...(clear === null ? {} : { noEncryption: { ...clear, ...protocols(clear) } }),
  };
}

function storedEncryption(emulator: Emulator, encryption: JsonObject): JsonObject {
  const contentKeys = objectField(encryption, "contentKeys");
  const defaultKey = objectField(contentKeys, "defaultKey");
  const mappings = objectsField(contentKeys, "keyToTrackMappings");
  if ("label" in defaultKey) requiredText(defaultKey, "label");
  for (const key of [defaultKey, ...mappings]) knownPolicy(emulator, key, "policyName");
  for (const mapping of mappings) requiredText(mapping, "label");
  return {
    ...withoutNulls(encryption),
    ...protocols(encryption),
    clearTracks: listField(encryption, "clearTracks"),
    contentKeys: { ...withoutNulls(contentKeys), keyToTrackMappings: mappings },
  };
}

function protocols(encryption: JsonObject): JsonObject {
  const enabled = objectField(encryption, "enabledProtocols");
  return { enabledProtocols: Object.fromEntries(PROTOCOLS.map((name): [string, Json] => [name, enabled[name] === true])) };
}

/** That an unknown name is refused is not recorded; a policy that nobody can use would be worse. */
function knownPolicy({ store }: Emulator, from: JsonObject, field: string): string | null {
  const name = textField(from, field);
  if (name !== null && store.contentKeyPolicies.get(name) === undefined)
    throw badRequest(`The content key policy '${name}' does not exist.`);
  return name;
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}
