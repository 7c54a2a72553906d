/** The driver `static` from end to end: packaged videos in public containers, `paircast replicate`, and a gateway that leaves a dead region. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text as allText } from "node:stream/consumers";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import type { Fault } from "../../src/sandbox/contracts.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { StorageFront } from "../../src/sandbox/storageFront.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { eventually, within } from "../harness/wait.ts";

const KEY = Buffer.alloc(64, 5).toString("base64");
const REGIONS = [
  { name: "westeurope", host: "127.0.0.11", account: "staticwest" },
  { name: "northeurope", host: "127.0.0.12", account: "staticnorth" },
] as const;
const REFUSE: Fault = { kind: "refuse", status: 503, delayMs: 0 };
const root = new URL("../../", import.meta.url);

interface Summary {
  readonly assets: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly results: readonly { readonly target: string; readonly counts: { readonly blobsCopied: number } }[];
}

interface Status {
  readonly videos: readonly { readonly locatorId: string; readonly regions: Readonly<Record<string, { readonly state: string }>> }[];
}

let folder: string;
let configFile: string;
let stack: AsyncDisposableStack;
const fronts = new Map<string, StorageFront>();

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = stack.adopt(mkdtempSync(join(tmpdir(), "paircast-static-")), (path) => {
    rmSync(path, { recursive: true, force: true });
  });
  const accounts = REGIONS.map(({ account }) => ({ name: account, key: KEY }));
  const azurite = stack.use(await Azurite.start({ accounts, port: 0, clock, log }));
  const known = new StorageFronts(azurite.url);
  for (const { name, host, account } of REGIONS) {
    const options = { label: `${name} storage`, host, port: 0, account: { name: account, key: KEY }, fronts: known, tls: null };
    fronts.set(name, stack.use(await StorageFront.start({ ...options, clock, random, log })));
  }
  configFile = join(folder, "paircast.yaml");
  writeFileSync(configFile, configuration());
  await publish("lecture-1");
});
afterAll(async () => {
  await stack.disposeAsync();
});

function front(region: string): StorageFront {
  const found = fronts.get(region);
  if (found === undefined) throw new Error(`no region ${region}`);
  return found;
}

/** As an operator would write it; players reach the containers themselves, so the streaming URL is the blob service's. */
function configuration(): string {
  return stringify({
    regions: REGIONS.map(({ name, account }) => ({
      name,
      streaming: front(name).address.url,
      account: {
        driver: "static",
        storage: {
          url: front(name).address.url,
          credential: { kind: "account-key", accountName: account, accountKey: "${STATIC_TEST_KEY}" },
        },
        containers: "lecture-*",
      },
    })),
    gateway: { listen: "127.0.0.1:0", prefixes: ["/"] },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: "500ms", fastInterval: "200ms", timeout: "1s", rise: 2 },
    replication: { interval: "1s" },
    state: { path: join(folder, "paircast.db") },
  });
}

function service(region: string): BlobServiceClient {
  const { url, accountName } = front(region).address;
  return new BlobServiceClient(url, new StorageSharedKeyCredential(accountName, KEY));
}

/** Puts a packaged video into a public container in westeurope. */
async function publish(container: string): Promise<void> {
  const client = service("westeurope").getContainerClient(container);
  await client.create({ access: "blob" });
  for (const [path, content] of packageVideo("")) {
    const blobContentType = path.endsWith(".m3u8") ? "application/vnd.apple.mpegurl" : "application/octet-stream";
    await client.getBlockBlobClient(path).uploadData(content, { blobHTTPHeaders: { blobContentType } });
  }
}

