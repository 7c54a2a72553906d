import { describe, expect, it } from "vitest";
import { keyIdentity } from "../../src/core/playback/keyIdentity.ts";
import { keyHostOf, keyPlace, movedUri } from "../../src/core/playback/keyPlace.ts";

const here = { name: "we", streaming: "https://v-we.example/base", keys: "https://k-we.example" };
const there = { name: "ne", streaming: "https://v-ne.example", keys: "https://k-ne.example" };
const door = { prefix: "/keys", host: "keys.example" };

describe("the place of a key", () => {
  it.each([
    ["https://k-we.example/?kid=1", { service: "keys", target: "/?kid=1", sure: true }],
    ["https://k-we.example?kid=1", { service: "keys", target: "/?kid=1", sure: true }],
    ["https://gw.example:8443/keys/?kid=1", { service: "keys", target: "/?kid=1", sure: true }],
    ["https://gw.example/keys?kid=1", { service: "keys", target: "/?kid=1", sure: true }],
    ["https://keys.example/a/b?kid=1", { service: "keys", target: "/a/b?kid=1", sure: true }],
    ["https://keys.example/keys/a", { service: "keys", target: "/a", sure: true }],
    ["https://v-we.example/base/v/key.bin", { service: "streaming", url: "https://v-we.example/base/v/key.bin", target: "/v/key.bin" }],
    ["https://k-ne.example/?kid=1", { service: "elsewhere", url: "https://k-ne.example/?kid=1", target: "/?kid=1" }],
    ["https://unknown.example/?kid=1#x", { service: "keys", target: "/?kid=1", sure: false }],
    ["https://k-we.example.evil.example/?kid=1", { service: "keys", target: "/?kid=1", sure: false }],
    ["https://gw.example/keysmith", { service: "keys", target: "/keysmith", sure: false }],
    ["skd://1234", null],
    ["data:text/plain;base64,AAAA", null],
  ])("%s", (uri, place) => {
    expect(keyPlace(uri, here, [there], door)).toEqual(place);
  });

  it("is the more exact one of two at the same host", () => {
    const nested = { name: "we", streaming: "https://h.example/video", keys: "https://h.example" };
    expect(keyPlace("https://h.example/video/key", nested, [], door)).toMatchObject({ service: "streaming" });
    expect(keyPlace("https://h.example/other/key", nested, [], door)).toMatchObject({ service: "keys", target: "/other/key" });
    const same = { name: "we", streaming: "https://h.example", keys: "https://h.example" };
    expect(keyPlace("https://h.example/key", same, [], door)).toMatchObject({ service: "keys" });
  });

  it("is nobody's where a region has no key delivery", () => {
    const bare = { name: "we", streaming: "https://v-we.example" };
    expect(keyPlace("https://gw.example/keys/?kid=1", bare, [there], door)).toBeNull();
    expect(keyPlace("https://unknown.example/k", bare, [there], door)).toBeNull();
  });
});

describe("the identity of a key", () => {
  it.each([
    ["/?kid=0A0A", "0a0a"],
    ["/path?x=1&KID=0a0A&y", "0a0a"],
    ["/Keys/One.bin?token=x", "/keys/one.bin"],
    ["/", "/"],
  ])("%s", (target, identity) => {
    expect(keyIdentity(target)).toBe(identity);
  });
});

describe("whose host players are sent to", () => {
  const shared = { name: "we", streaming: "https://h.example/video", keys: "https://h.example/keys" };

  it.each([
    ["https://v-we.example/base/v/key.bin", here, "streaming"],
    ["https://k-we.example/?kid=1", here, "elsewhere"],
    ["https://h.example/keys/one", shared, "region"],
    ["https://gw.example/keys/one", here, "gateway"],
    ["https://keys.example?kid=1", here, "gateway"],
    ["https://unknown.example/one", here, "elsewhere"],
    ["skd://1234", here, "elsewhere"],
  ])("by %s", (uri, region, expected) => {
    expect(keyHostOf(uri, region, door)).toBe(expected);
  });

  it("is judged by the original's playlist, where relative addresses lead to its own hosts", () => {
    expect(movedUri("https://v-ne.example/v/key.bin", there, here)).toBe("https://v-we.example/base/v/key.bin");
    expect(movedUri("https://k-ne.example/?kid=1", there, here)).toBe("https://k-we.example/?kid=1");
    expect(movedUri("https://k-we.example/?kid=1", there, here)).toBe("https://k-we.example/?kid=1");
    expect(movedUri("https://k-ne.example/?kid=1", there, { name: "we", streaming: "https://v-we.example" })).toBe(
      "https://k-ne.example/?kid=1",
    );
  });
});
