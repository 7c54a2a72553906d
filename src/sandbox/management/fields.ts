/** Reading of request bodies: what has the wrong type is the sender's fault (400), never an exception of ours. */
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { parseTime, type Instant } from "./times.ts";

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The text; empty for anything else. For values of our own bodies. */
export function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** `{}` where the field is absent or null. */
export function objectField(from: JsonObject, name: string): JsonObject {
  const value = from[name] ?? {};
  if (!isObject(value)) throw badRequest(`The value of '${name}' must be an object.`);
  return value;
}

/** `[]` where the field is absent or null. */
export function listField(from: JsonObject, name: string): readonly Json[] {
  const value = from[name] ?? [];
  if (!isList(value)) throw badRequest(`The value of '${name}' must be an array.`);
  return value;
}

/** The objects of a list field. */
export function objectsField(from: JsonObject, name: string): readonly JsonObject[] {
  return listField(from, name).map((item) => {
    if (!isObject(item)) throw badRequest(`Every item of '${name}' must be an object.`);
    return item;
  });
}

/** Null where the field is absent or null. */
export function textField(from: JsonObject, name: string): string | null {
  const value = from[name] ?? null;
  if (value !== null && typeof value !== "string") throw badRequest(`The value of '${name}' must be a string.`);
  return value;
}

export function requiredText(from: JsonObject, name: string): string {
  const value = textField(from, name);
  if (value === null || value === "") throw badRequest(`A value for '${name}' is required.`);
  return value;
}

/** Lower case; null where the field is absent. */
export function guidField(from: JsonObject, name: string): string | null {
  const value = textField(from, name);
  if (value !== null && !GUID.test(value)) throw badRequest(`The value '${value}' of '${name}' is not a GUID.`);
  return value?.toLowerCase() ?? null;
}

export function timeField(from: JsonObject, name: string): Instant | null {
  const value = textField(from, name);
  if (value === null) return null;
  const instant = parseTime(value);
  if (instant === null) throw badRequest(`The value '${value}' of '${name}' is not a time.`);
  return instant;
}

/** `{name: value}`, or nothing where the value is null: absent optional values are left out of answers. */
export function optional(name: string, value: Json): JsonObject {
  return value === null ? {} : { [name]: value };
}
