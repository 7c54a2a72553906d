/** Asset filters and account filters: the same entity under two parents. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { listField, objectField, objectsField } from "./fields.ts";
import type { NamedMap } from "./namedMap.ts";
import { LISTINGS, page } from "./odata.ts";
import type { FilterRecord } from "./records.ts";
import { entityBody } from "./resources.ts";

/** Where the filters of a call are kept and what their ids begin with. */
interface Parent {
  readonly filters: NamedMap<FilterRecord>;
  readonly path: string;
}

export function filterRoutes(emulator: Emulator): Route[] {
  const accountParent = (): Parent => ({ filters: emulator.store.accountFilters, path: "/accountFilters" });
  const assetParent = (call: Call): Parent => {
    const asset = found(emulator.store.assets.get(call.param("asset")));
    return { filters: asset.filters, path: `/assets/${asset.name}/assetFilters` };
  };
  return [...routesUnder(emulator, "accountfilters", accountParent), ...routesUnder(emulator, "assets/:asset/assetfilters", assetParent)];
}

function routesUnder(emulator: Emulator, path: string, parentOf: (call: Call) => Parent): Route[] {
  const body = (parent: Parent, filter: FilterRecord): JsonObject =>
    entityBody(emulator.account, `${parent.path}/${filter.name}`, filter.properties, filter.stamp);
  const write = (call: Call, existing: FilterRecord | undefined, properties: JsonObject): Reply => {
    const parent = parentOf(call);
    const filter = { name: existing?.name ?? call.param("filter"), properties: checked(properties), stamp: stampOf(emulator, existing) };
    parent.filters.set(filter);
    return { status: existing === undefined ? 201 : 200, body: body(parent, filter) };
  };
  const one = `${path}/:filter`;
  return [
    {
      method: "GET",
      path,
      handle: (call) => {
        const parent = parentOf(call);
        const bodies = parent.filters.values().map((filter) => body(parent, filter));
        return { status: 200, body: page(bodies, LISTINGS.plain, call.url, emulator.switches.pageSize) };
      },
    },
    {
      method: "GET",
      path: one,
      handle: (call) => {
        const parent = parentOf(call);
        return { status: 200, body: body(parent, found(parent.filters.get(call.param("filter")))) };
      },
    },
    {
      method: "PUT",
      path: one,
      handle: (call) => write(call, parentOf(call).filters.get(call.param("filter")), objectField(bodyOf(call), "properties")),
    },
    {
      method: "PATCH",
      path: one,
      handle: (call) => {
        const existing = found(parentOf(call).filters.get(call.param("filter")));
        return write(call, existing, { ...existing.properties, ...objectField(bodyOf(call), "properties") });
      },
    },
    { method: "DELETE", path: one, handle: (call) => deleted(parentOf(call).filters.delete(call.param("filter"))) },
  ];
}

/** `tracks` is filled in. Values of track selections are not checked: the service accepted even `Unknown`. */
function checked(properties: JsonObject): JsonObject {
  objectField(properties, "presentationTimeRange");
  objectField(properties, "firstQuality");
  const tracks = objectsField(properties, "tracks");
  for (const track of tracks) listField(track, "trackSelections");
  return { ...properties, tracks };
}
