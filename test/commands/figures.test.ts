import { describe, expect, it } from "vitest";
import { bytesText, counted, spanText } from "../../src/commands/figures.ts";

describe("figures for people", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [123_456, "123 kB"],
    [3_400_000_000, "3.4 GB"],
    [5e18, "5000 PB"],
  ])("%d bytes: %s", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0, "0 s"],
    [59_499, "59 s"],
    [60_000, "1 min"],
    [125_000, "2 min 5 s"],
    [3_660_000, "1 h 1 min"],
    [200_000_000, "2 d 7 h"],
  ])("%d ms: %s", (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });

  it("counts one and many", () => {
    expect([counted(1, "blob"), counted(0, "blob")]).toEqual(["1 blob", "0 blobs"]);
  });
});
