/**
 * A viewer of what is encoded while regions are lost: a file is submitted, its region dies with everything that it has while the file is being
 * encoded, the job moves, and its protected output plays in Chromium under one URL: first where it was made, then, when the region has returned
 * and has its copy, from there.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ShownJob } from "../../src/core/ports/encodingService.ts";
import { findPrograms } from "../../src/sandbox/encoding/programs.ts";
import { findChromium, HOW_TO_GET_CHROMIUM, launchChromium } from "../harness/browser.ts";
import { SandboxProcess } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";

const executable = findChromium();
if (executable === null) console.warn(`browser tests are skipped: ${HOW_TO_GET_CHROMIUM}`);

const JOBS = "/api/encoding/jobs";
const SECONDS = 10;

/** Plays `url` by the hls.js that the page has. */
const PLAYER = `async (url) => {
  const { default: Hls } = await import("/assets/hls.mjs");
  const video = Object.assign(document.createElement("video"), { id: "probe", muted: true });
  document.body.append(video);
  window.failures = [];
  const hls = new Hls({ enableWorker: false });
  hls.on(Hls.Events.ERROR, (_, { details }) => window.failures.push(details));
  hls.loadSource(url);
  hls.attachMedia(video);
  void video.play().catch(() => undefined);
}`;

describe.skipIf(executable === null)("encoding while regions are lost, in Chromium", () => {
  let sandbox: SandboxProcess;
  let browser: Browser;
  let film: Buffer;

  beforeAll(async () => {
    film = source();
    [sandbox, browser] = await Promise.all([SandboxProcess.start(), launchChromium(String(executable))]);
  });
  afterAll(async () => {
    await browser.close();
    await sandbox[Symbol.asyncDispose]();
  });

  async function admin<T>(method: "GET" | "POST" | "PUT", path: string, body: Buffer | object | null = null): Promise<T> {
    const isFile = Buffer.isBuffer(body);
    const answer = await request(`${sandbox.ready.admin}${path}`, {
      method,
      headers: { "content-type": isFile ? "application/octet-stream" : "application/json", connection: "close" },
      body: body === null ? null : isFile ? body : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text) as T;
  }

  async function jobWhen(id: string, ms: number, what: string, isSo: (job: ShownJob) => boolean): Promise<ShownJob> {
    let last: ShownJob | null = null;
    const asked = eventually(ms, `the job to be ${what}`, async () => {
      last = (await admin<{ job: ShownJob }>("GET", `${JOBS}/${id}`)).job;
      return isSo(last) ? last : null;
    });
    return (
      await asked.catch((error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
      })
    ).value;
  }

  /** The file by the admin API, as the page does it. */
  async function submitted(): Promise<ShownJob> {
    const input = { kind: "upload", fileName: "a film.mp4", bytes: film.length };
    const { upload } = await admin<{ upload: string }>("POST", JOBS, { clientId: "film", transform: "adaptive", input });
    const { job } = await admin<{ job: ShownJob }>("PUT", upload, film);
    expect(job.copies.map(({ region, state }) => `${region} ${state}`)).toEqual(sandbox.ready.regions.map(({ name }) => `${name} kept`));
    return job;
  }

  async function pace(region: string, processingMs: number): Promise<void> {
    await sandbox.control("POST", `/regions/${region}/jobs`, { queuedMs: 20, scheduledMs: 20, processingMs });
  }

  /** Where media comes from, while the picture moves. */
  async function plays(url: string, what: string): Promise<{ readonly hosts: ReadonlySet<string>; readonly keys: ReadonlySet<string> }> {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const [hosts, keys] = [new Set<string>(), new Set<string>()];
      const bodies: Promise<void>[] = [];
      page.on("response", (response) => {
        const { host, pathname, searchParams } = new URL(response.url());
        if (pathname.includes("/Fragments(") && response.ok()) hosts.add(host);
        if (searchParams.has("kid") && response.ok() && response.request().method() === "GET")
          bodies.push(
            response.body().then(
              (body) => void keys.add(body.toString("hex")),
              () => undefined,
            ),
          );
      });
      await page.goto(sandbox.ready.admin);
      await page.evaluate(`(${PLAYER})(${JSON.stringify(url)})`);
      const moving = eventually(20_000, what, async () => {
        const at = Number(await page.evaluate(`document.getElementById("probe").currentTime`));
        return at > 1 ? at : null;
      });
      await moving.catch(async (error: unknown) => {
        throw new Error(`${String(error)}; the player said ${String(await page.evaluate("window.failures"))}`);
      });
      await Promise.all(bodies);
      return { hosts, keys };
    } finally {
      await context.close();
    }
  }

  const host = (region: string): string => new URL(sandbox.region(region).streaming).host;

  it("moves the job, and plays its output under one URL from whichever region is there", async () => {
    const [dying, other] = sandbox.ready.regions.map(({ name }) => name) as [string, string];
    await pace(dying, 600_000);
    await pace(other, 500);
    // Which account is first is chance: the other is kept from it for the moment.
    const disable = { kind: "disable", region: other, reason: "jobs begin elsewhere", duration: "10m" };
    const { override } = await admin<{ override: { id: string } }>("POST", "/api/overrides", disable);
    const { id } = await submitted();
    const begun = await jobWhen(id, 20_000, "processed", ({ attempts }) => attempts.at(-1)?.state === "processing");
    expect(begun.attempts.map(({ account }) => account)).toEqual([dying]);

    await request(`${sandbox.ready.admin}/api/overrides/${override.id}`, { method: "DELETE" }).then(async ({ body }) => body.dump());
    await sandbox.breakRegion(dying, { kind: "refuse" });
    const finished = await jobWhen(id, 40_000, "finished elsewhere and playable", ({ playback }) => playback[0]?.hls != null);
    expect(finished.attempts.map(({ account, end }) => `${account} ${end}`)).toEqual([`${dying} moved`, `${other} won`]);
    const path = finished.playback[0]?.hls ?? "";
    const first = await plays(`${sandbox.ready.gateway}${path}`, "the output to play where it was made");
    expect([...first.hosts]).toEqual([host(other)]);

    await sandbox.mendRegion(dying);
    await eventually(30_000, "the output to be verified in the region that returned", async () => {
      type Entry = { readonly locatorId: string; readonly regions: Record<string, { readonly state: string }> };
      const { entries } = await admin<{ entries: Entry[] }>("GET", "/api/catalogue");
      const entry = entries.find(({ locatorId }) => locatorId === finished.playback[0]?.locatorId);
      return entry?.regions[dying]?.state === "verified" ? true : null;
    });
    await sandbox.breakRegion(other, { kind: "refuse" });
    await eventually(10_000, "viewers to be sent to the region that returned", async () => {
      const answer = await request(`${sandbox.ready.gateway}${path}`, { method: "HEAD", headers: { connection: "close" } });
      return new URL(String(answer.headers["location"])).host === host(dying) ? true : null;
    });
    const second = await plays(`${sandbox.ready.gateway}${path}`, "the same URL to play from the copy");
    expect([...second.hosts]).toEqual([host(dying)]);
    // Really protected, and by the same key everywhere.
    expect([first.keys.size, [...second.keys]]).toEqual([1, [...first.keys]]);

    // Neither what the first attempt had made nor the uploaded file is left anywhere, once both regions answer.
    await sandbox.mendRegion(other);
    const clean = ({ copies, attempts }: ShownJob): boolean => copies.length === 0 && attempts.every(({ owed }) => owed === null);
    await jobWhen(id, 30_000, "cleaned up after", clean);
  });
});

/** A moving picture with sound, where ffmpeg is; else the sandbox gives out prepared outputs, whatever the file. */
function source(): Buffer {
  const programs = findPrograms();
  if (programs === null) return randomBytes(100_000);
  const folder = mkdtempSync(join(tmpdir(), "paircast-film-"));
  try {
    const path = join(folder, "film.mp4");
    const inputs = ["-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"];
    const codecs = ["-t", String(SECONDS), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    execFileSync(programs.ffmpeg, ["-v", "error", "-y", ...inputs, ...codecs, path]);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
