/** Streaming locators: immutable, and their ids and key ids are unique. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { badRequest, conflict } from "./errors.ts";
import { guidField, listField, objectField, requiredText, textField, timeField } from "./fields.ts";
import { recreated } from "./immutable.ts";
import { keyWithValue, locatorBody } from "./locatorBody.ts";
import { locatorKeys } from "./locatorKeys.ts";
import { LISTINGS, page, pageByName } from "./odata.ts";
import type { LocatorRecord } from "./records.ts";
import { streamingPaths } from "./streamingPaths.ts";

export function locatorRoutes(emulator: Emulator): Route[] {
  const { store, account } = emulator;
  const existing = (call: Call) => found(store.locatorNamed(call.param("locator")));
  const one = "streaminglocators/:locator";
  return [
    {
      method: "GET",
      path: "streaminglocators",
      handle: (call) => {
        const { pageSize } = emulator.switches;
        const listed = (locator: LocatorRecord) => locatorBody(account, locator, "listed");
        const sorted = store.locatorsByName();
        const body =
          pageByName(sorted, listed, LISTINGS.streamingLocators, call.url, pageSize) ??
          page(sorted.map(listed), LISTINGS.streamingLocators, call.url, pageSize);
        return { status: 200, body };
      },
    },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: locatorBody(account, existing(call), "read") }) },
    { method: "PUT", path: one, handle: (call) => create(emulator, call) },
    {
      method: "DELETE",
      path: one,
      handle: (call) => {
        const locator = store.locatorNamed(call.param("locator"));
        if (locator !== undefined) store.removeLocator(locator, emulator.switches.deletedLocatorFreesKeyIds);
        return deleted(locator !== undefined);
      },
    },
    {
      method: "POST",
      path: `${one}/listcontentkeys`,
      handle: (call) => ({ status: 200, body: { contentKeys: existing(call).contentKeys.map(keyWithValue) } }),
    },
    { method: "POST", path: `${one}/listpaths`, handle: async (call) => listPaths(emulator, existing(call)) },
  ];
}

async function listPaths({ store, manifestName }: Emulator, locator: LocatorRecord): Promise<Reply> {
  const policy = store.streamingPolicy(locator.streamingPolicyName) ?? {};
  return { status: 200, body: streamingPaths(policy, locator.streamingLocatorId, await manifestName(locator.assetName)) };
}

function create(emulator: Emulator, call: Call): Reply {
  const { store, account } = emulator;
  const properties = objectField(bodyOf(call), "properties");
  const before = store.locatorNamed(call.param("locator"));
  if (before !== undefined) {
    const sent = content(emulator, properties, before);
    return recreated(emulator, `streaming locator '${before.name}'`, contentOf(before), sent, locatorBody(account, before, "read"));
  }
  const locator = { name: call.param("locator"), ...content(emulator, properties), stamp: stampOf(emulator) };
  checkUnique(emulator, locator);
  store.addLocator(locator);
  return { status: 201, body: locatorBody(account, locator, "created") };
}

type LocatorContent = Omit<LocatorRecord, "name" | "stamp">;

function contentOf(locator: LocatorRecord): LocatorContent {
  const { name: _, stamp: __, ...rest } = locator;
  return rest;
}

/** What a request asks for. Ids and keys that it leaves open are drawn, or taken from `before`. */
function content(emulator: Emulator, properties: JsonObject, before?: LocatorRecord): LocatorContent {
  const { random } = emulator;
  const { assetName, policyName, policy, defaultContentKeyPolicyName } = references(emulator, properties);
  const [startTime, endTime] = [timeField(properties, "startTime"), timeField(properties, "endTime")];
  if (startTime !== null && endTime !== null && endTime.ms <= startTime.ms)
    throw badRequest("The 'endTime' must be after the 'startTime'.");
  const keysGiven = listField(properties, "contentKeys").length > 0;
  return {
    assetName,
    streamingLocatorId: guidField(properties, "streamingLocatorId") ?? before?.streamingLocatorId ?? random.uuid(),
    streamingPolicyName: policyName,
    defaultContentKeyPolicyName,
    alternativeMediaId: textField(properties, "alternativeMediaId"),
    startTime,
    endTime,
    filters: listField(properties, "filters").map(String),
    contentKeys: before !== undefined && !keysGiven ? before.contentKeys : locatorKeys(policy, properties, random),
  };
}

/** What a locator refers to must exist; that this is a 400 is not recorded. */
function references({ store }: Emulator, properties: JsonObject) {
  const asset = store.assets.get(requiredText(properties, "assetName"));
  if (asset === undefined) throw badRequest(`The asset '${requiredText(properties, "assetName")}' does not exist.`);
  const policy = store.streamingPolicies.get(requiredText(properties, "streamingPolicyName"));
  if (policy === undefined) throw badRequest(`The streaming policy '${requiredText(properties, "streamingPolicyName")}' does not exist.`);
  const defaultContentKeyPolicyName = textField(properties, "defaultContentKeyPolicyName");
  if (defaultContentKeyPolicyName !== null && store.contentKeyPolicies.get(defaultContentKeyPolicyName) === undefined) {
    throw badRequest(`The content key policy '${defaultContentKeyPolicyName}' does not exist.`);
  }
  return { assetName: asset.name, policyName: policy.name, policy: policy.properties, defaultContentKeyPolicyName };
}

function checkUnique({ store, switches }: Emulator, locator: LocatorRecord): void {
  if (switches.duplicateLocatorId === "conflict" && store.locator(locator.streamingLocatorId) !== null) {
    throw conflict(`Streaming locator id '${locator.streamingLocatorId}' already exists, please choose another one.`);
  }
  if (switches.duplicateKeyId === "allow") return;
  const seen = new Set(store.keyIds);
  for (const { id } of locator.contentKeys) {
    if (seen.has(id)) throw conflict(`Content key id '${id}' already exists, please choose another one.`);
    seen.add(id);
  }
}
