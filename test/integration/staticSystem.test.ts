/** The driver `static` from end to end: packaged videos in public containers, `paircast replicate`, and a gateway that leaves a dead region. */
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "../../src/sandbox/contracts.ts";
import type { StorageFront } from "../../src/sandbox/storageFront.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { runCommand } from "../harness/command.ts";
import { ServeProcess, type ServeFolder } from "../harness/serve.ts";
import { azureRegion, blobService, publishPackaged, staticFolder } from "../harness/staticSystem.ts";
import { sentTo, verifiedIn } from "../harness/status.ts";
import { STORAGE_KEY, StorageStage } from "../harness/storageStage.ts";
import { eventually } from "../harness/wait.ts";

const REGIONS = ["westeurope", "northeurope"] as const;
/** Far above what it takes where nothing else runs. */
const SOON_MS = 30_000;
const COPIED_MS = 60_000;
const REFUSE: Fault = { kind: "refuse", status: 503, delayMs: 0 };

interface Summary {
  readonly results: readonly { readonly target: string; readonly counts: { readonly blobsCopied: number } }[];
}

let stack: AsyncDisposableStack;
let west: StorageFront;
let north: StorageFront;
let folder: ServeFolder;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const stage = stack.use(await StorageStage.start({ staticwest: "127.0.0.11", staticnorth: "127.0.0.12" }));
  [west, north] = [stage.front("staticwest"), stage.front("staticnorth")];
  const regions = [azureRegion(REGIONS[0], west), azureRegion(REGIONS[1], north)];
  folder = stack.use(await staticFolder(regions, { STATIC_TEST_KEY: STORAGE_KEY }));
  await publishPackaged(west, "lecture-1");
});
afterAll(async () => {
  await stack.disposeAsync();
});

async function get(
  url: string,
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }> {
  const answer = await request(url);
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

describe("two static regions", () => {
  it("replicate copies a video, with its access and types, and a second run changes nothing", async () => {
    const replicate = ["replicate", "--config", folder.config];
    const first = await runCommand([...replicate, "--json"], folder);
    expect(first.code, first.err).toBe(0);
    const summary = JSON.parse(first.out) as Summary;
    expect(summary).toMatchObject({ assets: 1, failed: 0 });
    expect(summary.results.find(({ target }) => target === "northeurope")?.counts.blobsCopied).toBe(packageVideo("").size);
    for (const [path, content] of packageVideo("")) {
      const answer = await request(`${north.address.url}/lecture-1/${path}`);
      expect(Buffer.from(await answer.body.arrayBuffer()).equals(content), path).toBe(true);
      if (path.endsWith(".m3u8")) expect(answer.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
    }
    const second = await runCommand(replicate, folder);
    expect(second.code, second.err).toBe(0);
    expect(second.out.trim()).toBe("nothing to do: 1 asset is the same everywhere");
    expect(first.out + first.err + second.out + second.err).not.toContain(STORAGE_KEY);
  });

  it("serve sends players to the first region that lives, and copies what is published meanwhile", async () => {
    await using serving = await ServeProcess.start(folder);
    const { gateway, admin } = serving;
    const video = "/lecture-1/master.m3u8?from=test";
    await sentTo(gateway, west.address.url, video, SOON_MS);
    await eventually(SOON_MS, "the probes to have answered", async () => ((await get(`${gateway}/readyz`)).status === 200 ? true : null));

    await publishPackaged(west, "lecture-2");
    await verifiedIn(admin, "lecture-2", REGIONS, COPIED_MS);

    await west.server.set(REFUSE);
    await sentTo(gateway, north.address.url, video, SOON_MS);
    const away = await get(`${gateway}/lecture-2/v1/0.m4s`);
    expect(away).toMatchObject({ status: 302, headers: { "x-paircast-reason": "failover", "x-paircast-origin": "northeurope" } });
    const followed = await get(String((await get(`${gateway}${video}`)).headers["location"]));
    expect(followed).toMatchObject({ status: 200, body: Buffer.from(packageVideo("").get("master.m3u8") ?? []).toString() });
    const { out } = await runCommand(["explain", video, "--admin", admin]);
    expect(out).toMatch(/westeurope +not eligible/);
    expect(out).toContain(`northeurope (failover): ${north.address.url}${video}`);

    await west.server.clear();
    await sentTo(gateway, west.address.url, video, SOON_MS);
    // Public and empty in both regions: there, and no video.
    for (const front of [west, north]) await blobService(front).getContainerClient("empty").create({ access: "blob" });
    // A region that is slow to say so has, for all the gateway knows, the video.
    const { value } = await eventually(SOON_MS, "both regions to say that they have no such video", async () => {
      const answer = await get(`${gateway}/empty/master.m3u8`);
      return answer.status === 302 ? null : answer;
    });
    expect(value).toMatchObject({ status: 404, headers: { "x-paircast-reason": "not_found" } });
    expect(await serving.stop()).toBe(0);
    expect(serving.text).not.toContain(STORAGE_KEY);
  });
});
