/** The parts that every entity's body has: id, type, system data. */
import type { JsonObject } from "../contracts.ts";
import { formatTicks, type Stamp } from "./times.ts";

export interface AccountIdentity {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

const AUTHOR = "operator@paircast.invalid";

/** `/subscriptions/…/mediaservices/{account}` + path: lower-case `mediaservices`, whatever the request wrote. */
export function resourceId(account: AccountIdentity, path = ""): string {
  const { subscriptionId, resourceGroup, name } = account;
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${name}${path}`;
}

export function systemData(stamp: Stamp): JsonObject {
  return {
    createdBy: AUTHOR,
    createdByType: "User",
    createdAt: formatTicks(stamp.created),
    lastModifiedBy: AUTHOR,
    lastModifiedByType: "User",
    lastModifiedAt: formatTicks(stamp.modified),
  };
}

/** `path` alternates types and names: `/assets/a/assetFilters/f`. Predefined entities have no stamp and no system data. */
export function entityBody(account: AccountIdentity, path: string, properties: JsonObject, stamp: Stamp | null): JsonObject {
  const parts = path.split("/").slice(1);
  const types = parts.filter((_, at) => at % 2 === 0);
  const body = {
    name: parts.at(-1) ?? "",
    id: resourceId(account, path),
    type: `Microsoft.Media/mediaservices/${types.join("/")}`,
    properties,
  };
  return stamp === null ? body : { ...body, systemData: systemData(stamp) };
}
