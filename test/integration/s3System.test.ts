/** The driver `static` from end to end, over two kinds of storage: a packaged video goes from Azure blob storage to S3, and the gateway serves both. */
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StorageFront } from "../../src/sandbox/storageFront.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { runCommand } from "../harness/command.ts";
import { S3Server } from "../harness/s3Server/server.ts";
import { S3Error } from "../harness/s3Server/xml.ts";
import { ServeProcess, type ServeFolder } from "../harness/serve.ts";
import { azureRegion, publishPackaged, staticFolder } from "../harness/staticSystem.ts";
import { sentTo, verifiedIn } from "../harness/status.ts";
import { STORAGE_KEY, StorageStage } from "../harness/storageStage.ts";

const S3_KEY = { accessKeyId: "AKIAREPLICATOR", secretAccessKey: "the secret of the replicator" };
const BUCKET = "videos";
/** Far above what it takes where nothing else runs. */
const SOON_MS = 30_000;
const COPIED_MS = 60_000;

interface Summary {
  readonly results: readonly { readonly target: string; readonly counts: { readonly blobsCopied: number } }[];
}

let stack: AsyncDisposableStack;
let azure: StorageFront;
let s3: S3Server;
let folder: ServeFolder;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  azure = stack.use(await StorageStage.start({ staticwest: "127.0.0.13" })).front("staticwest");
  s3 = stack.use(await S3Server.start([S3_KEY]));
  // Its policy lets players read what lies in it.
  s3.createBucket(BUCKET, { readable: true });
  const secrets = { STATIC_TEST_KEY: STORAGE_KEY, S3_TEST_SECRET: S3_KEY.secretAccessKey };
  folder = stack.use(await staticFolder([azureRegion("westeurope", azure), s3Region()], secrets));
  await publishPackaged(azure, "lecture-1");
});
afterAll(async () => {
  await stack.disposeAsync();
});

const streaming = (): string => `${s3.url}/${BUCKET}/vod`;

function s3Region(): object {
  const credential = { kind: "access-key", accessKeyId: S3_KEY.accessKeyId, secretAccessKey: "${S3_TEST_SECRET}" };
  const storage = { kind: "s3", endpoint: s3.url, region: "eu-west-1", bucket: BUCKET, prefix: "vod/", credential };
  return { name: "amazon", streaming: streaming(), account: { driver: "static", storage, containers: "lecture-*" } };
}

describe("a static region in Azure and one in S3", () => {
  it("replicate carries a video over, with its types and metadata, and a second run changes nothing", async () => {
    const replicate = ["replicate", "--config", folder.config];
    const first = await runCommand([...replicate, "--json"], folder);
    expect(first.code, first.err).toBe(0);
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
    const second = await runCommand(replicate, folder);
    expect(second.code, second.err).toBe(0);
    expect(second.out).toContain("nothing to do");
    expect(s3.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toHaveLength(writes);
    const said = first.out + first.err + second.out + second.err;
    for (const secret of [STORAGE_KEY, S3_KEY.secretAccessKey]) expect(said).not.toContain(secret);
  });

  it("a video that is published in S3 goes to a container in Azure, readable as the bucket is", async () => {
    const { objects } = s3.bucket(BUCKET);
    for (const [key, object] of Array.from(objects))
      if (key.startsWith("vod/lecture-1/")) objects.set(key.replace("lecture-1", "lecture-3"), object);
    const { code, err } = await runCommand(["replicate", "--config", folder.config], folder);
    expect(code, err).toBe(0);
    const answer = await request(`${azure.address.url}/lecture-3/master.m3u8`);
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, Buffer.from(packageVideo("").get("master.m3u8") ?? []).toString()]);
  });

  it("serve sends players to the first region that lives, and copies what is published meanwhile", async () => {
    await using serving = await ServeProcess.start(folder);
    const { gateway, admin } = serving;
    await sentTo(gateway, azure.address.url, "/lecture-1/master.m3u8", SOON_MS);
    await publishPackaged(azure, "lecture-2");
    await verifiedIn(admin, "lecture-2", ["westeurope", "amazon"], COPIED_MS);
    await azure.server.set({ kind: "refuse", status: 503, delayMs: 0 });
    await sentTo(gateway, streaming(), "/lecture-1/master.m3u8", SOON_MS);
    await sentTo(gateway, streaming(), "/lecture-2/v1/0.m4s", SOON_MS);
    await azure.server.clear();
    await sentTo(gateway, azure.address.url, "/lecture-1/master.m3u8", SOON_MS);
    s3.behaviour.fault = () => new S3Error(503, "SlowDown", "Please reduce your request rate.");
    await sentTo(gateway, azure.address.url, "/lecture-2/master.m3u8", SOON_MS);
    s3.behaviour.fault = undefined;
    expect(await serving.stop()).toBe(0);
    expect(serving.text).not.toContain(S3_KEY.secretAccessKey);
  });
});
