import { describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { describeBlobContainer } from "../conformance/blobContainer.ts";
import { MemoryBlobContainer } from "./memoryBlobContainer.ts";
import { MemoryMediaAccount } from "./memoryMediaAccount.ts";

describeBlobContainer("the container in memory", async () => {
  const account = new MemoryMediaAccount();
  const asset = await account.createAsset({ name: "target", container: "target", alternateId: null, description: null });
  const source = new MemoryBlobContainer("source");
  const target = account.blobs("target");
  const missing = new MemoryBlobContainer("missing");
  missing.exists = false;
  const unreachable = new MemoryBlobContainer("unreachable");
  unreachable.calls.failAll("*", new PaircastError("storage_unavailable", "nobody answers", { retry: "retry" }));
  return {
    source,
    target,
    readOnly: account.container(asset, "read"),
    missing,
    unreachable,
    seed: (name, content, properties) => {
      source.put(name, content, properties);
      return Promise.resolve();
    },
    remove: (name) => {
      source.remove(name);
      return Promise.resolve();
    },
    pending: {
      start: (name, content) => {
        target.putPending(name, content);
        return Promise.resolve();
      },
      settle: (name, status) => {
        // After the copy has begun to wait.
        setImmediate(() => {
          target.settlePending(name, status);
        });
      },
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

describe("faults of the container in memory", () => {
  it("a copy that breaks off leaves no readable blob, and the next one mends it", async () => {
    const source = new MemoryBlobContainer("source");
    const target = new MemoryBlobContainer("target");
    const blob = source.put("a", new Uint8Array([1, 2, 3]));
    target.leaveHalf("a", "failed");
    await expect(target.copyFrom(source, blob, "absent")).rejects.toMatchObject({ code: "storage_unavailable" });
    const half = await target.head("a");
    expect(half?.copyStatus).toBe("failed");
    const mended = await target.copyFrom(source, blob, { etag: half?.etag ?? "" });
    expect(await target.read(mended, 0, 3)).toEqual(new Uint8Array([1, 2, 3]));
  });

  it("the nth call fails, once; attempts to write are counted", async () => {
    const container = new MemoryBlobContainer("c");
    container.calls.failNth("head", 2, new Error("planned"));
    await container.head("a");
    await expect(container.head("a")).rejects.toThrow("planned");
    await container.head("a");
    expect(container.calls.count("head")).toBe(3);
    expect(container.calls.mutations).toHaveLength(0);
    await container.write("a", new Uint8Array(), { contentType: "text/plain", condition: "absent" });
    expect(container.calls.mutations).toEqual([{ operation: "write", subject: "a", mutating: true }]);
  });
});
