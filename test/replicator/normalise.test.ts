import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { generate } from "selfsigned";
import { describe, expect, it } from "vitest";
import type { StreamingLocator, Tree, TreeObject } from "../../src/core/media.ts";
import {
  at,
  canonicalText,
  contentKeyPolicyTree,
  differingFields,
  filterTree,
  locatorTree,
  streamingPolicyTree,
  trackTree,
} from "../../src/replicator/normalise.ts";

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string({ maxLength: 8 }),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), tie("tree"), { maxKeys: 4 }),
  ),
}));

function isPlain(value: Tree | undefined): value is TreeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array);
}

/** The same tree as another service would tell it: names in another order, null for what is absent, other byte classes. */
function retold(value: Tree): Tree {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (value instanceof Date) return new Date(value.getTime());
  if (Array.isArray(value)) return (value as readonly Tree[]).map(retold);
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([name, item]): [string, Tree] => [name, retold(item ?? null)]);
  return Object.fromEntries([...entries.reverse(), ["\u0000absent", null], ["\u0001empty", []]]);
}

const LOCATOR: StreamingLocator = {
  name: "l",
  assetName: "a",
  streamingLocatorId: "11111111-1111-4111-8111-111111111111",
  streamingPolicyName: "p",
  defaultContentKeyPolicyName: null,
  alternativeMediaId: null,
  startTime: null,
  endTime: null,
  filters: ["x", "y"],
  contentKeys: [
    { id: "aa", type: null, labelReferenceInStreamingPolicy: "cenc", value: "AAAA", policyName: null },
    { id: "bb", type: null, labelReferenceInStreamingPolicy: "cbcs", value: "BBBB", policyName: null },
  ],
  created: 1,
};

const same = (one: StreamingLocator, other: StreamingLocator): boolean =>
  canonicalText(locatorTree(one)) === canonicalText(locatorTree(other));

describe("canonical trees", () => {
  it("do not notice how the same thing is told", () => {
    fc.assert(fc.property(tree, (value) => canonicalText(value) === canonicalText(retold(value))));
  });

  it("differ exactly where `differingFields` names a field", () => {
    fc.assert(
      fc.property(tree, tree, (one, other) => (canonicalText(one) === canonicalText(other)) === (differingFields(one, other).length === 0)),
    );
  });

  it("tell bytes, times, texts and numbers apart", () => {
    const values: Tree[] = [new Uint8Array([1]), "01", 1, new Date(1), true, "1", { $bytes: "02" }];
    const texts = values.map((value) => canonicalText({ value }));
    expect(new Set(texts).size).toBe(values.length);
    expect(canonicalText(new Uint8Array([1, 2]))).not.toBe(canonicalText(new Uint8Array([2, 1])));
  });

  it("compare times to the millisecond", () => {
    expect(canonicalText(new Date("2026-01-01T00:00:00Z"))).toBe(canonicalText(new Date("2026-01-01T00:00:00.000Z")));
    expect(canonicalText(new Date("2026-01-01T00:00:00.001Z"))).not.toBe(canonicalText(new Date("2026-01-01T00:00:00.000Z")));
  });

  it("take a certificate in PEM for the same one in DER", async () => {
    const { cert } = await generate([{ name: "commonName", value: "issuer" }], { keySize: 2048 });
    const der = new X509Certificate(cert).raw;
    expect(canonicalText(Buffer.from(cert))).toBe(canonicalText(der));
    expect(canonicalText(Buffer.from(cert.replaceAll("\n", "\r\n")))).toBe(canonicalText(der));
    expect(canonicalText(Buffer.from("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"))).not.toBe(canonicalText(der));
  });

  it("name differing fields without their values", () => {
    const one = { options: [{ restriction: { issuer: "a", keyValue: new Uint8Array([1]) } }] };
    const other = { options: [{ restriction: { issuer: "b", keyValue: new Uint8Array([2]) } }] };
    expect(differingFields(one, other)).toEqual(["options[0].restriction.issuer", "options[0].restriction.keyValue"]);
    expect(differingFields({ a: 1 }, null)).toEqual(["everything"]);
    expect(differingFields(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, at])), {})).toHaveLength(8);
  });
});

