/** The content keys of a locator: which ones its streaming policy asks for, taken from the request or drawn. */
import type { Random } from "../../core/clock.ts";
import type { EmulatedKey, Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { guidField, isObject, objectField, objectsField, requiredText, textField } from "./fields.ts";
import type { LocatorKey } from "./records.ts";

/** In the order of replies: Cenc before Cbcs as recorded, whatever the order of the request. */
export const ENCRYPTIONS = [
  { policyField: "envelopeEncryption", type: "EnvelopeEncryption" },
  { policyField: "commonEncryptionCenc", type: "CommonEncryptionCenc" },
  { policyField: "commonEncryptionCbcs", type: "CommonEncryptionCbcs" },
] as const satisfies readonly { policyField: string; type: EmulatedKey["type"] }[];

/** A key that the policy asks for. */
interface Slot {
  readonly type: EmulatedKey["type"];
  readonly label: string;
  readonly policyName: string | null;
  readonly tracks: readonly Json[];
}

interface GivenKey {
  readonly id: string;
  readonly label: string;
  readonly value: string | null;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Keys for a new locator. Those of the request are matched by label and keep id and value; the type comes from the policy; the rest is drawn.
 * The length of a value is not checked: the service took five bytes.
 */
export function locatorKeys(policy: JsonObject, request: JsonObject, random: Random): LocatorKey[] {
  const fallback = textField(request, "defaultContentKeyPolicyName") ?? textField(policy, "defaultContentKeyPolicyName");
  const given = objectsField(request, "contentKeys").map(givenKey);
  const keys = slots(policy).map(({ type, label, policyName, tracks }) => {
    const at = given.findIndex((key) => key.label === label);
    const [key] = at < 0 ? [] : given.splice(at, 1);
    const drawn = { id: key?.id ?? random.uuid(), value: key?.value ?? randomValue(random) };
    return { ...drawn, type, label, policyName: policyName ?? fallback, tracks };
  });
  const [stray] = given;
  if (stray !== undefined) throw badRequest(`The streaming policy has no content key with the label '${stray.label}'.`);
  return keys;
}

function givenKey(key: JsonObject): GivenKey {
  const id = guidField(key, "id");
  if (id === null) throw badRequest("A content key needs a value for 'id'.");
  const value = textField(key, "value");
  if (value !== null && (value === "" || !BASE64.test(value))) throw badRequest(`The value of content key '${id}' is not Base64.`);
  return { id, label: requiredText(key, "labelReferenceInStreamingPolicy"), value };
}

function slots(policy: JsonObject): Slot[] {
  return ENCRYPTIONS.flatMap(({ policyField, type }) => {
    const encryption = policy[policyField];
    if (!isObject(encryption)) return [];
    const contentKeys = objectField(encryption, "contentKeys");
    const defaultKey = contentKeys["defaultKey"];
    return [
      ...(isObject(defaultKey) ? [slot(type, defaultKey, [])] : []),
      ...objectsField(contentKeys, "keyToTrackMappings").map((mapping) => slot(type, mapping, objectsField(mapping, "tracks"))),
    ];
  });
}

function slot(type: EmulatedKey["type"], key: JsonObject, tracks: readonly Json[]): Slot {
  return { type, label: textField(key, "label") ?? "", policyName: textField(key, "policyName"), tracks };
}

function randomValue(random: Random): string {
  return Buffer.from(Array.from({ length: 16 }, () => Math.floor(random.next() * 256))).toString("base64");
}
