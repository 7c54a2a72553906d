/** An operator's view: a region drained, refused and lifted by the status page, with the admin token asked for. */
import type { Browser, Page } from "playwright-core";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { SandboxProcess } from "../harness/sandbox.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually } from "../harness/wait.ts";

const executable = findChromium();
if (executable === null) console.warn(`browser tests are skipped: ${HOW_TO_GET_CHROMIUM}`);

const TOKEN = "an-admin-token-of-enough-length";

describe.skipIf(executable === null)("overrides in Chromium", () => {
  let sandbox: SandboxProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [sandbox, browser] = await Promise.all([SandboxProcess.start(), launchChromium(String(executable))]);
  });
  afterAll(async () => {
    await browser.close();
    await sandbox[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    page = await browser.newPage();
  });
  afterEach(async () => {
    await page.context().close();
  });

  interface Route {
    readonly region: string;
    readonly reason: string;
  }

  async function route(): Promise<Route> {
    const { gateway, regions } = sandbox.ready;
    const answer = await request(`${gateway}${sandbox.video("paircast-sample").hls}`, { method: "HEAD", headers: { connection: "close" } });
    const location = String(answer.headers["location"]);
    const region = regions.find(({ streaming }) => location.startsWith(`${streaming}/`))?.name ?? location;
    return { region, reason: String(answer.headers["x-paircast-reason"]) };
  }

  async function routed(wanted: Route): Promise<void> {
    await eventually(5_000, `manifests to go to ${wanted.region}`, async () => {
      const { region, reason } = await route();
      return region === wanted.region && reason === wanted.reason ? true : null;
    });
  }

  async function fill(kind: string, region: string, reason: string, duration = "10m"): Promise<void> {
    await page.locator("#override-kind").selectOption(kind);
    await page.locator("#override-region").selectOption(region);
    await page.locator("#override-reason").fill(reason);
    await page.locator("#override-for").fill(duration);
  }

  async function set(): Promise<void> {
    await page.locator("#override-form").getByRole("button", { name: "Set" }).click();
  }

  async function open(url: string): Promise<void> {
    await page.goto(url);
    await page.locator("#override-region option").first().waitFor({ state: "attached" });
  }

  it("drains westeurope: manifests go north with a reason; lifting brings them back", async () => {
    await open(sandbox.ready.admin);
    await page.getByText("every region can serve").waitFor({ timeout: 15_000 });
    await routed({ region: "westeurope", reason: "primary" });
    await page.locator("#override-by").fill("Ada");
    await fill("drain", "westeurope", "new <b>certificates</b>");
    await set();
    const row = page.locator("#overrides li");
    await row.filter({ hasText: /westeurope drained: new <b>certificates<\/b>by Ada, for another (10 min|9 min|600 s)/ }).waitFor();
    await routed({ region: "northeurope", reason: "failover" });
    const card = page.locator('[data-region="westeurope"] .override[title="new <b>certificates</b> (Ada)"]', { hasText: /^drained$/ });
    await card.waitFor();
    await page.locator("#events li", { hasText: "westeurope drained by Ada: new <b>certificates</b>" }).waitFor();

    await row.getByRole("button", { name: "Lift" }).click();
    await row.waitFor({ state: "detached" });
    await routed({ region: "westeurope", reason: "primary" });
    await page.locator("#events li", { hasText: "westeurope is no longer drained: lifted by Ada" }).waitFor();
    await page.locator("#overrides li").waitFor({ state: "detached" });
  });

  it("shows why the last eligible region is not drained, and does it when that is meant", async () => {
    await open(sandbox.ready.admin);
    await fill("drain", "northeurope", "first");
    await set();
    await page.locator("#overrides li").waitFor();
    await fill("drain", "westeurope", "second");
    await set();
    const refusal = page.locator("#override-refusal");
    await refusal.filter({ hasText: "westeurope is the last region eligible for streaming (northeurope is drained)" }).waitFor();
    expect(await page.locator("#overrides li").count()).toBe(1);

    await page.getByRole("button", { name: "Do it all the same" }).click();
    await page.locator("#overrides li").nth(1).waitFor();
    await refusal.waitFor({ state: "hidden" });
    for (const left of [1, 0]) {
      await page.locator("#overrides li").first().getByRole("button", { name: "Lift" }).click();
      await eventually(5_000, `${left} overrides to be left`, async () =>
        (await page.locator("#overrides li").count()) === left ? true : null,
      );
    }
    await routed({ region: "westeurope", reason: "primary" });
  });

  it("says what is wrong with a duration, and offers no force for it", async () => {
    await open(sandbox.ready.admin);
    await fill("pin", "northeurope", "look at it", "soon");
    await set();
    await page.getByText("duration: write a duration with its unit").waitFor();
    expect(await page.getByRole("button", { name: "Do it all the same" }).isVisible()).toBe(false);
    expect(await page.locator("#overrides li").count()).toBe(0);
  });

  it("keeps what is being typed while the page refreshes", async () => {
    await open(sandbox.ready.admin);
    await fill("disable", "northeurope", "half a sen");
    const asked = () => page.waitForResponse((response) => response.url().endsWith("/api/status"));
    await asked();
    await asked();
    expect(await page.locator("#override-reason").inputValue()).toBe("half a sen");
    expect(await page.locator("#override-region").inputValue()).toBe("northeurope");
    expect(await page.locator("#override-kind").inputValue()).toBe("disable");
  });

  it("asks for the admin token where one is configured, and writes with it", async () => {
    await using folder = await ServeFolder.create();
    const { regions } = sandbox.ready;
    await folder.write(
      [
        "regions:",
        ...regions.map(({ name, streaming, keys }) => `  - { name: ${name}, streaming: "${streaming}", keys: "${keys}" }`),
        'gateway: { listen: "127.0.0.1:0" }',
        `admin: { listen: "127.0.0.1:0", token: ${TOKEN} }`,
        "replication: { enabled: false }",
      ].join("\n"),
    );
    await using serve = await ServeProcess.start(folder);
    await page.goto(serve.admin);
    await page.locator("#admin-token").fill(TOKEN);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("#override-region option").first().waitFor({ state: "attached" });
    await fill("drain", "westeurope", "with a token");
    await set();
    await page.locator("#overrides li", { hasText: "with a token" }).waitFor();
    expect(await serve.logged("override.set")).toMatchObject([{ region: "westeurope", by: "status page" }]);
  });
});