function paircast(...options: string[]): ChildProcess {
  const env = { ...process.env, STATIC_TEST_KEY: KEY };
  return spawn(process.execPath, ["src/main.ts", ...options], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
}

async function run(...options: string[]): Promise<{ readonly code: unknown; readonly out: string; readonly log: string }> {
  const child = paircast(...options);
  const [[code], out, errors] = await within(
    30_000,
    `paircast ${options.join(" ")}`,
    Promise.all([
      once(child, "exit"),
      child.stdout === null ? "" : allText(child.stdout),
      child.stderr === null ? "" : allText(child.stderr),
    ]),
  );
  return { code, out, log: errors };
}

async function get(
  url: string,
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }> {
  const answer = await request(url);
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

describe("two static regions", () => {
  it("replicate copies a video, with its access and types, and a second run changes nothing", async () => {
    const first = await run("replicate", "--config", configFile, "--json");
    expect(first.code, first.log).toBe(0);
    const summary = JSON.parse(first.out) as Summary;
    expect(summary).toMatchObject({ assets: 1, failed: 0 });
    expect(summary.results.find(({ target }) => target === "northeurope")?.counts.blobsCopied).toBe(packageVideo("").size);
    for (const [path, content] of packageVideo("")) {
      const answer = await request(`${front("northeurope").address.url}/lecture-1/${path}`);
      expect(Buffer.from(await answer.body.arrayBuffer()).equals(content), path).toBe(true);
      if (path.endsWith(".m3u8")) expect(answer.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
    }
    const second = await run("replicate", "--config", configFile);
    expect(second.code, second.log).toBe(0);
    expect(second.out.trim()).toBe("nothing to do: 1 asset is the same everywhere");
    expect(first.out + first.log + second.out + second.log).not.toContain(KEY);
  });

  it("serve sends players to the first region that lives, and copies what is published meanwhile", async () => {
    const serving = paircast("serve", "--config", configFile, "--json");
    const said: string[] = [];
    if (serving.stdout === null || serving.stderr === null) throw new Error("no output");
    createInterface({ input: serving.stderr }).on("line", (line) => said.push(line));
    const ended = once(serving, "exit").then(([code]) => Number(code));
    const early = ended.then((code): never => {
      throw new Error(`serve ended with ${code}:\n${said.join("\n")}`);
    });
    early.catch(() => undefined);
    try {
      const ready = once(createInterface({ input: serving.stdout }), "line");
      const [line] = await within(20_000, "the gateway to be ready", Promise.race([ready, early]));
      const { gateway, admin } = JSON.parse(String(line)) as { gateway: string; admin: string };
      const video = "/lecture-1/master.m3u8?from=test";
      const sentTo = async (region: string, ms: number): Promise<void> => {
        await eventually(ms, `the video to be sent to ${region}`, async () => {
          const { status, headers } = await get(`${gateway}${video}`);
          expect(status).toBe(302);
          return headers["location"] === `${front(region).address.url}${video}` ? true : null;
        });
      };
      await sentTo("westeurope", 10_000);
      await eventually(10_000, "the probes to have answered", async () => ((await get(`${gateway}/readyz`)).status === 200 ? true : null));

      await publish("lecture-2");
      await eventually(20_000, "the new video to be verified in both regions", async () => {
        const { videos } = JSON.parse((await get(`${admin}/api/status`)).body) as Status;
        const found = videos.find(({ locatorId }) => locatorId === "lecture-2");
        return REGIONS.every(({ name }) => found?.regions[name]?.state === "verified") ? true : null;
      });

      await front("westeurope").server.set(REFUSE);
      await sentTo("northeurope", 3000);
      const away = await get(`${gateway}/lecture-2/v1/0.m4s`);
      expect(away).toMatchObject({ status: 302, headers: { "x-paircast-reason": "failover", "x-paircast-origin": "northeurope" } });
      const followed = await get(String((await get(`${gateway}${video}`)).headers["location"]));
      expect(followed).toMatchObject({ status: 200, body: Buffer.from(packageVideo("").get("master.m3u8") ?? []).toString() });
      const { out } = await run("explain", video, "--admin", admin);
      expect(out).toMatch(/westeurope +not eligible/);
      expect(out).toContain(`northeurope (failover): ${front("northeurope").address.url}${video}`);

      await front("westeurope").server.clear();
      await sentTo("westeurope", 15_000);
      // Public and empty in both regions: there, and no video.
      for (const { name } of REGIONS) await service(name).getContainerClient("empty").create({ access: "blob" });
      expect(await get(`${gateway}/empty/master.m3u8`)).toMatchObject({ status: 404, headers: { "x-paircast-reason": "not_found" } });
    } finally {
      serving.kill("SIGTERM");
    }
    expect(await within(10_000, "the gateway to stop", ended)).toBe(0);
    expect(said.join("\n")).not.toContain(KEY);
  });
});
