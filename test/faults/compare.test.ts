import { describe, expect, it } from "vitest";
import { assetDifferences, contentKeyIn, differences } from "./compare.ts";
import type { AccountState } from "./truth.ts";

const ACCOUNT: AccountState = {
  assets: { intro: { name: "intro", container: "c1", filters: {} }, other: { name: "other", container: "c2", filters: {} } },
  locators: {
    l1: {
      assetName: "intro",
      streamingPolicyName: "envelope",
      defaultContentKeyPolicyName: "tokens",
      filters: ["low"],
      contentKeys: [{ id: "k1", value: "AAAA" }],
    },
  },
  contentKeyPolicies: { tokens: { options: [1] } },
  streamingPolicies: { envelope: { properties: { a: 1 } } },
  accountFilters: { low: { properties: {} } },
  blobs: { c1: { "a.mp4": { sha256: "1" }, "b.mp4": { sha256: "2" } }, c2: { "a.mp4": { sha256: "3" } } },
};

function changed(change: (account: { [part in keyof AccountState]: never }) => void): AccountState {
  const copy = structuredClone(ACCOUNT);
  change(copy as never);
  return copy;
}

describe("the differences of two trees", () => {
  it("are named by their paths", () => {
    expect(differences({ a: { b: 1, c: [1, 2] } }, { a: { b: 2, c: [1, 3] }, d: null })).toEqual(["a.b: 1 | 2", "a.c[1]: 2 | 3"]);
    expect(differences({ a: [1] }, { a: [1, 2] })).toEqual(["a: [1] | [1,2]"]);
    expect(differences({ a: { b: 1 } }, { a: { b: 1 } })).toEqual([]);
  });
});

describe("a copy of an asset", () => {
  it("is true where everything that its locators name is the same", () => {
    expect(assetDifferences(ACCOUNT, ACCOUNT, "intro")).toEqual([]);
  });

  it("may have more beside it", () => {
    const more = changed((account) => Object.assign(account.blobs["c1"] as object, { "extra.txt": { sha256: "9" } }));
    expect(assetDifferences(ACCOUNT, more, "intro")).toEqual([]);
  });

  it.each<[string, (account: never) => void]>([
    ["a blob is missing", (account: { blobs: { c1: Record<string, unknown> } }) => delete account.blobs.c1["b.mp4"]],
    ["a blob is other", (account: { blobs: { c1: Record<string, unknown> } }) => (account.blobs.c1["b.mp4"] = { sha256: "0" })],
    ["the asset is missing", (account: { assets: Record<string, unknown> }) => delete account.assets["intro"]],
    [
      "a key is other",
      (account: { locators: { l1: { contentKeys: unknown } } }) => (account.locators.l1.contentKeys = [{ id: "k1", value: "BBBB" }]),
    ],
    ["a policy is missing", (account: { contentKeyPolicies: object }) => (account.contentKeyPolicies = {})],
    ["a filter is other", (account: { accountFilters: object }) => (account.accountFilters = { low: { properties: { b: 1 } } })],
  ] as never)("is not where %s", (_what, change) => {
    expect(assetDifferences(ACCOUNT, changed(change as never), "intro")).not.toEqual([]);
  });

  it("does not depend on other assets", () => {
    expect(
      assetDifferences(
        ACCOUNT,
        changed((account) => Object.assign(account.blobs, { c2: {} })),
        "intro",
      ),
    ).toEqual([]);
  });
});

it("finds the value of a key by its id", () => {
  expect(contentKeyIn(ACCOUNT, "k1")).toBe("AAAA");
  expect(contentKeyIn(ACCOUNT, "k2")).toBeNull();
});
