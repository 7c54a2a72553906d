/** Streaming endpoints in requests and answers. Unlike the other entities they show absent values as explicit nulls. */
import type { Json, JsonObject } from "../contracts.ts";
import type { EndpointRecord } from "./endpointMachine.ts";
import { badRequest } from "./errors.ts";
import { isObject, listField, objectField, objectsField, textField } from "./fields.ts";
import { resourceId, systemData, type AccountIdentity } from "./resources.ts";
import { formatTicks, parseTime } from "./times.ts";

export const ENDPOINT_TYPE = "Microsoft.Media/mediaservices/streamingEndpoints";
const NO_SYSTEM_DATA: JsonObject = {
  createdBy: null,
  createdByType: null,
  createdAt: null,
  lastModifiedBy: null,
  lastModifiedByType: null,
  lastModifiedAt: null,
};

/** The body; an endpoint that is being created shows its access rules as the request's shape, later as null where they are empty. */
export function endpointBody(account: AccountIdentity, endpoint: EndpointRecord, hostName: string): JsonObject {
  const { name, location, tags, settings, state, pending, created, modified, stamp } = endpoint;
  const creating = pending?.kind.startsWith("create") === true;
  return {
    name,
    id: resourceId(account, `/streamingendpoints/${name}`),
    type: ENDPOINT_TYPE,
    location,
    tags,
    properties: {
      ...(creating ? settings : withoutEmptyRules(settings)),
      hostName,
      freeTrialEndTime: "0001-01-01T00:00:00Z",
      provisioningState: pending === null ? "Succeeded" : "InProgress",
      resourceState: state,
      created: formatTicks(created),
      lastModified: formatTicks(modified),
    },
    systemData: stamp === null ? NO_SYSTEM_DATA : systemData(stamp),
    sku: sku(settings),
  };
}

/** `sku` follows the scale units: none is the Standard endpoint. */
export function sku(settings: JsonObject): JsonObject {
  const capacity = settings["scaleUnits"] ?? 0;
  return { name: capacity === 0 ? "Standard" : "Premium", capacity };
}

/** Settings of a new endpoint. */
export function newSettings(properties: JsonObject): JsonObject {
  return {
    description: textField(properties, "description") ?? "",
    scaleUnits: scaleUnits(properties["scaleUnits"] ?? 0),
    availabilitySetName: textField(properties, "availabilitySetName"),
    cdnEnabled: properties["cdnEnabled"] === true,
    cdnProvider: textField(properties, "cdnProvider"),
    cdnProfile: textField(properties, "cdnProfile") ?? "",
    maxCacheAge: properties["maxCacheAge"] ?? null,
    customHostNames: listField(properties, "customHostNames"),
    accessControl: accessControl(objectField(properties, "accessControl")),
    crossSiteAccessPolicies: crossSite(objectField(properties, "crossSiteAccessPolicies")),
  };
}

/** Settings after a PATCH: what it does not mention stays. */
export function changedSettings(before: JsonObject, properties: JsonObject): JsonObject {
  const sent = newSettings({ ...before, ...properties });
  return withoutEmptyRules(sent);
}

export function scaleUnits(value: Json): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) throw badRequest("The number of scale units is not valid.");
  return value;
}

function withoutEmptyRules(settings: JsonObject): JsonObject {
  const rules = (name: string): Json => {
    const value = objectField(settings, name);
    return Object.values(value).every((item) => item === null) ? null : value;
  };
  return { ...settings, accessControl: rules("accessControl"), crossSiteAccessPolicies: rules("crossSiteAccessPolicies") };
}

function accessControl(rules: JsonObject): JsonObject {
  const { akamai, ip } = rules;
  return {
    akamai: isObject(akamai)
      ? { akamaiSignatureHeaderAuthenticationKeyList: objectsField(akamai, "akamaiSignatureHeaderAuthenticationKeyList").map(akamaiKey) }
      : null,
    ip: isObject(ip) ? { allow: objectsField(ip, "allow").map((range) => ({ subnetPrefixLength: null, ...range })) } : null,
  };
}

function akamaiKey(key: JsonObject): JsonObject {
  const expiration = parseTime(textField(key, "expiration") ?? "");
  return expiration === null ? key : { ...key, expiration: formatTicks(expiration) };
}

function crossSite(policies: JsonObject): JsonObject {
  return { clientAccessPolicy: textField(policies, "clientAccessPolicy"), crossDomainPolicy: textField(policies, "crossDomainPolicy") };
}
