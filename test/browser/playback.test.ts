/** A person's view: the status page in a real browser, a protected video playing through the gateway, and the loss of a region. */
import type { Browser, Page } from "playwright-core";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";

const executable = findChromium();
if (executable === null) console.warn(`browser tests are skipped: ${HOW_TO_GET_CHROMIUM}`);

const REGIONS = ["westeurope", "northeurope"] as const;
/** A player starts within it, on the busiest of machines. */
const STARTS_MS = 60_000;
const SESSIONS = 5;

interface Session extends AsyncDisposable {
  readonly page: Page;
  /** Hosts that served media, newest last. */
  readonly mediaFrom: readonly string[];
  readonly keys: readonly { readonly url: string; readonly value: string }[];
  play(locatorName: string): Promise<void>;
  position(): Promise<number>;
}

describe.skipIf(executable === null)("playback in Chromium", () => {
  const stack = new AsyncDisposableStack();
  let sandbox: SandboxProcess;
  let browser: Browser;

  beforeAll(async () => {
    sandbox = stack.use(await SandboxProcess.start());
    browser = stack.adopt(await launchChromium(String(executable)), async (each) => each.close());
  });
  afterAll(async () => stack.disposeAsync());

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
  async function advancing(session: Session, what: string): Promise<void> {
    const from = await session.position();
    await eventually(STARTS_MS, what, async () => ((await session.position()) > from + 0.2 ? true : null));
  }

  /** What the page has loaded is told later than what it does with it. */
  async function mediaHosts({ mediaFrom }: Session): Promise<ReadonlySet<string>> {
    await eventually(STARTS_MS, "media to be loaded", async () => Promise.resolve(mediaFrom.length > 0 ? true : null));
    return new Set(mediaFrom);
  }

  /**
   * A session that plays, all from this region. Each has to play; on a machine that is busy elsewhere for seconds the probes of a healthy
   * region may be late and lead a session away from it, and then the next one counts.
   */
  async function playingFrom(region: string, locatorName: string): Promise<Session> {
    for (let sessions = 1; ; sessions += 1) {
      const session = await open();
      await session.play(locatorName);
      await advancing(session, `the picture of session ${sessions} to move`);
      const hosts = await mediaHosts(session);
      if (sessions === SESSIONS) expect(hosts).toEqual(new Set([host(region)]));
      if (hosts.size === 1 && hosts.has(host(region))) return session;
      await session[Symbol.asyncDispose]();
    }
  }

  async function firstKey({ keys }: Session): Promise<Session["keys"][number]> {
    return (await eventually(STARTS_MS, "a key to be loaded", async () => Promise.resolve(keys[0] ?? null))).value;
  }

  it("shows the regions as healthy and the videos as verified in both", async () => {
    await using session = await open();
    await session.page.getByText("every region can serve").waitFor({ timeout: STARTS_MS });
    expect(await session.page.locator("[data-region]").count()).toBe(2);
    const verified = session.page.locator("#videos .verified");
    await eventually(STARTS_MS, "the videos to be verified in both", async () =>
      (await verified.count()) === sandbox.ready.videos.length * 2 ? true : null,
    );
  });

  it.each(["paircast-sample", "paircast-sample-region-keys"])("plays %s through the gateway, with time advancing", async (name) => {
    await using session = await playingFrom("westeurope", name);
    await advancing(session, "the picture to move on");
    await firstKey(session);
  });

  it("plays a live channel, published while everything runs, from the region that has it", async () => {
    const live = (await sandbox.control("POST", "/videos", {
      region: "westeurope",
      protection: "gateway-keys",
      live: true,
    })) as SandboxVideo;
    await using session = await open();
    await session.page.locator("#player-video option", { hasText: live.name }).waitFor({ state: "attached", timeout: STARTS_MS });
    await session.play(live.name);
    await advancing(session, "the live picture to move");
    await advancing(session, "the live picture to move on");
    await eventually(STARTS_MS, "more segments of the live channel", async () =>
      Promise.resolve(session.mediaFrom.length > 2 ? true : null),
    );
  });

  // How soon is for `bench:failover` and `test:players` to say: it depends on what else the machine does.
  it("plays a new session from northeurope after the loss of westeurope, with the same key, and returns after recovery", async () => {
    const video = sandbox.video("paircast-sample");
    await using before = await open();
    await before.play(video.name);
    await advancing(before, "the picture to move");
    await using during = await open();
    await sandbox.breakRegion("westeurope", { kind: "refuse" });
    await during.play(video.name);
    await advancing(during, "the new session's picture to move");
    expect(await mediaHosts(during)).toEqual(new Set([host("northeurope")]));
    const [first, second] = [await firstKey(before), await firstKey(during)];
    expect(second.value).toBe(first.value);
    for (const { url } of [first, second]) expect(new URL(url).searchParams.get("kid")).toBe(video.keyId);

    await sandbox.mendRegion("westeurope");
    await eventually(STARTS_MS, "manifests to go to westeurope again", async () => {
      const answer = await request(`${sandbox.ready.gateway}${video.hls}`, { method: "HEAD" });
      return new URL(String(answer.headers["location"])).host === host("westeurope") ? true : null;
    });
    await using after = await playingFrom("westeurope", video.name);
    await advancing(after, "the picture to move on after recovery");
  });

  it("cannot be played while a region hands out a wrong key: the sandbox's encryption is real", async () => {
    await using session = await open();
    // Everywhere: health sees it too, and would lead the player to a region whose keys are right.
    for (const region of REGIONS) await sandbox.breakRegion(region, { service: "keys", kind: "wrong-key" });
    try {
      const video = sandbox.video("paircast-sample-region-keys");
      await session.play(video.name);
      await session.page
        .locator("#events li", { hasText: /fragParsingError|bufferAppendError|fragDecryptError|keyLoadError/ })
        .first()
        .waitFor({ timeout: STARTS_MS });
    } finally {
      for (const region of REGIONS) await sandbox.mendRegion(region);
    }
  });
});
