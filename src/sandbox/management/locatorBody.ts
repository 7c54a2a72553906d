/** Streaming locators in answers. Key values are in `listContentKeys` only. */
import type { JsonObject } from "../contracts.ts";
import { optional } from "./fields.ts";
import type { LocatorKey, LocatorRecord } from "./records.ts";
import { entityBody, type AccountIdentity } from "./resources.ts";
import { formatStored, formatTicks, NEVER, type Instant } from "./times.ts";

/**
 * - `created`: the reply to PUT, with times as they were sent
 * - `read`: GET, with times as the service's database keeps them
 * - `listed`: one of a list, where `contentKeys` is empty even if the locator has keys
 */
export function locatorBody(account: AccountIdentity, locator: LocatorRecord, form: "created" | "read" | "listed"): JsonObject {
  const format = form === "created" ? formatTicks : formatStored;
  const properties = {
    assetName: locator.assetName,
    ...times(locator, format),
    streamingLocatorId: locator.streamingLocatorId,
    streamingPolicyName: locator.streamingPolicyName,
    ...optional("defaultContentKeyPolicyName", locator.defaultContentKeyPolicyName),
    contentKeys: form === "listed" ? [] : locator.contentKeys.map(keyBody),
    ...optional("alternativeMediaId", locator.alternativeMediaId),
    filters: locator.filters,
  };
  return entityBody(account, `/streamingLocators/${locator.name}`, properties, locator.stamp);
}

/** One locator in `listStreamingLocators` of an asset: no keys, no filters. */
export function locatorListItem(locator: LocatorRecord): JsonObject {
  return {
    name: locator.name,
    assetName: locator.assetName,
    ...times(locator, formatStored),
    streamingLocatorId: locator.streamingLocatorId,
    streamingPolicyName: locator.streamingPolicyName,
    ...optional("defaultContentKeyPolicyName", locator.defaultContentKeyPolicyName),
  };
}

/** One key in `listContentKeys`. */
export function keyWithValue(key: LocatorKey): JsonObject {
  return { ...keyBody(key), value: key.value, ...optional("policyName", key.policyName) };
}

function keyBody({ id, type, label, tracks }: LocatorKey): JsonObject {
  return { id, type, labelReferenceInStreamingPolicy: label, tracks };
}

function times({ startTime, endTime, stamp }: LocatorRecord, format: (instant: Instant) => string): JsonObject {
  return {
    created: format(stamp.created),
    ...optional("startTime", startTime === null ? null : format(startTime)),
    endTime: format(endTime ?? NEVER),
  };
}
