/** The driver `static` from end to end, over two kinds of storage: a packaged video goes from Azure blob storage to S3, and the gateway serves both. */
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
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { StorageFront } from "../../src/sandbox/storageFront.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { S3Server } from "../harness/s3Server/server.ts";
import { S3Error } from "../harness/s3Server/xml.ts";
import { eventually, within } from "../harness/wait.ts";

const KEY = Buffer.alloc(64, 5).toString("base64");
const ACCOUNT = "staticwest";
const S3_KEY = { accessKeyId: "AKIAREPLICATOR", secretAccessKey: "the secret of the replicator" };
const BUCKET = "videos";
const root = new URL("../../", import.meta.url);

interface Summary {
  readonly assets: number;
  readonly changed: number;
  readonly failed: number;
  readonly results: readonly { readonly target: string; readonly counts: { readonly blobsCopied: number } }[];
}

interface Status {
  readonly videos: readonly { readonly locatorId: string; readonly regions: Readonly<Record<string, { readonly state: string }>> }[];
}

let configFile: string;
let stack: AsyncDisposableStack;
let azure: StorageFront;
let s3: S3Server;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), "paircast-s3-")), (path) => {
    rmSync(path, { recursive: true, force: true });
  });
  const azurite = stack.use(await Azurite.start({ accounts: [{ name: ACCOUNT, key: KEY }], port: 0, clock, log }));
  const fronts = new StorageFronts(azurite.url);
  const options = { label: "westeurope storage", host: "127.0.0.13", port: 0, account: { name: ACCOUNT, key: KEY }, fronts, tls: null };
  azure = stack.use(await StorageFront.start({ ...options, clock, random, log }));
  s3 = stack.use(await S3Server.start([S3_KEY]));
  // Its policy lets players read what lies in it.
  s3.createBucket(BUCKET, { readable: true });
  configFile = join(folder, "paircast.yaml");
  writeFileSync(configFile, configuration(join(folder, "paircast.db")));
  await publish("lecture-1");
});
afterAll(async () => {
  await stack.disposeAsync();
});

const streaming = (): string => `${s3.url}/${BUCKET}/vod`;

function configuration(state: string): string {
  const credential = { kind: "access-key", accessKeyId: S3_KEY.accessKeyId, secretAccessKey: "${S3_TEST_SECRET}" };
  const storage = { kind: "s3", endpoint: s3.url, region: "eu-west-1", bucket: BUCKET, prefix: "vod/", credential };
  const key = { kind: "account-key", accountName: ACCOUNT, accountKey: "${STATIC_TEST_KEY}" };
  return stringify({
    regions: [
      {
        name: "westeurope",
        streaming: azure.address.url,
        account: { driver: "static", storage: { url: azure.address.url, credential: key }, containers: "lecture-*" },
      },
      { name: "amazon", streaming: streaming(), account: { driver: "static", storage, containers: "lecture-*" } },
    ],
    gateway: { listen: "127.0.0.1:0", prefixes: ["/"] },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: "500ms", fastInterval: "200ms", timeout: "1s", rise: 2 },
    replication: { interval: "1s" },
    state: { path: state },
  });
}

async function publish(container: string): Promise<void> {
  const { url, accountName } = azure.address;
  const client = new BlobServiceClient(url, new StorageSharedKeyCredential(accountName, KEY)).getContainerClient(container);
  await client.create({ access: "blob" });
  for (const [path, content] of packageVideo("")) {
    const blobContentType = path.endsWith(".m3u8") ? "application/vnd.apple.mpegurl" : "application/octet-stream";
    const blobHTTPHeaders = { blobContentType, blobCacheControl: "max-age=60" };
    await client.getBlockBlobClient(path).uploadData(content, { blobHTTPHeaders, metadata: { job: "42" } });
  }
}

function paircast(...options: string[]): ChildProcess {
  const env = { ...process.env, STATIC_TEST_KEY: KEY, S3_TEST_SECRET: S3_KEY.secretAccessKey };
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

describe("a static region in Azure and one in S3", () => {
  it("replicate carries a video over, with its types and metadata, and a second run changes nothing", async () => {
    const first = await run("replicate", "--config", configFile, "--json");
    expect(first.code, first.log).toBe(0);
    const summary = JSON.parse(first.out) as Summary;
    expect(summary).toMatchObject({ assets: 1, failed: 0 });
    expect(summary.results.find(({ target }) => target === "amazon")?.counts.blobsCopied).toBe(packageVideo("").size);
    for (const [path, content] of packageVideo("")) {
      const answer = await request(`${streaming()}/lecture-1/${path}`);
      expect(Buffer.from(await answer.body.arrayBuffer()).equals(content), path).toBe(true);
      expect(answer.headers).toMatchObject({ "cache-control": "max-age=60", "x-amz-meta-job": "42" });
      if (path.endsWith(".m3u8")) expect(answer.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
    }
    const writes = s3.requests.filter((line) => !/^(GET|HEAD) /.test(line)).length;
    const second = await run("replicate", "--config", configFile);
    expect(second.code, second.log).toBe(0);
    expect(second.out).toContain("nothing to do");
    expect(s3.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toHaveLength(writes);
    const said = first.out + first.log + second.out + second.log;
    for (const secret of [KEY, S3_KEY.secretAccessKey]) expect(said).not.toContain(secret);
  });

  it("a video that is published in S3 goes to a container in Azure, readable as the bucket is", async () => {
    const { objects } = s3.bucket(BUCKET);
    for (const [key, object] of Array.from(objects))
      if (key.startsWith("vod/lecture-1/")) objects.set(key.replace("lecture-1", "lecture-3"), object);
    const { code, log: said } = await run("replicate", "--config", configFile);
    expect(code, said).toBe(0);
    const answer = await request(`${azure.address.url}/lecture-3/master.m3u8`);
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, Buffer.from(packageVideo("").get("master.m3u8") ?? []).toString()]);
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
      const sentTo = async (base: string, path: string, ms: number): Promise<void> => {
        await eventually(ms, `${path} to be sent to ${base}`, async () => {
          const { statusCode, headers, body } = await request(`${gateway}${path}`);
          await body.dump();
          expect(statusCode).toBe(302);
          return headers["location"] === `${base}${path}` ? true : null;
        });
      };
      await sentTo(azure.address.url, "/lecture-1/master.m3u8", 10_000);
      await publish("lecture-2");
      await eventually(20_000, "the new video to be verified in both regions", async () => {
        const { videos } = (await (await request(`${admin}/api/status`)).body.json()) as Status;
        const regions = videos.find(({ locatorId }) => locatorId === "lecture-2")?.regions;
        return regions?.["westeurope"]?.state === "verified" && regions["amazon"]?.state === "verified" ? true : null;
      });
      await azure.server.set({ kind: "refuse", status: 503, delayMs: 0 });
      await sentTo(streaming(), "/lecture-1/master.m3u8", 5_000);
      await sentTo(streaming(), "/lecture-2/v1/0.m4s", 5_000);
      await azure.server.clear();
      await sentTo(azure.address.url, "/lecture-1/master.m3u8", 15_000);
      s3.behaviour.fault = () => new S3Error(503, "SlowDown", "Please reduce your request rate.");
      await sentTo(azure.address.url, "/lecture-2/master.m3u8", 5_000);
    } finally {
      s3.behaviour.fault = undefined;
      serving.kill("SIGTERM");
    }
    expect(await within(15_000, "the gateway to stop", ended)).toBe(0);
    expect(said.join("\n")).not.toContain(S3_KEY.secretAccessKey);
  });
});
