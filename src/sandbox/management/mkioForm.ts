/** How MK.IO shows entities and errors, where that is not as AMS does. Read in its SDK and in answers quoted there; nothing was recorded. */
import type { Json, JsonObject } from "../contracts.ts";
import { isList, isObject } from "./fields.ts";

/** Shown as empty texts, where AMS shows nulls. */
const SECRETS = new Set(["ask", "fairPlayPfx", "fairPlayPfxPassword", "keyValue", "rawBody", "exponent", "modulus"]);
/** What an asset shows that nobody has set. */
const UNSET = { alternateId: "", description: null, encryptionScope: null };

/** A body of the emulator's handlers in MK.IO's form. `project` is named in what it adds. */
export function mkioBody(body: JsonObject, url: URL, project: string): JsonObject {
  if (isList(body["value"])) return listBody(body, body["value"], url, project);
  return isObject(body["properties"]) ? entityBody(body, project) : withEmptySecrets(body);
}

function listBody(body: JsonObject, value: readonly Json[], url: URL, project: string): JsonObject {
  const entities = value.map((item) => (isObject(item) ? mkioBody(item, url, project) : item));
  const next = body["@odata.nextLink"];
  const link = typeof next === "string" ? { "@odata.nextLink": relative(next) } : {};
  return { value: entities, ...link, supplemental: { pagination: { records: entities.length } } };
}

/** Without the host, and encoded as a whole. */
function relative(link: string): string {
  const { pathname, search } = new URL(link);
  return encodeURIComponent(`${pathname}${search}`);
}

function entityBody(body: JsonObject, project: string): JsonObject {
  const isAsset = body["type"] === "Microsoft.Media/mediaservices/assets";
  const properties = withEmptySecrets(isObject(body["properties"]) ? body["properties"] : {});
  const shown = isAsset ? { ...UNSET, ...properties, storageEncryptionFormat: null, containerDeletionPolicy: "Retain" } : properties;
  return {
    ...body,
    properties: shown,
    ...(isAsset ? { labels: {} } : {}),
    supplemental: { operation: "get", subscription: { name: project } },
  };
}

function withEmptySecrets(value: JsonObject): JsonObject {
  const entries = Object.entries(value).map(([name, item]): [string, Json] => {
    if (SECRETS.has(name) && item === null) return [name, ""];
    if (isList(item)) return [name, item.map((entry) => (isObject(entry) ? withEmptySecrets(entry) : entry))];
    return [name, isObject(item) ? withEmptySecrets(item) : item];
  });
  return Object.fromEntries(entries);
}

export function mkioError(status: number, code: string, detail: string, ref: string): JsonObject {
  return { error: { code, detail, extraDetail: null }, status, ref };
}
