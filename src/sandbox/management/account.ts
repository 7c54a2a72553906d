/** The media account itself. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { stampOf, type Emulator } from "./emulator.ts";
import { badRequest, resourceNotFound } from "./errors.ts";
import { objectField, objectsField, optional, requiredText, textField } from "./fields.ts";
import { locationDisplayName } from "./locations.ts";
import type { AccountRecord } from "./records.ts";
import { resourceId, systemData } from "./resources.ts";
import type { MediaAccountStore } from "./store.ts";

/** Older versions answered without a provisioning state. */
const HAS_PROVISIONING_STATE = "2021-11-01";

/** Names of the attached storage accounts, the primary one first. */
export function storageAccountNames(store: MediaAccountStore): string[] {
  const accounts = objectsField(store.account?.properties ?? {}, "storageAccounts");
  const primaryFirst = accounts.toSorted((a, b) => Number(b["type"] === "Primary") - Number(a["type"] === "Primary"));
  return primaryFirst.map((account) => requiredText(account, "id").split("/").at(-1) ?? "");
}

/** The account as somebody with default settings would have made it: the region's storage account attached. */
export function provisionAccount(emulator: Emulator): void {
  const { account, storage, store, location } = emulator;
  const id = `/subscriptions/${account.subscriptionId}/resourceGroups/${account.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${storage.accountName}`;
  store.account = accountRecord(emulator, { location, properties: { storageAccounts: [{ id, type: "Primary" }] } });
  store.endpoints.provision(store.account.location);
}

export function accountRoutes(emulator: Emulator): Route[] {
  const { store } = emulator;
  return [
    { method: "GET", path: "", handle: (call) => ({ status: 200, body: accountBody(emulator, call, existing(emulator)) }) },
    { method: "PUT", path: "", handle: (call) => put(emulator, call) },
    {
      method: "PATCH",
      path: "",
      handle: (call) => {
        const before = existing(emulator);
        const body = bodyOf(call);
        const properties = { ...before.properties, ...objectField(body, "properties") };
        const { location } = before;
        const merged = { location, ...optional("tags", before.tags), ...optional("identity", before.identity), ...body, properties };
        store.account = accountRecord(emulator, merged);
        return { status: 200, body: accountBody(emulator, call, store.account) };
      },
    },
    {
      method: "DELETE",
      path: "",
      handle: () => {
        const existed = store.account !== null;
        store.clear();
        return deleted(existed);
      },
    },
    {
      method: "POST",
      path: "syncstoragekeys",
      handle: (call) => {
        requiredText(bodyOf(call), "id");
        return { status: 200 };
      },
    },
  ];
}

/** The lists by subscription and by resource group. */
export function accountList(emulator: Emulator, call: Call): Reply {
  const { account } = emulator.store;
  return { status: 200, body: { value: account === null ? [] : [accountBody(emulator, call, account)] } };
}

function existing({ store, account }: Emulator): AccountRecord {
  if (store.account === null) throw resourceNotFound(`mediaServices/${account.name}`, account.resourceGroup);
  return store.account;
}

/** PUT of an account answers at once, in versions that answered with a long-running operation too: clients see a finished one. */
function put(emulator: Emulator, call: Call): Reply {
  const { store } = emulator;
  const created = store.account === null;
  store.account = accountRecord(emulator, bodyOf(call));
  if (created) store.endpoints.provision(store.account.location);
  return { status: created ? 201 : 200, body: accountBody(emulator, call, store.account) };
}

function accountRecord(emulator: Emulator, body: JsonObject): AccountRecord {
  const before = emulator.store.account;
  const location = before?.location ?? locationDisplayName(requiredText(body, "location"));
  const properties = objectField(body, "properties");
  const storageAccounts = objectsField(properties, "storageAccounts");
  for (const account of storageAccounts) requiredText(account, "id");
  if (storageAccounts.filter((account) => account["type"] === "Primary").length !== 1) {
    throw badRequest("A media account needs exactly one primary storage account.");
  }
  return {
    location,
    tags: "tags" in body ? objectField(body, "tags") : null,
    identity: identity(emulator, body),
    properties: {
      mediaServiceId: before?.properties["mediaServiceId"] ?? emulator.random.uuid(),
      storageAuthentication: "System",
      encryption: { type: "SystemKey" },
      keyDelivery: { accessControl: { defaultAction: "Allow", ipAllowList: [] } },
      publicNetworkAccess: "Enabled",
      ...withoutReadOnly(properties),
      storageAccounts,
    },
    stamp: stampOf(emulator, before ?? undefined),
  };
}

/** A client that sends back what it read sends read-only values too. */
function withoutReadOnly(properties: JsonObject): JsonObject {
  const { mediaServiceId: _, provisioningState: __, privateEndpointConnections: ___, ...rest } = properties;
  return rest;
}

function identity(emulator: Emulator, body: JsonObject): JsonObject | null {
  if (!("identity" in body)) return null;
  const wanted = objectField(body, "identity");
  const type = textField(wanted, "type");
  const before = emulator.store.account?.identity;
  if (type !== "SystemAssigned") return wanted;
  return { type, principalId: before?.["principalId"] ?? emulator.random.uuid(), tenantId: before?.["tenantId"] ?? emulator.random.uuid() };
}

function accountBody(emulator: Emulator, call: Call, account: AccountRecord): JsonObject {
  const state: JsonObject = call.apiVersion < HAS_PROVISIONING_STATE ? {} : { provisioningState: "Succeeded" };
  return {
    name: emulator.account.name,
    id: resourceId(emulator.account),
    type: "Microsoft.Media/mediaservices",
    location: account.location,
    ...optional("tags", account.tags),
    properties: { ...account.properties, ...state },
    systemData: systemData(account.stamp),
    ...optional("identity", account.identity),
  };
}
