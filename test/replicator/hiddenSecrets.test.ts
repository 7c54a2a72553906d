import { describe, expect, it } from "vitest";
import type { TreeObject } from "../../src/core/media.ts";
import { withSecretsOf } from "../../src/replicator/hiddenSecrets.ts";
import { canonicalText, contentKeyPolicyTree } from "../../src/replicator/normalise.ts";
import { replicateAsset } from "../../src/replicator/run.ts";
import { KEY_POLICIES } from "../conformance/policies.ts";
import type { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { World } from "./world.ts";

const SECRETS = ["ask", "fairPlayPfx", "fairPlayPfxPassword", "keyValue", "rawBody", "exponent", "modulus"];

function blanked(tree: TreeObject): TreeObject {
  const text = JSON.stringify(tree, (name, value: unknown) => (SECRETS.includes(name) ? undefined : value));
  return JSON.parse(text) as TreeObject;
}

describe("a policy whose secrets are hidden", () => {
  it.each(KEY_POLICIES)("is $name still, when only its secrets cannot be seen", ({ properties }) => {
    const source = contentKeyPolicyTree(properties);
    // Times become texts on the way through JSON: both sides take it.
    const seen = JSON.parse(JSON.stringify(source, (name, value: unknown) => (SECRETS.includes(name) ? undefined : value))) as TreeObject;
    const plain = JSON.parse(JSON.stringify(source)) as TreeObject;
    expect(canonicalText(withSecretsOf(seen, plain))).toBe(canonicalText(plain));
  });

  it("differs where anything else does, and takes nothing but secrets from the source", () => {
    const source = { options: [{ name: "a", restriction: { issuer: "i", primaryVerificationKey: { keyValue: new Uint8Array([1]) } } }] };
    const other = { options: [{ name: "a", restriction: { issuer: "j", primaryVerificationKey: {} } }] };
    expect(withSecretsOf(other, source)).toEqual({
      options: [{ name: "a", restriction: { issuer: "j", primaryVerificationKey: { keyValue: new Uint8Array([1]) } } }],
    });
    expect(withSecretsOf({ options: [] }, source)).toEqual({ options: [] });
    expect(withSecretsOf(blanked(source), source)).toEqual(source);
  });

  it("keeps a secret that is shown", () => {
    expect(withSecretsOf({ ask: new Uint8Array([2]) }, { ask: new Uint8Array([1]) })).toEqual({ ask: new Uint8Array([2]) });
  });
});

/** As MK.IO answers: the policy, and empty texts in the places of its secrets. */
function hide(account: MemoryMediaAccount): void {
  const own = account.contentKeyPolicy.bind(account);
  account.contentKeyPolicy = async (name, signal) => {
    const policy = await own(name, signal);
    return policy === null ? null : { ...policy, properties: blanked(policy.properties), secretsHidden: true };
  };
}

describe("a region that hides the secrets of its policies", () => {
  const JOB = { source: "west", target: "north", assetName: "intro" } as const;

  it("is replicated to: a second run writes nothing, what was changed is carried over with its secrets", async () => {
    const world = new World();
    await world.publish();
    const north = world.account("north");
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "changed", error: null });
    const shown = north.contentKeyPolicy.bind(north);
    hide(north);
    world.reset();
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "unchanged", error: null });
    expect(world.mutations("north")).toBe(0);
    const policy = await world.account("west").contentKeyPolicy("tokens");
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: { ...policy?.properties, description: "changed" } });
    world.reset();
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "changed", error: null });
    expect((await shown("tokens"))?.properties).toEqual({ ...policy?.properties, description: "changed" });
  });

  it("is no source: nothing is written anywhere, and what can be done is said", async () => {
    const world = new World();
    await world.publish();
    hide(world.account("west"));
    world.reset();
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "failed", error: { code: "source_secrets_hidden" } });
    expect(result.error?.message).toContain("target only");
    expect(world.mutations("north")).toBe(0);
  });
});
