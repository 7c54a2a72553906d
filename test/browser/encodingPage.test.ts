/** The status page's section on encoding, as an operator uses it: accounts, jobs with their time lines, and what can be done about them. */
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AccountJobState, EncodingJob, JobFailure } from "../../src/core/encoding.ts";
import { newAccount } from "../../src/encoding/account.ts";
import { locatorIdOf } from "../../src/encoding/locatorNames.ts";
import { entry } from "../gateway/world.ts";
import { findChromium, launchChromium } from "../harness/browser.ts";
import { withStatusPage } from "../harness/statusPage.ts";
import { eventually } from "../harness/wait.ts";
import { EncodingStage, type Step } from "./encodingStage.ts";

const executable = findChromium();
const MINUTE = 60_000;
const HOSTILE = `<img src=x onerror="document.title='owned'">`;
const BROKEN: JobFailure = { code: "ContentMalformed", message: `broken at <i>${HOSTILE}</i>`, category: "content", mayRetry: false };

const placed = (minutesAgo: number, account: string): Step => [minutesAgo * MINUTE, { type: "placed", account, trial: false, outputs: 1 }];
const submitted = (minutesAgo: number, attempt: number): Step => [minutesAgo * MINUTE, { type: "submitted", attempt }];

function seen(minutesAgo: number, attempt: number, state: AccountJobState, progress: number, failure: JobFailure | null = null): Step {
  const at = Date.now() - minutesAgo * MINUTE;
  const sighting = { account: "", jobName: "", label: null, state, progress, failure, at };
  return [minutesAgo * MINUTE, { type: "seen", attempt, asked: true, sightings: [sighting] }];
}

const moved = (minutesAgo: number, attempt: number): Step => [
  minutesAgo * MINUTE,
  { type: "moved", attempt, reason: "stalled", detail: "no progress for 20 min" },
];

/** Stuck in one region, finished in the other. */
async function movedJob(stage: EncodingStage): Promise<EncodingJob> {
  return stage.job({}, 60 * MINUTE, [
    placed(59, "westeurope"),
    submitted(58, 1),
    seen(57, 1, "scheduled", 0),
    seen(50, 1, "processing", 12),
    moved(30, 1),
    placed(20, "northeurope"),
    submitted(19, 2),
    seen(18, 2, "processing", 40),
    seen(5, 2, "finished", 100),
  ]);
}

async function boxOf(locator: Locator): Promise<{ readonly x: number; readonly width: number }> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error(`${String(locator)} is not to be seen`);
  return box;
}

const running = (account: string): Step[] => [placed(4, account), submitted(3, 1), seen(2, 1, "processing", 42)];

