/** Every fault that an upstream can have, while the gateway asks it: it goes on answering, soon sends everybody to the other region, and comes back. */
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { applies, faultClass, FAULTS, type Fault, type Video } from "../bench/origin/faults.ts";
import { BenchRegion } from "../bench/origin/region.ts";
import { contentKey, KEY_HOST, KEY_ID, manifestPath } from "../bench/origin/video.ts";
import { inLanes } from "../bench/process.ts";
import { ready, startPaircast, type PaircastRouter } from "../bench/routers/paircast.ts";
import { eventually, within } from "../harness/wait.ts";

const ON_DEMAND: Video = { protocol: "hls", encrypted: true, live: false };
const LIVE: Video = { protocol: "dash", encrypted: true, live: true };
const PROBES = { intervalMs: 300, fastIntervalMs: 100, timeoutMs: 1_000, fall: 2, rise: 2 };

/** Processes are killed elsewhere (healthRestart, workers); a certificate takes a region with TLS (tlsCertificates); a clock degrades and does not drain. */
const INJECTED = FAULTS.filter((fault) => !["process", "certificate", "clock"].includes(faultClass(fault)));
const AT_ONCE = 6;
const NOTICED_MS = 20_000;

interface Stage extends AsyncDisposable {
  readonly a: BenchRegion;
  readonly router: PaircastRouter;
}

async function stage(video: Video): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const region = async (name: string): Promise<BenchRegion> =>
    stack.adopt(await BenchRegion.start({ name, host: "127.0.0.1" }), async (each) => each.stop());
  const [a, b] = [await region("a"), await region("b")];
  const router = stack.use(await startPaircast({ video, a: a.addresses, b: b.addresses, caFile: null }, { probes: PROBES, keys: "proxy" }));
  await within(20_000, "the first probes", ready(router));
  const owned = stack.move();
  return { a, router, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

/** The region that a manifest request is sent to. Anything but a redirect is a failure. */
async function sentTo({ urls }: PaircastRouter, video: Video): Promise<unknown> {
  const { statusCode, headers, body } = await request(`${urls[0] ?? ""}${manifestPath(video)}`);
  await body.dump();
  expect(statusCode).toBe(302);
  return headers["x-paircast-origin"];
}

interface SeenKey {
  readonly status: number;
  readonly region: unknown;
  readonly right: boolean;
}

async function keyOf({ urls }: PaircastRouter, method: "GET" | "POST"): Promise<SeenKey> {
  const { statusCode, headers, body } = await request(`${urls[0] ?? ""}/keys/${KEY_ID}`, {
    method,
    headers: { host: new URL(KEY_HOST).host },
    ...(method === "POST" ? { body: "challenge" } : {}),
  });
  const bytes = Buffer.from(await body.arrayBuffer());
  return { status: statusCode, region: headers["x-paircast-origin"], right: method === "POST" || bytes.equals(contentKey()) };
}

/** Refusals of the key host's own are carried to the player, until probes with a good token have seen them, too. */
const REFUSED: ReadonlySet<Fault> = new Set(["key-401", "key-403"]);
/** Sixteen bytes that are not the key: only a probe can tell. */
const UNSEEN: ReadonlySet<Fault> = new Set(["key-wrong"]);

/** One of each, as a player asks. Gives the regions of the key's and the manifest's answers. */
async function asked(router: PaircastRouter, fault: Fault, video: Video): Promise<{ readonly manifest: unknown; readonly key: unknown }> {
  const keys = await Promise.all((["GET", "POST"] as const).map(async (method) => keyOf(router, method)));
  for (const { status, right } of keys) {
    expect(REFUSED.has(fault) ? [200, 401, 403] : [200], `a key during ${fault}`).toContain(status);
    if (status === 200 && !UNSEEN.has(fault)) expect(right, `the key's bytes during ${fault}`).toBe(true);
  }
  return { manifest: await sentTo(router, video), key: keys[0]?.region };
}

/** The keys of this video come through the gateway: a region whose key host is ill goes on streaming. */
function hasLeft(fault: Fault, { manifest, key }: { readonly manifest: unknown; readonly key: unknown }): boolean {
  if (REFUSED.has(fault)) return true;
  return faultClass(fault) === "key" ? key === "b" : manifest === "b";
}

/** Answers that were lost, and why the other region was taken for unhealthy; empty where neither happened. */
async function survived(fault: Fault, video: Video): Promise<string> {
  await using scene = await stage(video);
  const { a, router } = scene;
  const lost: string[] = [];
  const viewer = async (): ReturnType<typeof asked> => {
    try {
      return await asked(router, fault, video);
    } catch (error) {
      lost.push(String(error));
      throw error;
    }
  };
  await eventually(NOTICED_MS, "the first region to be looked at", async () => ((await sentTo(router, video)) === "a" ? true : null));
  await a.setFault(fault);
  await eventually(NOTICED_MS, `the viewers to leave a region with ${fault}`, async () => (hasLeft(fault, await viewer()) ? true : null));
  await a.setFault(null);
  await eventually(NOTICED_MS, `the viewers to come back after ${fault}`, async () => {
    const { manifest, key } = await viewer();
    return manifest === "a" && key === "a" ? true : null;
  });
  return [...lost, ...router.reasons("b")].join("; ");
}

describe.each([ON_DEMAND, LIVE])("a region with any fault, $protocol, live: $live", (video) => {
  it("costs no viewer an answer", { timeout: 180_000 }, async () => {
    const faults = INJECTED.filter((fault) => applies(fault, video) && (video.live || faultClass(fault) !== "live"));
    // All of them end before the first failure is told: nothing is left running.
    const seen = await inLanes(faults, AT_ONCE, async (fault) => survived(fault, video).catch((error: unknown) => String(error)));
    expect(Object.fromEntries(faults.map((fault, index) => [fault, seen[index]]))).toEqual(
      // The other region is well all the time.
      Object.fromEntries(faults.map((fault) => [fault, ""])),
    );
    expect(faults.length).toBeGreaterThan(20);
  });
});
