/** Live events on the status page: told from other videos, and where they can be seen. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, launchChromium } from "../harness/browser.ts";
import { withStatusPage } from "../harness/statusPage.ts";
import { entry, EVERYWHERE, UNKNOWN_LOCATOR } from "../gateway/world.ts";
import { EncodingStage } from "./encodingStage.ts";

const executable = findChromium();

describe.skipIf(executable === null)("live events on the status page", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(String(executable));
  });
  afterAll(async () => {
    await browser.close();
  });

  it("have their own name, and the region that is off air has the reason", async () => {
    await using stage = await EncodingStage.start({}, true);
    const own = { locatorId: UNKNOWN_LOCATOR, locatorName: "paircast-live-Show", assetName: "paircast-live-Show" };
    const manifests = { hls: `/${UNKNOWN_LOCATOR}/Show.ism/manifest(format=m3u8-cmaf)`, dash: null };
    const live = entry({ westeurope: "withdrawn", northeurope: "verified" }, { ...own, manifests });
    const west = { state: "withdrawn", at: 0, detail: "not on air: stale: nothing new for 12 s" } as const;
    stage.world.catalogue.list = [EVERYWHERE, { ...live, regions: { ...live.regions, westeurope: west } }];
    await withStatusPage(browser, stage.url, async (page, problems) => {
      const row = page.locator("#videos tbody tr", { hasText: UNKNOWN_LOCATOR });
      await row.waitFor();
      const cells = await row.locator("td").allTextContents();
      expect([cells[0], cells[3], cells[4]]).toEqual(["Show live", "off air", "serves"]);
      expect(await row.locator("td").nth(3).getAttribute("title")).toBe(west.detail);
      expect(await page.locator("#videos tbody tr", { hasText: "verified (source)" }).count()).toBe(1);
      expect(await page.locator("#player-video option").allTextContents()).toContain("Show");
      expect(problems).toEqual([]);
    });
  });
});
