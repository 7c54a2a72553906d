/** What every `MediaAccount` does: the contract in `src/core/ports`, sentence by sentence. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AssetSpec, ContentKeyPolicy, MediaFilter, StreamingLocator, StreamingPolicy, TreeObject } from "../../src/core/media.ts";
import type { MediaAccount } from "../../src/core/ports/media.ts";
import { canonicalText, contentKeyPolicyTree, streamingPolicyTree } from "../../src/replicator/normalise.ts";
import { expectCode, sortedByName } from "./expectations.ts";
import { TEXT_TRACK, tracks } from "./mediaTracks.ts";
import { KEY_POLICIES, STREAMING_POLICIES } from "./policies.ts";

export interface MediaAccountHarness extends AsyncDisposable {
  /** An account with nothing in it but the predefined streaming policies. */
  readonly account: MediaAccount;
  /** The same account behind an address at which nobody answers. */
  readonly unreachable: MediaAccount;
  /** The same account, asked with a credential that it refuses. */
  readonly denied: MediaAccount;
  /** What the service does not have. `secrets`: those of content key policies are not given out. */
  readonly lacks?: readonly ("tracks" | "secrets")[];
}

const KEY_ID = "5a8c35b2-1f1e-4d3c-9d57-0d8f6a1f2b3c";
const KEY_VALUE = "MDEyMzQ1Njc4OUFCQ0RFRg==";
const TOKEN_KEY = new Uint8Array(32).map((_, index) => index * 7);

const ENABLED = { download: false, dash: true, hls: true, smoothStreaming: false };
const POLICY: StreamingPolicy = {
  name: "custom-clear-key",
  properties: {
    defaultContentKeyPolicyName: "tokens",
    envelopeEncryption: {
      enabledProtocols: ENABLED,
      clearTracks: [],
      contentKeys: { defaultKey: { label: "cmaf" }, keyToTrackMappings: [] },
      customKeyAcquisitionUrlTemplate: "https://play.example.com/keys/?kid={ContentKeyId}",
    },
  },
};

const KEY_POLICY: ContentKeyPolicy = {
  name: "tokens",
  properties: {
    description: "AES-128 with a token",
    options: [
      {
        name: "clear-key",
        configuration: { odataType: "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        restriction: {
          odataType: "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
          issuer: "https://login.example.com",
          audience: "player",
          restrictionTokenType: "Jwt",
          primaryVerificationKey: { odataType: "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", keyValue: TOKEN_KEY },
          alternateVerificationKeys: [],
          requiredClaims: [{ claimType: "urn:microsoft:azure:mediaservices:contentkeyidentifier" }],
        },
      },
    ],
  },
};

const FILTER: MediaFilter = { name: "mobile", properties: { firstQuality: { bitrate: 500_000 }, tracks: [] } };

const LOCATOR: StreamingLocator = {
  name: "video-1-locator",
  assetName: "video-1",
  streamingLocatorId: "0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3a111",
  streamingPolicyName: POLICY.name,
  defaultContentKeyPolicyName: KEY_POLICY.name,
  alternativeMediaId: "media/1",
  startTime: Date.UTC(2026, 0, 1),
  endTime: Date.UTC(2036, 0, 1),
  filters: [],
  contentKeys: [{ id: KEY_ID, type: null, labelReferenceInStreamingPolicy: "cmaf", value: KEY_VALUE, policyName: null }],
  created: 0,
};

/** Accounts come and go, their storage may stay: no two tests share a container. */
let test = 0;
const asset = (name: string): AssetSpec => ({
  name,
  container: `container-${test}-${name}`,
  alternateId: `alt-${name}`,
  description: `the video ${name}`,
});

export function describeMediaAccount(name: string, make: () => Promise<MediaAccountHarness>): void {
  describe(`${name} keeps the contract of MediaAccount`, () => {
    let harness: MediaAccountHarness;
    beforeEach(async () => {
      test += 1;
      harness = await make();
    });
    afterEach(async () => {
      await harness[Symbol.asyncDispose]();
    });
    const account = (): MediaAccount => harness.account;
    describe("assets", () => {
      assets(account);
    });
    describe("filters", () => {
      filters(account);
    });
    describe("tracks", () => {
      tracks(account, asset, (what) => harness.lacks?.includes(what) === true);
    });
    describe("content key policies", () => {
      contentKeyPolicies(account, (what) => harness.lacks?.includes(what) === true);
    });
    describe("streaming policies", () => {
      streamingPolicies(account);
    });
    describe("locators", () => {
      locators(account);
    });
    describe("errors", () => {
      errors(() => harness);
    });
  });
}

