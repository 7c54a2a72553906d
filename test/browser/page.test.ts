/** The status page as people use it: its buttons, its words, and a narrow screen. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, launchChromium } from "../harness/browser.ts";
import { SandboxProcess } from "../harness/sandbox.ts";
import { withStatusPage } from "../harness/statusPage.ts";
import { eventually } from "../harness/wait.ts";

const executable = findChromium();

describe.skipIf(executable === null)("the status page", () => {
  const stack = new AsyncDisposableStack();
  let sandbox: SandboxProcess;
  let browser: Browser;

  beforeAll(async () => {
    sandbox = stack.use(await SandboxProcess.start());
    browser = stack.adopt(await launchChromium(String(executable)), async (each) => each.close());
  });
  afterAll(async () => stack.disposeAsync());

  async function withPage(options: BrowserContextOptions, use: (page: Page, problems: readonly string[]) => Promise<void>): Promise<void> {
    await withStatusPage(browser, sandbox.ready.admin, use, options);
  }

  it("breaks and mends a region by its buttons, and shows where new viewers go meanwhile", async () => {
    await withPage({}, async (page, problems) => {
      const [west, north] = ["westeurope", "northeurope"].map((name) => page.locator(`[data-region=${name}]`));
      if (west === undefined || north === undefined) throw new Error("no cards");
      await west.getByText("new viewers").waitFor();
      await west.getByLabel("service of westeurope to break").selectOption("streaming");
      await west.getByRole("button", { name: "Break" }).click();
      await west.locator("[data-service=streaming] .unhealthy").waitFor();
      await west.getByText("fault switched on: refuse (streaming)").waitFor();
      await north.getByText("new viewers").waitFor();
      await west.locator(".use", { hasText: "keys" }).waitFor();
      await page.locator("#summary", { hasText: /^unhealthy: westeurope streaming; new viewers go to northeurope$/ }).waitFor();
      await west.getByRole("button", { name: "Mend" }).click();
      await page.getByText("every region can serve").waitFor({ timeout: 60_000 });
      await west.getByText("new viewers").waitFor();
      expect(problems).toEqual([]);
    });
  });

  it("keeps a button, a focus and a selected text over its refreshes", async () => {
    await withPage({}, async (page) => {
      await page.locator("[data-region=northeurope] .break").focus();
      await page.locator("#videos code").first().selectText();
      const selected = await page.evaluate("String(getSelection())");
      const probed = page.locator("[data-region=northeurope] [data-service=streaming] .muted");
      const before = await probed.textContent();
      await eventually(30_000, "a later probe to be shown", async () => ((await probed.textContent()) === before ? null : true));
      expect(await page.locator("[data-region=northeurope] .break:focus").count()).toBe(1);
      expect(await page.evaluate("String(getSelection())")).toBe(selected);
      expect(selected).not.toBe("");
    });
  });

  it("fits a narrow screen", async () => {
    await withPage({ viewport: { width: 400, height: 800 } }, async (page) => {
      await page.locator("#videos td").first().waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
    });
  });
});
