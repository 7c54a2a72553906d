import { expect, it } from "vitest";
import { Copies, transferOf } from "./copies.ts";

const put = (target: string, status = 201): string | null => transferOf({ service: "storage", method: "PUT", target }, { status });

it("counts blobs and blocks that came in, and nothing else", () => {
  expect(put("/a/c/b?sig=x")).toBe("c/b");
  expect(put("/a/c/b?comp=block&blockid=MQ%3D%3D&sig=x")).toBe("c/b block MQ==");
  expect(put("/a/c/b?comp=blocklist&sig=x")).toBeNull();
  expect(put("/a/c/b?sig=x", 409)).toBeNull();
  expect(put("/a/c?restype=container")).toBeNull();
});

it("forgives what was in flight when its caller died, once", () => {
  const copies = new Copies();
  for (let count = 0; count < 2; count += 1) copies.count("c/b");
  expect(copies.repeated()).toEqual(["c/b"]);
  copies.diedDuring("c/b");
  expect(copies.repeated()).toEqual([]);
  copies.count("c/b");
  expect(copies.repeated()).toEqual(["c/b"]);
  expect(copies.all).toBe(3);
});
