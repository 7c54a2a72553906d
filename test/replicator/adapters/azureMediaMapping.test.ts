import { describe, expect, it } from "vitest";
import type { StreamingLocator } from "../../../src/core/media.ts";
import { fromAsset, fromLocator, toAsset, toLocator, toTree } from "../../../src/replicator/adapters/azureMediaMapping.ts";

const LOCATOR: StreamingLocator = {
  name: "l",
  assetName: "a",
  streamingLocatorId: "0ac1e7b2-7a57-4a8e-93a0-1f6f5fd3a111",
  streamingPolicyName: "Predefined_ClearKey",
  defaultContentKeyPolicyName: null,
  alternativeMediaId: null,
  startTime: null,
  endTime: null,
  filters: [],
  contentKeys: [
    {
      id: "5a8c35b2-1f1e-4d3c-9d57-0d8f6a1f2b3c",
      type: "EnvelopeEncryption",
      labelReferenceInStreamingPolicy: "clearKeyDefault",
      value: "MDEyMzQ1Njc4OUFCQ0RFRg==",
      policyName: "tokens",
    },
  ],
  created: 1,
};

describe("locators", () => {
  it("show the service's default end, the year 9999, as no end", () => {
    const sdk = {
      name: "l",
      assetName: "a",
      streamingLocatorId: "ID",
      streamingPolicyName: "p",
      endTime: new Date("9999-12-31T23:59:59.999Z"),
    };
    expect(toLocator(sdk, [])).toMatchObject({ endTime: null, startTime: null, streamingLocatorId: "id" });
    expect(toLocator({ ...sdk, endTime: new Date("2030-01-01T00:00:00Z") }, []).endTime).toBe(Date.UTC(2030, 0, 1));
  });

  it("are created from fresh objects: only what can be set, and nothing that is unset", () => {
    expect(fromLocator(LOCATOR)).toEqual({
      assetName: "a",
      streamingPolicyName: "Predefined_ClearKey",
      streamingLocatorId: LOCATOR.streamingLocatorId,
      contentKeys: [
        { id: LOCATOR.contentKeys[0]?.id, labelReferenceInStreamingPolicy: "clearKeyDefault", value: LOCATOR.contentKeys[0]?.value },
      ],
    });
  });

  it("refuse a content key without its value, rather than replicate half of it", () => {
    const sdk = { name: "l", assetName: "a", streamingLocatorId: "id", streamingPolicyName: "p" };
    expect(() => toLocator(sdk, [{ id: "k" }])).toThrow(expect.objectContaining({ code: "account_rejected" }));
  });
});

describe("assets", () => {
  it("have the default container where the API leaves it out", () => {
    expect(toAsset({ name: "a", assetId: "123" })).toMatchObject({ container: "asset-123", description: null, lastModified: 0 });
  });

  it("are created with what is set", () => {
    expect(fromAsset({ name: "a", container: "c", alternateId: null, description: "d" })).toEqual({ container: "c", description: "d" });
  });
});

describe("trees", () => {
  it("keep the named fields, secrets, dates and explicit nulls below the top, without what the service assigned", () => {
    const sdk = {
      id: "/subscriptions/x",
      systemData: { createdBy: "me" },
      policyId: "p",
      description: null,
      options: [
        {
          policyOptionId: "o",
          name: undefined,
          configuration: {
            odataType: "#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration",
            ask: Buffer.from([1, 2]),
            fairPlayPfx: null,
          },
          expirationDate: new Date(5),
        },
      ],
    };
    expect(toTree(sdk, ["description", "options"])).toStrictEqual({
      options: [
        {
          configuration: {
            odataType: "#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration",
            ask: new Uint8Array([1, 2]),
            fairPlayPfx: null,
          },
          expirationDate: new Date(5),
        },
      ],
    });
  });
});