const FIELDS = ["tracks", "trackSelections", "playerVisibility", "languageCode", "odataType", "rentalDuration", "rentalAndLeaseKeyType"];
const VALUES = ["DualExpiry", "PersistentLimited", "#Microsoft.Media.TextTrack", "Visible", "PT24H", "P1D", "P", "PT"];
/** Trees whose fields have the names that normalisation looks at. */
const { entity } = fc.letrec<{ entity: TreeObject }>((tie) => ({
  entity: fc.dictionary(
    fc.constantFrom(...FIELDS, "options", "gracePeriod", "enabledProtocols", "dash", "allowPersistentLicense", "a", "b"),
    fc.oneof(
      { maxDepth: 4 },
      fc.boolean(),
      fc.integer(),
      fc.constant(null),
      fc.constantFrom(...VALUES),
      fc.array(tie("entity"), { maxLength: 3 }),
      tie("entity"),
    ),
    { maxKeys: 5 },
  ),
}));

describe.each([
  ["content key policies", contentKeyPolicyTree],
  ["streaming policies", streamingPolicyTree],
  ["filters", filterTree],
  ["tracks", trackTree],
])("the normal form of %s", (_name, normal) => {
  it("is its own", () => {
    fc.assert(fc.property(entity, (value) => canonicalText(normal(normal(value))) === canonicalText(normal(value))));
  });

  it("does not notice how the same thing is told", () => {
    fc.assert(fc.property(entity, (value) => canonicalText(normal(value)) === canonicalText(normal(retold(value) as TreeObject))));
  });
});

describe("paths of differing fields", () => {
  it("lead to values that differ", () => {
    fc.assert(
      fc.property(entity, entity, (one, other) =>
        differingFields(one, other).every((path) => canonicalText(at(one, path)) !== canonicalText(at(other, path))),
      ),
    );
  });
});

describe("tracks", () => {
  const text = { odataType: "#Microsoft.Media.TextTrack", fileName: "a.ttml" };

  it("are compared without what the service finds out, and are visible where nothing else is said", () => {
    const told = { ...text, languageCode: "en-us", playerVisibility: "Visible" };
    expect(canonicalText(trackTree(text))).toBe(canonicalText(trackTree(told)));
    expect(canonicalText(trackTree(text))).not.toBe(canonicalText(trackTree({ ...text, playerVisibility: "Hidden" })));
    const audio = { odataType: "#Microsoft.Media.AudioTrack", fileName: "a.mp4" };
    expect(canonicalText(trackTree(audio))).toBe(canonicalText(trackTree({ ...audio, bitRate: 128_000 })));
    // The language of an audio track is its operator's to say.
    expect(canonicalText(trackTree(audio))).not.toBe(canonicalText(trackTree({ ...audio, languageCode: "en" })));
  });
});

describe("filters", () => {
  it("are compared with their tracks and conditions as sets", () => {
    const condition = (property: string): Tree => ({ property, operation: "Equal", value: "x" });
    const tracks = (...lists: readonly Tree[][]): TreeObject => ({ tracks: lists.map((trackSelections) => ({ trackSelections })) });
    const one = tracks([condition("Type"), condition("Language")], [condition("Name")]);
    const other = tracks([condition("Name")], [condition("Language"), condition("Type")]);
    expect(canonicalText(filterTree(one))).toBe(canonicalText(filterTree(other)));
    expect(canonicalText(filterTree(one))).not.toBe(canonicalText(filterTree(tracks([condition("Type")], [condition("Name")]))));
  });
});

