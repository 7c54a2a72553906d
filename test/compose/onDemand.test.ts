import { describe, expect, it } from "vitest";
import { onDemandCatalogue, onDemandView } from "../../src/compose/onDemand.ts";
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import { amsDriver } from "../../src/replicator/driver.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { MemoryCatalogue } from "../fakes/memoryCatalogue.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { PLAIN_LOCATOR } from "../fakes/plainLocator.ts";

const video = catalogueEntry("11111111-0000-4000-8000-000000000001", { assetName: "video" });
const live = catalogueEntry("11111111-0000-4000-8000-000000000002", { assetName: "paircast-live-Show" });

describe("the catalogue without live events", () => {
  it("lists and tells of videos, and gives what is asked for by its id", async () => {
    const store = new MemoryCatalogue();
    const kept = onDemandCatalogue(store);
    const since = await kept.revision();
    for (const entry of [video, live]) await store.put(entry, null);
    expect((await Array.fromAsync(kept.list())).map(({ entry }) => entry.assetName)).toEqual(["video"]);
    expect([...((await kept.changes(since))?.changed.keys() ?? [])]).toEqual([video.locatorId]);
    expect((await kept.get(live.locatorId))?.entry.assetName).toBe("paircast-live-Show");
  });

  it("is the same array until the view's changes", () => {
    let entries: readonly CatalogueEntry[] = [video, live];
    const view = onDemandView({ byLocator: () => live, byKey: () => undefined, entries: () => entries });
    expect(view.entries()).toEqual([video]);
    expect(view.entries()).toBe(view.entries());
    entries = [video];
    expect(view.entries()).toBe(entries);
    expect(view.byLocator("")).toBe(live);
  });
});

it("replication does not see what live events publish", async () => {
  const account = new MemoryMediaAccount({ region: "west" });
  for (const name of ["video", "paircast-live-Show"]) {
    await account.createAsset({ name, container: name.toLowerCase(), alternateId: null, description: null });
    const ids = { streamingLocatorId: name === "video" ? video.locatorId : live.locatorId, created: 0 };
    await account.createLocator({ name, assetName: name, streamingPolicyName: "Predefined_ClearStreamingOnly", ...ids, ...PLAIN_LOCATOR });
  }
  const driver = amsDriver({ accounts: new Map([["west", account]]) } as unknown as Parameters<typeof amsDriver>[0]);
  const { signal } = new AbortController();
  const pages = await Array.fromAsync(driver.pages("west", null, signal));
  expect(pages.flatMap(({ items }) => items.map(({ assetName }) => assetName))).toEqual(["video"]);
  expect(await driver.publicationsOf("west", "paircast-live-Show", signal)).toEqual([]);
  expect(await driver.publicationsOf("west", "video", signal)).toHaveLength(1);
});
