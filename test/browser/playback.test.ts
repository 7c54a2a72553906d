/** A person's view: the status page in a real browser, a protected video playing through the gateway, and the loss of a region. */
import type { Browser, Page } from "playwright-core";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";

const executable = findChromium();
if (executable === null) console.warn(`browser tests are skipped: ${HOW_TO_GET_CHROMIUM}`);

interface Session extends AsyncDisposable {
  readonly page: Page;
  /** Hosts that served media, newest last. */
  readonly mediaFrom: readonly string[];
  readonly keys: readonly { readonly url: string; readonly value: string }[];
  play(locatorName: string): Promise<void>;
  position(): Promise<number>;
}

describe.skipIf(executable === null)("playback in Chromium", () => {
  let sandbox: SandboxProcess;
  let browser: Browser;

  beforeAll(async () => {
    [sandbox, browser] = await Promise.all([SandboxProcess.start(), launchChromium(String(executable))]);
  });
  afterAll(async () => {
    await browser.close();
    await sandbox[Symbol.asyncDispose]();
  });

  async function open(): Promise<Session> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const mediaFrom: string[] = [];
    const keys: { url: string; value: string }[] = [];
    page.on("response", (response) => {
      const url = new URL(response.url());
      if (url.pathname.includes("/Fragments(") && response.ok()) mediaFrom.push(url.host);
      if (url.searchParams.has("kid") && response.ok() && response.request().method() === "GET") {
        void response.body().then(
          (body) => keys.push({ url: response.url(), value: body.toString("hex") }),
          () => undefined,
        );
      }
    });
    await page.goto(sandbox.ready.admin);
    await page.locator("#player-video option").first().waitFor({ state: "attached" });
    return {
      page,
      mediaFrom,
      keys,
      play: async (locatorName) => {
        await page.locator("#player-video").selectOption({ label: locatorName });
        await page.getByRole("button", { name: "Play through the gateway" }).click();
      },
      position: async () => page.locator("#video").evaluate((video) => ("currentTime" in video ? Number(video.currentTime) : 0)),
      [Symbol.asyncDispose]: async () => context.close(),
    };
  }

  function host(region: string): string {
    return new URL(sandbox.region(region).streaming).host;
  }

  /** Resolves when the picture moves on from where it is. */
  async function advancing(session: Session, ms: number, what: string): Promise<number> {
    const from = await session.position();
    const { tookMs } = await eventually(ms, what, async () => ((await session.position()) > from + 0.2 ? true : null));
    return tookMs;
  }

  it("shows the regions as healthy and the videos as verified in both", async () => {
    await using session = await open();
    await session.page.getByText("every region can serve").waitFor({ timeout: 15_000 });
    expect(await session.page.locator("[data-region]").count()).toBe(2);
    expect(await session.page.locator("#videos .verified").count()).toBe(sandbox.ready.videos.length * 2);
  });

  it.each(["paircast-sample", "paircast-sample-region-keys"])("plays %s through the gateway, with time advancing", async (name) => {
    await using session = await open();
    await session.play(name);
    await advancing(session, 15_000, "the picture to move");
    await advancing(session, 5000, "the picture to move on");
    expect(new Set(session.mediaFrom)).toEqual(new Set([host("westeurope")]));
    expect(session.keys.length).toBeGreaterThan(0);
  });

  it("plays a live channel, published while everything runs, from the region that has it", async () => {
    const live = (await sandbox.control("POST", "/videos", {
      region: "westeurope",
      protection: "gateway-keys",
      live: true,
    })) as SandboxVideo;
    await using session = await open();
    await session.page.locator("#player-video option", { hasText: live.name }).waitFor({ state: "attached", timeout: 15_000 });
    await session.play(live.name);
    await advancing(session, 15_000, "the live picture to move");
    await advancing(session, 8000, "the live picture to move on");
    expect(session.mediaFrom.length).toBeGreaterThan(2);
  });

  it("plays a new session from northeurope within 3 s of the loss of westeurope, with the same key, and returns after recovery", async () => {
    const video = sandbox.video("paircast-sample");
    await using before = await open();
    await before.play(video.name);
    await advancing(before, 15_000, "the picture to move");
    await using during = await open();
    await sandbox.breakRegion("westeurope", { kind: "refuse" });
    const killed = performance.now();
    await during.play(video.name);
    await advancing(during, 10_000, "the new session's picture to move");
    const tookMs = performance.now() - killed;
    expect(tookMs).toBeLessThan(3000);
    expect(new Set(during.mediaFrom)).toEqual(new Set([host("northeurope")]));
    const [first] = before.keys;
    const [second] = during.keys;
    expect(second?.value).toBe(first?.value);
    expect(new URL(String(second?.url)).searchParams.get("kid")).toBe(video.keyId);
    expect(new URL(String(first?.url)).searchParams.get("kid")).toBe(video.keyId);

    await sandbox.mendRegion("westeurope");
    await eventually(30_000, "manifests to go to westeurope again", async () => {
      const answer = await request(`${sandbox.ready.gateway}${video.hls}`, { method: "HEAD" });
      return new URL(String(answer.headers["location"])).host === host("westeurope") ? true : null;
    });
    await using after = await open();
    await after.play(video.name);
    await advancing(after, 15_000, "the picture to move after recovery");
    expect(new Set(after.mediaFrom)).toEqual(new Set([host("westeurope")]));
  });

  it("cannot be played while a region hands out a wrong key: the sandbox's encryption is real", async () => {
    await using session = await open();
    await sandbox.breakRegion("westeurope", { service: "keys", kind: "wrong-key" });
    try {
      const video = sandbox.video("paircast-sample-region-keys");
      await session.play(video.name);
      await session.page
        .locator("#events li", { hasText: /fragParsingError|bufferAppendError|fragDecryptError|keyLoadError/ })
        .first()
        .waitFor({ timeout: 15_000 });
    } finally {
      await sandbox.mendRegion("westeurope");
    }
  });
});