describe("policies", () => {
  const fairPlay = (change: TreeObject): string => canonicalText(contentKeyPolicyTree({ options: [{ configuration: change }] }));

  it("do not mind the rental duration of licences that expire twice, which the service sets to 0", () => {
    const dual = { rentalAndLeaseKeyType: "DualExpiry", offlineRentalConfiguration: { playbackDurationSeconds: 1 } };
    expect(fairPlay({ ...dual, rentalDuration: 60 })).toBe(fairPlay({ ...dual, rentalDuration: 0 }));
    const limited = { rentalAndLeaseKeyType: "PersistentLimited" };
    expect(fairPlay({ ...limited, rentalDuration: 60 })).not.toBe(fairPlay({ ...limited, rentalDuration: 0 }));
  });

  it("compare durations by their length", () => {
    for (const field of ["relativeBeginDate", "relativeExpirationDate", "gracePeriod", "firstPlayExpiration"]) {
      expect(fairPlay({ [field]: "PT24H" })).toBe(fairPlay({ [field]: "P1D" }));
      expect(fairPlay({ [field]: "PT90M" })).toBe(fairPlay({ [field]: "PT1H30M" }));
      expect(fairPlay({ [field]: "PT1M" })).not.toBe(fairPlay({ [field]: "PT1H" }));
      expect(fairPlay({ [field]: "P1M" })).not.toBe(fairPlay({ [field]: "PT1M" }));
    }
  });

  it("take a protocol that is not named for one that is off", () => {
    const policy = (enabledProtocols: TreeObject): string => canonicalText(streamingPolicyTree({ noEncryption: { enabledProtocols } }));
    expect(policy({ dash: true })).toBe(policy({ dash: true, hls: false, download: false, smoothStreaming: false }));
    expect(policy({ dash: true })).not.toBe(policy({ dash: true, hls: true }));
  });

  it("are compared without what the service assigns, and with the order of their options", () => {
    const option = (name: string, policyOptionId: string): Tree => ({ name, policyOptionId });
    const one = contentKeyPolicyTree({ policyId: "1", created: new Date(1), options: [option("a", "1"), option("b", "2")] });
    const other = contentKeyPolicyTree({
      policyId: "2",
      lastModified: new Date(2),
      description: null,
      options: [option("a", "3"), option("b", "4")],
    });
    const turned = contentKeyPolicyTree({ options: [option("b", "4"), option("a", "3")] });
    expect(canonicalText(one)).toBe(canonicalText(other));
    expect(canonicalText(one)).not.toBe(canonicalText(turned));
  });

  it("are equal when the service has filled in empty lists", () => {
    const one = streamingPolicyTree({ envelopeEncryption: { contentKeys: { defaultKey: { label: "l" } } } });
    const other = streamingPolicyTree({
      created: new Date(0),
      defaultContentKeyPolicyName: null,
      envelopeEncryption: { clearTracks: [], contentKeys: { defaultKey: { label: "l", policyName: null }, keyToTrackMappings: [] } },
    });
    expect(canonicalText(one)).toBe(canonicalText(other));
  });
});

describe("locators", () => {
  it("are compared with filters and keys as sets, and without name, type and time of creation", () => {
    const { contentKeys } = LOCATOR;
    const other = { ...LOCATOR, name: "m", filters: ["y", "x", "y"], contentKeys: contentKeys.toReversed(), created: 2 };
    expect(same(LOCATOR, other)).toBe(true);
    expect(same(LOCATOR, { ...LOCATOR, contentKeys: contentKeys.map((key) => ({ ...key, id: key.id.toUpperCase(), type: "x" })) })).toBe(
      true,
    );
  });

  it("without an end are equal to those that the service shows as ending in the year 9999", () => {
    expect(same(LOCATOR, { ...LOCATOR, endTime: Date.parse("9999-12-31T23:59:59.997Z") })).toBe(true);
    expect(same(LOCATOR, { ...LOCATOR, endTime: Date.parse("9998-12-31T23:59:59.997Z") })).toBe(false);
  });

  it.each([
    ["id", { streamingLocatorId: "21111111-1111-4111-8111-111111111111" }],
    ["asset", { assetName: "b" }],
    ["streaming policy", { streamingPolicyName: "q" }],
    ["default policy", { defaultContentKeyPolicyName: "q" }],
    ["alternative media id", { alternativeMediaId: "m" }],
    ["start", { startTime: 1 }],
    ["end", { endTime: 1 }],
    ["filters", { filters: ["x"] }],
    ["missing key", { contentKeys: LOCATOR.contentKeys.slice(1) }],
    ["key value", { contentKeys: LOCATOR.contentKeys.map((key) => ({ ...key, value: "CCCC" })) }],
    ["key label", { contentKeys: LOCATOR.contentKeys.map((key) => ({ ...key, labelReferenceInStreamingPolicy: "other" })) }],
  ] as const)("differ by %s", (_name, change) => {
    expect(same(LOCATOR, { ...LOCATOR, ...change })).toBe(false);
  });
});
