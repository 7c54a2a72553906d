import { describe, expect, it } from "vitest";
import { blobOf, isWrite, operationOf, type CallLine } from "./operation.ts";

const ACCOUNT = "/subscriptions/5c0b/resourceGroups/media/providers/Microsoft.Media/mediaServices/northmedia";

function call(change: Partial<CallLine>): CallLine {
  return { service: "management", region: "north", method: "GET", target: "/", copies: false, ...change };
}

describe("the kind of a call", () => {
  it.each([
    [`${ACCOUNT}/assets/intro?api-version=2022-08-01`, "management north GET assets/*"],
    [`${ACCOUNT}/assets/intro/assetFilters/own?api-version=2022-08-01`, "management north GET assets/*/assetFilters/*"],
    [`${ACCOUNT}/streamingLocators?api-version=2022-08-01`, "management north GET streamingLocators"],
    [
      `${ACCOUNT}/streamingLocators/intro/listContentKeys?api-version=2022-08-01`,
      "management north GET streamingLocators/*/listContentKeys",
    ],
    ["/auth/token", "management north GET auth/token"],
  ])("of %s has no name in it", (target, kind) => {
    expect(operationOf(call({ target }))).toBe(kind);
  });

  it("of a call to storage says what is moved, and from where", () => {
    const storage = { service: "storage", method: "PUT", region: "north" } as const;
    expect(operationOf(call({ ...storage, target: "/a/c/b?sig=x", copies: true }))).toBe("storage north PUT blob from URL");
    expect(operationOf(call({ ...storage, target: "/a/c/b?comp=block&blockid=1&sig=x" }))).toBe("storage north PUT blob block");
    expect(operationOf(call({ ...storage, method: "GET", target: "/a/c?restype=container&comp=list" }))).toBe(
      "storage north GET container list",
    );
  });

  it("of a call to a player's service is a manifest, a part or a key", () => {
    const streaming = { service: "streaming", region: "west" } as const;
    expect(operationOf(call({ ...streaming, target: "/id/v.ism/manifest(format=m3u8-cmaf)" }))).toBe("streaming west GET manifest");
    expect(operationOf(call({ ...streaming, target: "/id/v.ism/QualityLevels(1)/Fragments(video=0)" }))).toBe("streaming west GET part");
    expect(operationOf(call({ service: "keys", region: "west", target: "/?kid=1" }))).toBe("keys west GET key");
  });

  it("tells what writes from what only asks", () => {
    expect(isWrite(call({ method: "PUT" }))).toBe(true);
    expect(isWrite(call({ method: "POST" }))).toBe(false);
    expect(isWrite(call({ service: "keys", method: "POST" }))).toBe(false);
  });

  it("knows the blob by its decoded name", () => {
    expect(blobOf("/account/asset-1/notes%20%26%20extras/%C3%BC.txt?sig=x")).toEqual({
      container: "asset-1",
      blob: "notes & extras/ü.txt",
    });
    expect(blobOf("/account?comp=list")).toBeNull();
  });
});
