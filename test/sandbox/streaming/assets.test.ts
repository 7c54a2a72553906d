import { describe, expect, it } from "vitest";
import { CachedAssets } from "../../../src/sandbox/streaming/assets.ts";
import type { Rendition } from "../../../src/sandbox/streaming/serverManifest.ts";
import { MemoryBlobs, readSample } from "./sampleRegion.ts";

const CONTAINER = "asset-sample";
const ISM = "paircast-sample.ism";

async function opened(): Promise<{ blobs: MemoryBlobs; assets: CachedAssets; rendition: Rendition }> {
  const blobs = MemoryBlobs.sample(CONTAINER);
  const assets = new CachedAssets(blobs);
  const [rendition] = (await assets.manifest(CONTAINER, ISM)).renditions;
  if (rendition === undefined) throw new Error("no rendition");
  return { blobs, assets, rendition };
}

describe("CachedAssets", () => {
  it("reads the head of a file once, later only asks whether it changed", async () => {
    const { blobs, assets, rendition } = await opened();
    const first = await assets.track(CONTAINER, rendition);
    blobs.asked.length = 0;
    expect(await assets.track(CONTAINER, rendition)).toEqual(first);
    expect(blobs.asked).toHaveLength(1);
    expect(blobs.asked[0]?.ifNoneMatch).toBeDefined();
  });

  it("reads a fragment with one ranged read of just its bytes", async () => {
    const { blobs, assets, rendition } = await opened();
    const { index } = await assets.track(CONTAINER, rendition);
    const fragment = index.fragments[3];
    if (fragment === undefined) throw new Error("no fragment");
    blobs.asked.length = 0;
    const bytes = await assets.part(CONTAINER, rendition, () => fragment);
    expect(bytes).toEqual(readSample(rendition.file).subarray(fragment.offset, fragment.offset + fragment.size));
    expect(blobs.asked).toMatchObject([{ offset: fragment.offset, count: fragment.size }]);
  });

  it("reads the index again when the file was replaced since", async () => {
    const { blobs, assets, rendition } = await opened();
    await assets.track(CONTAINER, rendition);
    const replacement = readSample("paircast-sample_256x144.mp4");
    blobs.files.set(rendition.file, replacement);
    const bytes = await assets.part(CONTAINER, rendition, ({ initLength }) => ({ offset: 0, size: initLength }));
    expect(bytes).toEqual(replacement.subarray(0, bytes.length));
    expect((await assets.track(CONTAINER, rendition)).index.video?.width).toBe(256);
  });

  it("finds a file gone, cut short, or without an index", async () => {
    const { blobs, assets, rendition } = await opened();
    const whole = readSample(rendition.file);
    blobs.files.set(rendition.file, whole.subarray(0, 70_000));
    const last = assets.part(CONTAINER, rendition, ({ fragments }) => fragments.at(-1) ?? { offset: 0, size: 0 });
    await expect(last).rejects.toMatchObject({ code: "asset_unusable" });
    blobs.files.set(rendition.file, new TextEncoder().encode("<html>not a film</html>"));
    await expect(assets.track(CONTAINER, rendition)).rejects.toMatchObject({ code: "asset_unusable" });
    blobs.files.set(rendition.file, new Uint8Array());
    await expect(assets.track(CONTAINER, rendition)).rejects.toMatchObject({ code: "asset_unusable" });
    blobs.files.delete(rendition.file);
    await expect(assets.track(CONTAINER, rendition)).rejects.toMatchObject({ code: "MPE_RESOURCE_NOT_FOUND" });
    await expect(assets.manifest(CONTAINER, "other.ism")).rejects.toMatchObject({ code: "MPE_RESOURCE_NOT_FOUND" });
  });

  it("reads further where the index does not fit into the first read", async () => {
    const { blobs, assets, rendition } = await opened();
    const padded = withLeadingFreeBox(readSample(rendition.file), 100_000);
    blobs.files.set(rendition.file, padded);
    const { index } = await assets.track(CONTAINER, rendition);
    expect(index.fragments).toHaveLength(32);
    const bytes = await assets.part(CONTAINER, rendition, ({ fragments }) => fragments[0] ?? { offset: 0, size: 0 });
    expect(new TextDecoder().decode(bytes.subarray(4, 8))).toBe("moof");
  });
});

/** Puts a `free` box of `size` bytes between the file type and the movie box. */
function withLeadingFreeBox(file: Uint8Array, size: number): Uint8Array {
  const typeLength = new DataView(file.buffer, file.byteOffset).getUint32(0);
  const free = new Uint8Array(size);
  new DataView(free.buffer).setUint32(0, size);
  free.set(new TextEncoder().encode("free"), 4);
  return Buffer.concat([file.subarray(0, typeLength), free, file.subarray(typeLength)]);
}
