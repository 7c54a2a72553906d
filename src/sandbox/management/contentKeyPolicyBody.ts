/** What the service makes of a content key policy: values normalised when it is stored, secrets blanked when it is shown. */
import { X509Certificate } from "node:crypto";
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { isList, isObject, objectField, objectsField } from "./fields.ts";
import type { ContentKeyPolicyRecord } from "./records.ts";
import { formatStored, formatTicks, parseTime } from "./times.ts";
import { optional } from "./fields.ts";

/** Shown as explicit nulls except by getPolicyPropertiesWithSecrets. */
const SECRETS = new Set(["ask", "fairPlayPfx", "fairPlayPfxPassword", "keyValue", "rawBody", "exponent", "modulus"]);
const TYPE_PREFIX = "#Microsoft.Media.ContentKeyPolicy";

export function policyProperties(policy: ContentKeyPolicyRecord, secrets: "with secrets" | "blanked"): JsonObject {
  return {
    policyId: policy.policyId,
    created: formatStored(policy.stamp.created),
    lastModified: formatStored(policy.stamp.modified),
    ...optional("description", policy.description),
    options: secrets === "with secrets" ? policy.options : policy.options.map(blanked),
  };
}

/** Checks the options of a request and brings them into the service's form, each with a new policyOptionId. */
export function storedOptions(properties: JsonObject, optionId: () => string): JsonObject[] {
  const options = objectsField(properties, "options");
  if (options.length === 0) throw badRequest("A content key policy needs at least one option.");
  return options.map((option) => {
    typed(option, "restriction");
    checkPlayReady(typed(option, "configuration"));
    const stored = normalised(option);
    return { policyOptionId: optionId(), ...stored, ...certificates(stored) };
  });
}

function typed(option: JsonObject, name: string): JsonObject {
  const part = objectField(option, name);
  const type = part["@odata.type"];
  if (typeof type !== "string" || !type.startsWith(TYPE_PREFIX)) throw badRequest(`'${name}' of an option needs an '@odata.type'.`);
  return part;
}

/** The one check that was recorded. */
function checkPlayReady(configuration: JsonObject): void {
  for (const license of objectsField(configuration, "licenses")) {
    const playRight = objectField(license, "playRight");
    const unknownOutput = playRight["allowPassingVideoContentToUnknownOutput"];
    if (playRight["digitalVideoOnlyContentRestriction"] === true && unknownOutput !== undefined && unknownOutput !== "NotAllowed") {
      throw badRequest("PlayReady does not allow passing to unknown outputs if the DigitalVideoOnlyContentRestriction is enabled.");
    }
  }
}

/** Times lose trailing zeros; a dual-expiry FairPlay licence loses its rental duration; nulls are as good as absent. */
function normalised(value: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === null || name === "policyOptionId") continue;
    result[name] = normalisedItem(name, item);
  }
  if (result["rentalAndLeaseKeyType"] === "DualExpiry") result["rentalDuration"] = 0;
  return result;
}

function normalisedItem(name: string, item: Json): Json {
  if (isObject(item)) return normalised(item);
  if (isList(item)) return item.map((entry) => (isObject(entry) ? normalised(entry) : entry));
  if (typeof item === "string" && /^(expirationDate|beginDate)$/.test(name)) {
    const instant = parseTime(item);
    if (instant === null) throw badRequest(`The value '${item}' of '${name}' is not a time.`);
    return formatTicks(instant);
  }
  return item;
}

/** A certificate sent as PEM is given back as DER. */
function certificates(option: JsonObject): JsonObject {
  const restriction = objectField(option, "restriction");
  const key = restriction["primaryVerificationKey"];
  const alternates = restriction["alternateVerificationKeys"];
  return {
    restriction: {
      ...restriction,
      ...(isObject(key) ? { primaryVerificationKey: derKey(key) } : {}),
      ...(isList(alternates) ? { alternateVerificationKeys: alternates.map((item) => (isObject(item) ? derKey(item) : item)) } : {}),
    },
  };
}

function derKey(key: JsonObject): JsonObject {
  const { rawBody } = key;
  if (typeof rawBody !== "string") return key;
  const content = Buffer.from(rawBody, "base64");
  if (!content.includes("-----BEGIN")) return key;
  try {
    return { ...key, rawBody: new X509Certificate(content).raw.toString("base64") };
  } catch {
    throw badRequest("The value of 'rawBody' is not a certificate.");
  }
}

function blanked(value: JsonObject): JsonObject {
  const entries = Object.entries(value).map(([name, item]): [string, Json] => {
    if (SECRETS.has(name)) return [name, null];
    if (isList(item)) return [name, item.map((entry) => (isObject(entry) ? blanked(entry) : entry))];
    return [name, isObject(item) ? blanked(item) : item];
  });
  return Object.fromEntries(entries);
}
