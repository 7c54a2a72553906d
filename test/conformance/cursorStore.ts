/** What every `CursorStore` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { Cursor, CursorStore } from "../../src/core/ports/cursor.ts";
import { eachTest } from "./eachTest.ts";

export interface CursorStoreHarness extends AsyncDisposable {
  readonly cursors: CursorStore;
  /** The same cursors as another process or connection sees them. */
  readonly second: CursorStore;
}

const CURSOR: Cursor = {
  startedAt: 1_767_225_600_123,
  place: "https://management.example/subscriptions/s/streamingLocators?api-version=1&$skiptoken=caf\u00e9%20%2F'x'",
  pages: 7,
};

export function cursorStoreConformance(name: string, make: () => Promise<CursorStoreHarness>): void {
  describe(`cursors: ${name}`, () => {
    const harness = eachTest(make);

    it("gives back what was saved last, to every process, and null before", async () => {
      const { cursors, second } = harness();
      expect(await cursors.load("all", "west")).toBeNull();
      await cursors.save("all", "west", { ...CURSOR, pages: 6 });
      await cursors.save("all", "west", CURSOR);
      expect(await second.load("all", "west")).toEqual(CURSOR);
    });

    it("keeps looks and regions apart, whatever their names are", async () => {
      const { cursors } = harness();
      const places = [
        ["all", "west"],
        ["all", "west-2"],
        ["2-all", "west"],
        ["west->north, 'full' / 100% #?", "west"],
        ["", "west"],
      ] as const;
      for (const [pages, [scope, region]] of places.entries()) await cursors.save(scope, region, { ...CURSOR, pages });
      for (const [pages, [scope, region]] of places.entries()) expect(await cursors.load(scope, region)).toEqual({ ...CURSOR, pages });
    });

    it("forgets what is cleared, and only that", async () => {
      const { cursors, second } = harness();
      await cursors.save("all", "west", CURSOR);
      await cursors.save("all", "north", CURSOR);
      await second.clear("all", "west");
      await second.clear("all", "west");
      expect(await cursors.load("all", "west")).toBeNull();
      expect(await cursors.load("all", "north")).toEqual(CURSOR);
    });
  });
}