function assets(account: () => MediaAccount): void {
  it("an asset that is not there is null, and nothing is listed", async () => {
    expect(await account().asset("nobody")).toBeNull();
    expect(await Array.fromAsync(account().assets())).toEqual([]);
  });

  it("createAsset returns the asset as asset and assets show it", async () => {
    const created = await account().createAsset(asset("video-1"));
    expect(created).toMatchObject(asset("video-1"));
    expect(created.lastModified).toBeGreaterThan(0);
    expect(await account().asset("video-1")).toEqual(created);
    expect(await Array.fromAsync(account().assets())).toEqual([created]);
  });

  it("what is unset stays null", async () => {
    const created = await account().createAsset({
      name: "bare",
      container: `container-${test}-bare`,
      alternateId: null,
      description: null,
    });
    expect(created).toMatchObject({ alternateId: null, description: null });
  });

  it("createAsset never replaces: media_exists", async () => {
    const created = await account().createAsset(asset("video-1"));
    const error = await expectCode(account().createAsset({ ...asset("video-1"), description: "another" }), "media_exists");
    expect(error.retry).toBe("conflict");
    expect(await account().asset("video-1")).toEqual(created);
  });

  it("createAsset creates the container, which opens for writing and for reading", async () => {
    const created = await account().createAsset(asset("video-1"));
    const writer = account().container(created, "write");
    const reader = account().container(created, "read");
    const written = await writer.write("a.txt", new Uint8Array([1, 2]), { contentType: "text/plain", condition: "absent" });
    expect(await Array.fromAsync(reader.list())).toEqual([written]);
    expect(await reader.read(written, 0, 2)).toEqual(new Uint8Array([1, 2]));
    const more = reader.write("b.txt", new Uint8Array([1]), { contentType: "text/plain", condition: "absent" });
    await expectCode(more, "storage_denied");
  });

  it("assets yields everything", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `video-${String(index).padStart(2, "0")}`);
    for (const name of names) await account().createAsset(asset(name));
    const listed = await Array.fromAsync(account().assets());
    expect(listed.map(({ name }) => name).sort()).toEqual(names);
  });
}

function filters(account: () => MediaAccount): void {
  it("put creates, then replaces, an asset filter", async () => {
    await account().createAsset(asset("video-1"));
    expect(await Array.fromAsync(account().assetFilters("video-1"))).toEqual([]);
    await account().putAssetFilter("video-1", FILTER);
    const replaced = { ...FILTER, properties: { ...FILTER.properties, firstQuality: { bitrate: 900_000 } } };
    await account().putAssetFilter("video-1", replaced);
    expect(await Array.fromAsync(account().assetFilters("video-1"))).toEqual([replaced]);
  });

  it("put creates, then replaces, an account filter", async () => {
    expect(await account().accountFilter("mobile")).toBeNull();
    await account().putAccountFilter(FILTER);
    const replaced = { ...FILTER, properties: { ...FILTER.properties, firstQuality: { bitrate: 900_000 } } };
    await account().putAccountFilter(replaced);
    expect(await account().accountFilter("mobile")).toEqual(replaced);
  });

  it("accountFilters yields everything", async () => {
    expect(await Array.fromAsync(account().accountFilters())).toEqual([]);
    const names = Array.from({ length: 7 }, (_, index) => `filter-${index}`);
    for (const name of names) await account().putAccountFilter({ ...FILTER, name });
    const listed = sortedByName(await Array.fromAsync(account().accountFilters()));
    expect(listed).toEqual(names.map((name) => ({ ...FILTER, name })));
  });

  it("an asset that is not there has no filters", async () => {
    expect(await Array.fromAsync(account().assetFilters("nobody"))).toEqual([]);
  });
}

type Lacks = (what: "tracks" | "secrets") => boolean;