describe.skipIf(executable === null)("the status page's encoding", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(String(executable));
  });
  afterAll(async () => {
    await browser.close();
  });

  async function withPage(stage: EncodingStage, use: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    const watched = async (page: Page, problems: readonly string[]): Promise<void> => {
      await use(page);
      expect(problems).toEqual([]);
    };
    await withStatusPage(browser, stage.url, watched, options);
  }

  const rowOf = (page: Page, { id }: Pick<EncodingJob, "id">) => page.locator(`tr[data-job="${id}"]`);
  const detailOf = (page: Page, { id }: Pick<EncodingJob, "id">) => page.locator(`#job-${id}`);

  async function opened(page: Page, job: EncodingJob): Promise<Locator> {
    await rowOf(page, job).locator("[data-act=open]").click();
    const detail = detailOf(page, job);
    await detail.waitFor();
    return detail;
  }

  /** The state of the stored job, once it is that. */
  async function stored(stage: EncodingStage, id: string, what: string, isSo: (job: EncodingJob) => boolean): Promise<EncodingJob> {
    const { value } = await eventually(10_000, `job ${id} to be ${what}`, async () => {
      const job = (await stage.store.get(id))?.job;
      return job !== undefined && isSo(job) ? job : null;
    });
    return value;
  }

  it("is not there where nothing is encoded, and asks for it no more than now and then", async () => {
    await using stage = await EncodingStage.start({}, true);
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    let looks = 0;
    page.on("request", (request) => {
      if (request.url().includes("/api/encoding")) asked.push(request.url());
      if (request.url().endsWith("/api/status")) looks += 1;
    });
    await page.goto(stage.url);
    await eventually(15_000, "three refreshes", async () => Promise.resolve(looks >= 3 ? true : null));
    expect(await page.locator("#encoding").isVisible()).toBe(false);
    expect(asked).toEqual([`${stage.url}/api/encoding`]);
    await context.close();
  });

  it("shows accounts with their use, and why one is out; an operator re-admits it", async () => {
    await using stage = await EncodingStage.start();
    const now = Date.now();
    const buckets = [{ at: now - MINUTE, well: 1, failed: 0, stuck: 3 }];
    const detail = "3 of 4 jobs that ended lately got stuck";
    await stage.account({ ...newAccount("westeurope", now - 5 * MINUTE), status: "out", reason: "stuck", detail, buckets });
    for (const _ of [1, 2]) await stage.job({}, 5 * MINUTE, running("northeurope"));
    await withPage(stage, async (page) => {
      const [west, north] = ["westeurope", "northeurope"].map((name) => page.locator(`[data-account=${name}]`));
      if (west === undefined || north === undefined) throw new Error("no cards");
      await west.getByText("jobs make no progress there (3 of 4 jobs that ended lately got stuck)").waitFor();
      await west.locator(".state", { hasText: /^out$/ }).waitFor();
      await west.locator(".rates", { hasText: /^2 finished an hour · 75 % of 4 failed or got stuck in the last 30 min$/ }).waitFor();
      await north.locator(".state", { hasText: /^used$/ }).waitFor();
      await north.locator(".fullness", { hasText: "2 of 4 jobs" }).waitFor();
      expect(await north.getByRole("meter", { name: "jobs in northeurope" }).getAttribute("value")).toBe("2");
      expect(await north.getByRole("button", { name: /Re-admit/ }).count()).toBe(0);
      await west.getByRole("button", { name: "Re-admit westeurope" }).click();
      await west.locator(".state", { hasText: "used" }).waitFor();
      await west.getByText("has returned, and may have 1 of 10 jobs for now").waitFor();
      await west.getByText(/^re-admitted by status page, \d+ s ago$/).waitFor();
      await page.locator("#events li", { hasText: "encoding in westeurope: out → used" }).waitFor();
    });
    expect((await stage.store.accounts())[0]?.state.status).toBe("in");
  });

  it("drains the encoding of a region, and not its viewers, by an override, and lifts it", async () => {
    await using stage = await EncodingStage.start();
    await withPage(stage, async (page) => {
      const west = page.locator("[data-account=westeurope]");
      await west.getByRole("button", { name: "Drain encoding in westeurope" }).click();
      await page.locator("#override-reason:focus").waitFor();
      expect(await page.locator("#override-service").inputValue()).toBe("encoding");
      await page.locator("#override-reason").fill("new encoders");
      await page.locator("#override-form").getByRole("button", { name: "Set" }).click();
      await west.locator(".state", { hasText: "drained by an operator" }).waitFor();
      await west.locator('.override[title="new encoders (status page)"]', { hasText: "encoding drained" }).waitFor();
      await page.locator("#overrides", { hasText: "westeurope encoding drained: new encoders" }).waitFor();
      expect(stage.world.overrideView.active()).toMatchObject([{ kind: "drain", region: "westeurope", service: "encoding" }]);
      await west.getByRole("button", { name: "Lift: westeurope encoding drained" }).click();
      await west.locator(".state", { hasText: "used" }).waitFor();
    });
  });

  it("opens a job to its attempts on one time line, in words, too, and plays its output in the page", async () => {
    await using stage = await EncodingStage.start();
    const job = await movedJob(stage);
    const locatorId = locatorIdOf(job.id, 0);
    const manifest = (format: string) => `/${locatorId}/film.ism/manifest(format=${format})`;
    const [hls, dash] = [manifest("m3u8-cmaf"), manifest("mpd-time-cmaf")];
    stage.world.catalogue.list = [entry({ northeurope: "verified" }, { locatorId, manifests: { hls, dash } })];
    await withPage(stage, async (page) => {
      const row = rowOf(page, job);
      await row.waitFor();
      expect((await row.locator("td").allTextContents()).slice(0, 6)).toEqual([
        `${job.id}film.mp4`,
        "adaptive",
        "finished",
        "northeurope",
        "2",
        " 100 %",
      ]);
      const toggle = row.locator("[data-act=open]");
      expect(await toggle.getAttribute("aria-expanded")).toBe("false");
      const detail = await opened(page, job);
      expect(await toggle.getAttribute("aria-expanded")).toBe("true");
      const bars = detail.getByRole("img");
      expect(await bars.nth(0).getAttribute("aria-label")).toBe("waited for an account for 11 min in all");
      expect(await bars.nth(1).getAttribute("aria-label")).toMatch(
        /^attempt 1 in westeurope: being handed over 60 s, taken 60 s, scheduled 7 min, processing 20 min; was taken away: no progress for 20 min/,
      );
      expect(await bars.nth(2).getAttribute("aria-label")).toMatch(
        /^attempt 2 in northeurope: .*processing 13 min; finished, and its output counts/,
      );
      // What the account of the first attempt did lies before what that of the second did, on one axis.
      const first = await boxOf(detail.locator('[data-attempt="1"] .phase.processing'));
      const second = await boxOf(detail.locator('[data-attempt="2"] .phase.processing'));
      expect(first.x + first.width).toBeLessThan(second.x);
      expect(first.width / second.width).toBeCloseTo(20 / 13, 1);
      await detail
        .locator(".times", { hasText: /^placed .* · submitted .* · scheduled .* · processing .* · given up / })
        .first()
        .waitFor();
      const links = await detail.getByRole("link").all();
      const addresses = await Promise.all(links.map(async (link) => link.getAttribute("href")));
      expect(addresses).toEqual([`${stage.url}${hls}`, `${stage.url}${dash}`]);
      const asked = page.waitForRequest(`${stage.url}${hls}`);
      await detail.getByRole("button", { name: `Play ${locatorId}` }).click();
      await asked;
      await toggle.click();
      await detail.waitFor({ state: "detached" });
    });
  });

  it("takes every name, reason and address for text", async () => {
    await using stage = await EncodingStage.start();
    const input = { kind: "asset", region: "westeurope", assetName: HOSTILE, files: ["<b>a</b>.mp4"] } as const;
    const job = await stage.job({ input, transform: HOSTILE, clientId: HOSTILE }, 9 * MINUTE, [
      placed(8, "westeurope"),
      submitted(7, 1),
      seen(6, 1, "error", 3, BROKEN),
    ]);
    await stage.account({ ...newAccount("westeurope", Date.now()), status: "out", reason: "stuck", detail: HOSTILE });
    await withPage(stage, async (page) => {
      const detail = await opened(page, job);
      await detail.filter({ hasText: `ContentMalformed: broken at <i>${HOSTILE}</i>` }).waitFor();
      await rowOf(page, job)
        .filter({ hasText: `${HOSTILE} of westeurope <b>a</b>.mp4` })
        .waitFor();
      await page.locator("[data-account=westeurope] .why", { hasText: HOSTILE }).first().waitFor();
      expect(await page.locator("#encode-transform option").allTextContents()).toEqual(["adaptive", "<b>audio</b>"]);
      expect(await page.locator("#encoding :is(img, b, i)").count()).toBe(0);
      expect(await page.title()).not.toContain("owned");
    });
  });

  it("cancels a job once that is confirmed, tries it again, and says what is refused", async () => {
    await using stage = await EncodingStage.start();
    const job = await stage.job({}, 5 * MINUTE, running("northeurope"));
    await withPage(stage, async (page) => {
      await rowOf(page, job)
        .getByRole("button", { name: `Cancel job ${job.id}` })
        .click();
      const detail = detailOf(page, job);
      await detail.getByText("What northeurope has encoded of it is thrown away.").waitFor();
      expect(await detail.getByRole("button", { name: "Leave it" }).and(page.locator(":focus")).count()).toBe(1);
      await page.keyboard.press("Enter");
      await detail.getByRole("alert").waitFor({ state: "detached" });
      expect((await stage.store.get(job.id))?.job.state).toBe("running");

      await rowOf(page, job).locator("[data-act=cancel]").click();
      await detail.getByRole("button", { name: "Cancel the job" }).click();
      await rowOf(page, job).locator(".state", { hasText: "canceled" }).waitFor();
      const canceled = await stored(stage, job.id, "canceled", ({ state }) => state === "canceled");
      expect(canceled.attempts[0]?.endDetail).toBe("canceled by status page");
      await detail.getByText("was canceled: canceled by status page").waitFor();

      await rowOf(page, job).locator("[data-act=retry]").click();
      await detail.getByRole("button", { name: "Try it again" }).click();
      await stored(stage, job.id, "tried again", ({ state, round }) => state === "waiting" && round === 2);
      await rowOf(page, job).locator(".state", { hasText: "waiting" }).waitFor();
      await detail.getByText(/^canceled by status page .* · tried again by status page /).waitFor();
      await detail.getByRole("img", { name: /^operators: canceled by status page .* tried again by status page/ }).waitFor();

      await page.route("**/cancel?*", async (route) =>
        route.fulfill({ status: 503, json: { error: "state_unavailable", message: "the records <b>cannot</b> be reached" } }),
      );
      await rowOf(page, job).locator("[data-act=cancel]").click();
      await detail.getByRole("button", { name: "Cancel the job" }).click();
      await detail.getByRole("alert").getByText("the records <b>cannot</b> be reached", { exact: true }).waitFor();
    });
  });

  it("filters by state, turns pages, and keeps a focus where jobs come in above it", async () => {
    await using stage = await EncodingStage.start();
    const jobs: EncodingJob[] = [];
    for (let at = 30; at > 0; at -= 1) jobs.push(await stage.job({}, at * MINUTE, at === 28 ? [[0, { type: "cancel", by: "test" }]] : []));
    await withPage(stage, async (page) => {
      const shown = async () => page.evaluate<string[]>("[...document.querySelectorAll('tr[data-job]')].map((row) => row.dataset.job)");
      const first = jobs.toReversed().map(({ id }) => id);
      await page.locator("tr[data-job]").nth(24).waitFor();
      expect(await shown()).toEqual(first.slice(0, 25));
      await page.getByRole("button", { name: "Older" }).click();
      await page.getByText("page 2").waitFor();
      await eventually(5_000, "the older jobs", async () => ((await shown()).join() === first.slice(25).join() ? true : null));
      expect(await page.getByRole("button", { name: "Older" }).isDisabled()).toBe(true);
      await page.getByRole("button", { name: "canceled 1", exact: true }).click();
      await eventually(5_000, "the canceled job", async () => ((await shown()).join() === jobs[2]?.id ? true : null));
      expect(await page.getByRole("button", { name: "canceled 1", exact: true }).getAttribute("aria-pressed")).toBe("true");
      await page.getByRole("button", { name: "all 30", exact: true }).click();
      const focused = first[3] ?? "";
      await page.locator(`tr[data-job="${focused}"] [data-act=cancel]`).focus();
      const newest = await stage.job({}, 0);
      await rowOf(page, newest).waitFor();
      expect((await shown()).slice(0, 2)).toEqual([newest.id, first[0]]);
      expect(await page.locator(`tr[data-job="${focused}"] [data-act=cancel]:focus`).count()).toBe(1);
    });
  });

  it("hands in a job of an address, and says what is wrong with one", async () => {
    await using stage = await EncodingStage.start();
    await withPage(stage, async (page) => {
      await page.locator("#encode-transform").selectOption("<b>audio</b>");
      await page.locator("#encode-url").fill("http://in.example/film.mp4");
      await page.locator("#encode-client-id").fill("film-1");
      const submit = page.locator("#encode-form").getByRole("button", { name: "Submit" });
      await submit.click();
      await page.locator("#encode-refusal", { hasText: "write an https URL" }).waitFor();
      await page.locator("#encode-url").fill("https://in.example/film.mp4?sig=secret");
      expect(await page.locator("#encode-refusal").isVisible()).toBe(false);
      await submit.click();
      await page.locator("#encode-done", { hasText: "has been taken in" }).waitFor();
      const [job] = await stage.store.list({ limit: 10 });
      expect(job).toMatchObject({ clientId: "film-1", transform: "<b>audio</b>", priority: "normal" });
      await detailOf(page, { id: job?.id ?? "" })
        .getByText("https://in.example/film.mp4?…")
        .waitFor();
      await page.locator("#encode-client-id").fill("film-1");
      await submit.click();
      await page.locator("#encode-done", { hasText: "was there already" }).waitFor();
      expect(await stage.store.list({ limit: 10 })).toHaveLength(1);
    });
  });

  it("uploads a file once its job is there, and sends it again where that failed", async () => {
    await using stage = await EncodingStage.start();
    await withPage(stage, async (page) => {
      await page.locator("#encode-from").selectOption("file");
      await page.locator("#encode-file").setInputFiles({ name: "a film.mp4", mimeType: "video/mp4", buffer: Buffer.from("a film") });
      await page.route("**/input", () => undefined);
      await page.locator("#encode-form").getByRole("button", { name: "Submit" }).click();
      await page.getByRole("progressbar", { name: "progress of the upload" }).waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
      await page.locator("#encode-refusal", { hasText: "you stopped it: the job waits for its file" }).waitFor();
      expect(await page.locator("#encode-upload").isVisible()).toBe(false);
      await page.unroute("**/input");
      for (const account of stage.accounts.values()) account.calls.failAll("*", new Error("as scripted"));
      await page.getByRole("button", { name: "Send the file again" }).click();
      await page.locator("#encode-refusal", { hasText: "no region takes it now" }).waitFor();
      const [job] = await stage.store.list({ limit: 10 });
      if (job === undefined) throw new Error("no job");
      await rowOf(page, job).getByText("its file has not come yet").waitFor();
      for (const account of stage.accounts.values()) account.calls.heal();
      await page.getByRole("button", { name: "Send the file again" }).click();
      await page.locator("#encode-done", { hasText: `the file of job ${job.id} is there` }).waitFor();
      expect(await page.locator("#encode-refusal").isVisible()).toBe(false);
      const there = await stored(stage, job.id, "there with its file", ({ copies }) => copies.some(({ state }) => state === "kept"));
      const kept = there.copies.find(({ state }) => state === "kept");
      const content = stage.accounts
        .get(kept?.region ?? "")
        ?.blobs(kept?.assetName ?? "")
        .content("a film.mp4");
      expect(Buffer.from(content ?? []).toString()).toBe("a film");
    });
  });

  it("says when its records cannot be read, and shows the last look meanwhile", async () => {
    await using stage = await EncodingStage.start();
    const job = await stage.job({}, MINUTE);
    await withPage(stage, async (page) => {
      await rowOf(page, job).waitFor();
      await page.route("**/api/encoding", async (route) =>
        route.fulfill({ status: 503, json: { error: "state_unavailable", message: "no table" } }),
      );
      await page.locator("#encoding-problem", { hasText: "what is shown is old: no table" }).waitFor();
      expect(await rowOf(page, job).isVisible()).toBe(true);
      await page.unroute("**/api/encoding");
      await page.locator("#encoding-problem").waitFor({ state: "hidden" });
      // From the beginning: there is nothing to be shown, and that is said.
      await page.route("**/api/encoding", async (route) =>
        route.fulfill({ status: 503, json: { error: "state_unavailable", message: "no table" } }),
      );
      await page.reload();
      await page.locator("#encoding-problem", { hasText: "nothing can be shown: no table" }).waitFor();
      expect(await page.locator("#encode-form").isVisible()).toBe(false);
    });
  });

  it("asks for the admin token, and submits and uploads with it", async () => {
    const token = "an-admin-token-of-enough-length";
    await using stage = await EncodingStage.start({ token });
    const page = await browser.newPage();
    await page.goto(stage.url);
    await page.locator("#admin-token").fill(token);
    await page.getByRole("button", { name: "Open" }).click();
    await page.locator("#encode-from").selectOption("file");
    await page.locator("#encode-file").setInputFiles({ name: "film.mp4", mimeType: "video/mp4", buffer: Buffer.from("film") });
    await page.locator("#encode-form").getByRole("button", { name: "Submit" }).click();
    await page.locator("#encode-done", { hasText: "is there" }).waitFor();
    await page.context().close();
  });

  it("fits a narrow screen", async () => {
    await using stage = await EncodingStage.start();
    const job = await movedJob(stage);
    await withPage(
      stage,
      async (page) => {
        const detail = await opened(page, job);
        expect(await detail.locator("[data-attempt='2'] .bar").isVisible()).toBe(true);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
      },
      { viewport: { width: 400, height: 800 } },
    );
  });
});
