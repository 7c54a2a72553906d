import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamingLocator, Tree } from "../../../src/core/media.ts";
import {
  recordFrom,
  recordText,
  withoutAssigned,
  type RecordedContent,
  type RecordedLocator,
} from "../../../src/replicator/keyRecords/content.ts";

const time = fc.date({ noInvalidDate: false });
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.string({ unit: "binary" }),
    time,
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function policy(properties: { readonly [name: string]: Tree }): RecordedContent {
  return { kind: "contentKeyPolicy", policy: { name: "drm", properties } };
}

const locator: StreamingLocator = {
  name: "intro-1",
  assetName: "intro",
  streamingLocatorId: "11111111-1111-4111-8111-111111111111",
  streamingPolicyName: "envelope",
  defaultContentKeyPolicyName: null,
  alternativeMediaId: null,
  startTime: null,
  endTime: 5,
  filters: ["b", "a"],
  contentKeys: ["2", "1"].map((id) => ({ id, type: null, labelReferenceInStreamingPolicy: null, value: "AAAA", policyName: null })),
  created: 7,
};
const recorded: RecordedLocator = {
  kind: "locator",
  source: "west",
  asset: { name: "intro", container: "asset-intro", storageAccountName: null, alternateId: null, description: "a film" },
  assetFilters: [
    { name: "z", properties: {} },
    { name: "y", properties: { firstQuality: { bitrate: 1 } } },
  ],
  tracks: [],
  locator,
  manifests: { hls: "/x", dash: null },
};

describe("the text of a record", () => {
  it("gives back every tree, bytes and times too", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), tree, { maxKeys: 4, noNullPrototype: true }), (properties) => {
        // `toEqual` takes -0 for another number than 0; JSON has only one.
        expect(recordFrom(recordText(policy(properties)), "id")).toEqual(policy(properties));
      }),
    );
  });

  it("is the same in whatever order the service answers", () => {
    const { contentKeys, filters } = locator;
    const other = {
      ...recorded,
      assetFilters: recorded.assetFilters.toReversed(),
      locator: { ...locator, contentKeys: contentKeys.toReversed(), filters: filters.toReversed() },
    };
    expect(recordText(other)).toBe(recordText(recorded));
    expect(recordText(policy({ one: 1, two: [2, null] }))).toBe(recordText(policy({ two: [2, null], one: 1 })));
    expect(recordText(policy({ list: [1, 2] }))).not.toBe(recordText(policy({ list: [2, 1] })));
  });

  it("has a policy as it can be made again: with what is false or empty, without what the service assigns", () => {
    const key = new Uint8Array([1]);
    const time = new Date(5);
    const properties = {
      policyId: "1",
      created: time,
      a: false,
      b: [],
      c: { key, time },
      options: [{ policyOptionId: "2", name: "", list: [null] }],
    };
    expect(withoutAssigned(properties)).toEqual({ a: false, b: [], c: { key, time }, options: [{ name: "", list: [null] }] });
  });

  it("is refused where a later release wrote it, or nobody of ours did", () => {
    expect(() => recordFrom(JSON.stringify({ format: 2, content: {} }), "a")).toThrow(
      expect.objectContaining({ code: "key_record_newer" }),
    );
    expect(() => recordFrom("not JSON", "a")).toThrow(expect.objectContaining({ code: "key_record_damaged" }));
  });
});