function contentKeyPolicies(account: () => MediaAccount, lacks: Lacks): void {
  it("secrets that are not given out are left out, and said to be hidden", async ({ skip }) => {
    if (!lacks("secrets")) return skip("secrets are given out");
    await account().putContentKeyPolicy(KEY_POLICY);
    const policy = await account().contentKeyPolicy(KEY_POLICY.name);
    expect(policy).toMatchObject({ secretsHidden: true, properties: { description: KEY_POLICY.properties["description"] } });
    expect([...policyFields(policy?.properties)]).not.toContain("keyValue");
    const open = KEY_POLICIES.filter(({ properties }) => !/keyValue|rawBody|modulus|"ask"/.test(JSON.stringify(properties)));
    for (const each of open) {
      await account().putContentKeyPolicy(each);
      expect((await account().contentKeyPolicy(each.name))?.secretsHidden).toBeUndefined();
    }
  });

  it("a policy that is not there is null", async () => {
    expect(await account().contentKeyPolicy("nobody")).toBeNull();
  });

  it("comes back with its secrets and without what the service assigned", async ({ skip }) => {
    if (lacks("secrets")) return skip("secrets are not given out");
    await account().putContentKeyPolicy(KEY_POLICY);
    const policy = await account().contentKeyPolicy(KEY_POLICY.name);
    expect(policy).toEqual(KEY_POLICY);
    const names = [...policyFields(policy?.properties)];
    for (const assigned of ["policyId", "policyOptionId", "created", "lastModified"]) expect(names).not.toContain(assigned);
  });

  it("put replaces", async () => {
    await account().putContentKeyPolicy(KEY_POLICY);
    const open = {
      name: "open",
      configuration: { odataType: "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
      restriction: { odataType: "#Microsoft.Media.ContentKeyPolicyOpenRestriction" },
    };
    const replaced: ContentKeyPolicy = { name: KEY_POLICY.name, properties: { description: "open", options: [open] } };
    await account().putContentKeyPolicy(replaced);
    expect(await account().contentKeyPolicy(KEY_POLICY.name)).toEqual(replaced);
  });

  it.for(KEY_POLICIES)("keeps $name with its secrets", async (policy, { skip }) => {
    if (lacks("secrets")) return skip("secrets are not given out");
    await account().putContentKeyPolicy(policy);
    const kept = await account().contentKeyPolicy(policy.name);
    const tree = (properties: TreeObject): string => canonicalText(contentKeyPolicyTree(properties));
    expect(tree(kept?.properties ?? {})).toBe(tree(policy.properties));
    // What was read and is written again is the same still: a second replication writes nothing.
    await account().putContentKeyPolicy({ name: "again", properties: kept?.properties ?? {} });
    expect(tree((await account().contentKeyPolicy("again"))?.properties ?? {})).toBe(tree(policy.properties));
  });

  it("what one account gave, another takes", async () => {
    await account().putContentKeyPolicy(KEY_POLICY);
    const policy = await account().contentKeyPolicy(KEY_POLICY.name);
    if (policy === null) throw new Error("the policy is not there");
    await account().putContentKeyPolicy({ ...policy, name: "copy" });
    expect((await account().contentKeyPolicy("copy"))?.properties).toEqual(policy.properties);
  });
}

function streamingPolicies(account: () => MediaAccount): void {
  it("a policy that is not there is null; the predefined ones always are there", async () => {
    expect(await account().streamingPolicy("nobody")).toBeNull();
    expect((await account().streamingPolicy("Predefined_ClearKey"))?.properties).toMatchObject({
      envelopeEncryption: { contentKeys: { defaultKey: { label: "clearKeyDefault" } } },
    });
  });

  it("comes back as it was created", async () => {
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(POLICY);
    expect(await account().streamingPolicy(POLICY.name)).toEqual(POLICY);
  });

  it.each(STREAMING_POLICIES)("keeps $name", async (policy) => {
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(policy);
    const kept = await account().streamingPolicy(policy.name);
    expect(canonicalText(streamingPolicyTree(kept?.properties ?? {}))).toBe(canonicalText(streamingPolicyTree(policy.properties)));
  });

  it("deleteAsset takes an asset away with its container, also where there is none", async ({ skip }) => {
    if (account().deleteAsset === undefined) skip("assets of this account are not deleted");
    await account().createAsset(asset("video-1"));
    await account().createAsset(asset("video-2"));
    await account().deleteAsset?.("video-1");
    expect(await account().asset("video-1")).toBeNull();
    expect(await account().asset("video-2")).not.toBeNull();
    await account().deleteAsset?.("video-1");
    const again = await account().createAsset(asset("video-1"));
    expect(await Array.fromAsync(account().container(again, "read").list())).toEqual([]);
  });

  it("deleteStreamingPolicy takes it away, also where there is none", async () => {
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(POLICY);
    await account().deleteStreamingPolicy(POLICY.name);
    expect(await account().streamingPolicy(POLICY.name)).toBeNull();
    await account().deleteStreamingPolicy(POLICY.name);
  });

  it("deleteStreamingPolicy leaves alone what a locator uses: media_in_use", async () => {
    await account().createAsset(asset("video-1"));
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(POLICY);
    await account().createLocator(LOCATOR);
    expect((await expectCode(account().deleteStreamingPolicy(POLICY.name), "media_in_use")).retry).toBe("conflict");
    expect(await account().streamingPolicy(POLICY.name)).toEqual(POLICY);
    await account().deleteLocator(LOCATOR.name);
    await account().deleteStreamingPolicy(POLICY.name);
    expect(await account().streamingPolicy(POLICY.name)).toBeNull();
  });

  it("createStreamingPolicy never replaces: media_exists", async () => {
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(POLICY);
    const other: StreamingPolicy = { name: POLICY.name, properties: { noEncryption: { enabledProtocols: ENABLED } } };
    expect((await expectCode(account().createStreamingPolicy(other), "media_exists")).retry).toBe("conflict");
    expect(await account().streamingPolicy(POLICY.name)).toEqual(POLICY);
  });
}

function locators(account: () => MediaAccount): void {
  const prepare = async (): Promise<void> => {
    await account().createAsset(asset("video-1"));
    await account().putContentKeyPolicy(KEY_POLICY);
    await account().createStreamingPolicy(POLICY);
  };

  it("a locator that is not there is null, and nothing is listed", async () => {
    expect(await account().locator("nobody")).toBeNull();
    expect(await Array.fromAsync(account().locators())).toEqual([]);
    expect(await account().assetLocators("nobody")).toEqual([]);
    expect(await account().paths("nobody")).toEqual([]);
  });

  it("keeps the locator's id, keys, times, media id and policies", async () => {
    await prepare();
    await account().createLocator(LOCATOR);
    const { created, contentKeys, ...rest } = (await account().locator(LOCATOR.name)) ?? LOCATOR;
    const { created: _created, contentKeys: _keys, ...given } = LOCATOR;
    expect(rest).toEqual(given);
    expect(created).toBeGreaterThan(0);
    expect(contentKeys).toEqual([
      { id: KEY_ID, type: "EnvelopeEncryption", labelReferenceInStreamingPolicy: "cmaf", value: KEY_VALUE, policyName: KEY_POLICY.name },
    ]);
  });

  it("keeps filters", async () => {
    await prepare();
    await account().putAssetFilter("video-1", FILTER);
    await account().createLocator({ ...LOCATOR, filters: [FILTER.name] });
    expect((await account().locator(LOCATOR.name))?.filters).toEqual([FILTER.name]);
  });

  it("ids come in lower case, and times that were not set are null", async () => {
    await prepare();
    const keys = LOCATOR.contentKeys.map((key) => ({ ...key, id: key.id.toUpperCase() }));
    const id = LOCATOR.streamingLocatorId;
    await account().createLocator({
      ...LOCATOR,
      streamingLocatorId: id.toUpperCase(),
      contentKeys: keys,
      startTime: null,
      endTime: null,
      alternativeMediaId: null,
    });
    const locator = await account().locator(LOCATOR.name);
    expect(locator).toMatchObject({ streamingLocatorId: id, startTime: null, endTime: null, alternativeMediaId: null });
    expect(locator?.contentKeys.map((key) => key.id)).toEqual([KEY_ID]);
  });

  it("a clear locator has no keys; an encrypted one that brings none gets one", async () => {
    await prepare();
    const bare = { ...LOCATOR, contentKeys: [], defaultContentKeyPolicyName: null };
    await account().createLocator({ ...bare, name: "clear", streamingPolicyName: "Predefined_ClearStreamingOnly" });
    expect((await account().locator("clear"))?.contentKeys).toEqual([]);
    const secondId = "0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3a222";
    await account().createLocator({ ...LOCATOR, name: "generated", streamingLocatorId: secondId, contentKeys: [] });
    const [key] = (await account().locator("generated"))?.contentKeys ?? [];
    expect(key).toMatchObject({ type: "EnvelopeEncryption", labelReferenceInStreamingPolicy: "cmaf", policyName: KEY_POLICY.name });
    expect(Buffer.from(key?.value ?? "", "base64")).toHaveLength(16);
  });

  it("createLocator never replaces: media_exists", async () => {
    await prepare();
    await account().createLocator(LOCATOR);
    const before = await account().locator(LOCATOR.name);
    const error = await expectCode(account().createLocator({ ...LOCATOR, endTime: null }), "media_exists");
    expect(error.retry).toBe("conflict");
    expect(await account().locator(LOCATOR.name)).toEqual(before);
  });

  it("deleteLocator takes it away with its keys, also where there is none, and it can be created again", async () => {
    await prepare();
    await account().createLocator(LOCATOR);
    await account().deleteLocator(LOCATOR.name);
    expect(await account().locator(LOCATOR.name)).toBeNull();
    expect(await Array.fromAsync(account().locators())).toEqual([]);
    await account().deleteLocator(LOCATOR.name);
    const other = { ...LOCATOR, contentKeys: LOCATOR.contentKeys.map((key) => ({ ...key, value: "RkVEQ0JBOTg3NjU0MzIxMA==" })) };
    await account().createLocator(other);
    expect((await account().locator(LOCATOR.name))?.contentKeys.map(({ value }) => value)).toEqual(["RkVEQ0JBOTg3NjU0MzIxMA=="]);
  });

  it("locatorsUnder yields the locators of one streaming policy, of all assets", async () => {
    await prepare();
    await account().createAsset(asset("video-2"));
    await account().createLocator(LOCATOR);
    const clear = { ...LOCATOR, contentKeys: [], defaultContentKeyPolicyName: null, streamingPolicyName: "Predefined_ClearStreamingOnly" };
    const id = (last: string): string => `${LOCATOR.streamingLocatorId.slice(0, -1)}${last}`;
    await account().createLocator({ ...clear, name: "clear-1", streamingLocatorId: id("2") });
    await account().createLocator({ ...clear, name: "clear-2", streamingLocatorId: id("3"), assetName: "video-2" });
    const names = async (policy: string): Promise<readonly string[]> =>
      sortedByName(await Array.fromAsync(account().locatorsUnder(policy))).map(({ name }) => name);
    expect(await names(POLICY.name)).toEqual([LOCATOR.name]);
    expect(await names("Predefined_ClearStreamingOnly")).toEqual(["clear-1", "clear-2"]);
    expect(await names("Predefined_ClearKey")).toEqual([]);
  });

  it("a content key id serves one locator of an account only", async () => {
    await prepare();
    await account().createLocator(LOCATOR);
    const second = { ...LOCATOR, name: "second", streamingLocatorId: "0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3a333" };
    await expectCode(account().createLocator(second), "media_exists", "account_rejected");
    expect(await account().locator("second")).toBeNull();
  });

  it("lists are summaries without keys", async () => {
    await prepare();
    await account().createLocator(LOCATOR);
    const created = (await account().locator(LOCATOR.name))?.created ?? 0;
    const { name, assetName, streamingLocatorId } = LOCATOR;
    for (const listed of [await Array.fromAsync(account().locators()), await account().assetLocators("video-1")]) {
      expect(listed).toEqual([{ name, assetName, streamingLocatorId, created: expect.any(Number) }]);
      // The service shows the same moment with different precision in its lists (7 digits, 3 digits).
      expect(Math.abs((listed[0]?.created ?? 0) - created)).toBeLessThan(1000);
    }
  });

  it("lists come in pages too, and can be taken up at any of them, by another request too", async ({ skip }) => {
    await prepare();
    const names = Array.from({ length: 7 }, (_, at) => `clear-${at}`);
    for (const [at, name] of names.entries()) {
      const streamingLocatorId = `0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3b00${at}`;
      const clear = { streamingPolicyName: "Predefined_ClearStreamingOnly", contentKeys: [], defaultContentKeyPolicyName: null };
      await account().createLocator({ ...LOCATOR, ...clear, name, streamingLocatorId });
    }
    const pagesFrom = async (from: string | null) =>
      Array.fromAsync(account().locatorPages?.(from) ?? skip("its lists cannot be taken up"));
    const pages = await pagesFrom(null);
    expect(pages.flatMap(({ items }) => items)).toEqual(await Array.fromAsync(account().locators()));
    expect(pages.at(-1)?.next).toBeNull();
    for (const [at, { next }] of pages.entries()) if (next !== null) expect(await pagesFrom(next)).toEqual(pages.slice(at + 1));
  });

  it("paths has an entry per enabled protocol, each beginning with the locator id", async () => {
    await prepare();
    const video = await account().asset("video-1");
    if (video === null) throw new Error("the asset is not there");
    const manifest = new TextEncoder().encode('<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch/></body></smil>');
    const options = { contentType: "application/xml", condition: "absent" } as const;
    await account().container(video, "write").write("movie.ism", manifest, options);
    await account().createLocator(LOCATOR);
    const paths = await account().paths(LOCATOR.name);
    expect(new Set(paths.map((path) => path.streamingProtocol))).toEqual(new Set(["Hls", "Dash"]));
    for (const path of paths) expect(path.encryptionScheme).toBe("EnvelopeEncryption");
    const all = paths.flatMap((path) => path.paths);
    for (const path of all) expect(path.startsWith(`/${LOCATOR.streamingLocatorId}/movie.ism/manifest`)).toBe(true);
  });
}

function errors(harness: () => MediaAccountHarness): void {
  const calls = (account: MediaAccount): readonly (() => Promise<unknown>)[] => [
    () => Array.fromAsync(account.assets()),
    () => account.asset("a"),
    () => account.createAsset(asset("a")),
    () => Array.fromAsync(account.assetFilters("a")),
    () => account.putAssetFilter("a", FILTER),
    () => Array.fromAsync(account.tracks("a")),
    () => account.putTrack("a", TEXT_TRACK),
    () => Array.fromAsync(account.accountFilters()),
    () => account.accountFilter("a"),
    () => account.putAccountFilter(FILTER),
    () => account.contentKeyPolicy("a"),
    () => account.putContentKeyPolicy(KEY_POLICY),
    () => account.streamingPolicy("a"),
    () => account.createStreamingPolicy(POLICY),
    () => account.deleteStreamingPolicy("a"),
    () => Array.fromAsync(account.locators()),
    () => Array.fromAsync(account.locatorsUnder("a")),
    () => account.assetLocators("a"),
    () => account.locator("a"),
    () => account.createLocator(LOCATOR),
    () => account.deleteLocator("a"),
    () => account.paths("a"),
  ];

  it("a service that does not answer is account_unavailable, to be retried, for every call", async () => {
    const failures = await Promise.all(calls(harness().unreachable).map((call) => expectCode(call(), "account_unavailable")));
    for (const error of failures) expect(error.retry).toBe("retry");
  });

  it("a refused credential is account_denied, never to be retried, for every call", async () => {
    for (const call of calls(harness().denied)) expect((await expectCode(call(), "account_denied")).retry).toBe("never");
  });

  it("what the service refuses is account_rejected, never to be retried, in the service's own words", async () => {
    const { account } = harness();
    const error = await expectCode(account.createLocator({ ...LOCATOR, streamingPolicyName: "nobody" }), "account_rejected");
    expect(error.retry).toBe("never");
    expect(error.message.length).toBeGreaterThan(20);
  });

  it("no error holds a content key", async () => {
    const { account, unreachable } = harness();
    const failures = [
      await expectCode(unreachable.createLocator(LOCATOR), "account_unavailable"),
      await expectCode(account.createLocator({ ...LOCATOR, streamingPolicyName: "nobody" }), "account_rejected"),
    ];
    for (const error of failures) expect(`${error.message} ${String(error.cause)}`).not.toContain(KEY_VALUE);
  });
}

/** Names of the fields of a tree, at every level. */
function* policyFields(tree: unknown): Generator<string> {
  if (typeof tree !== "object" || tree === null || tree instanceof Uint8Array) return;
  for (const [name, value] of Object.entries(tree)) {
    yield name;
    yield* policyFields(value);
  }
}
