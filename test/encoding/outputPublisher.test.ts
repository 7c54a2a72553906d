import { expect, it } from "vitest";
import type { EncodingMessage } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { locatorIdOf } from "../../src/encoding/locatorNames.ts";
import { OutputPublisher, type EncodingNotice, type OutputPublisherOptions } from "../../src/encoding/outputPublisher.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";

const signal = new AbortController().signal;
const MESSAGE: EncodingMessage = {
  id: "job1:r1:finished",
  kind: "finished",
  jobId: "job1",
  clientId: "film",
  at: 1,
  account: "west",
  assets: ["job1-a2-o0", "job1-a2-o1"],
  detail: "read https://in.example/a.mp4?sig=abcdefghijklmnop",
};

async function stage(changes: Partial<OutputPublisherOptions> = {}) {
  const west = new MemoryMediaAccount({ region: "west" });
  for (const name of MESSAGE.assets) {
    const asset = await west.createAsset({ name, container: name, alternateId: null, description: null });
    await west.container(asset, "write").write("video.ism", new Uint8Array([1]), { contentType: "text/xml", condition: "absent" });
  }
  const [looks, notices, told]: [string[], EncodingNotice[], string[]] = [[], [], []];
  const open = () =>
    new OutputPublisher({
      regions: new Map([["west", west]]),
      policy: { streamingPolicyName: "Predefined_ClearStreamingOnly", contentKeyPolicyName: null },
      look: async (region, asset) => void looks.push(`${region}/${asset}`),
      tell: async (notice) => void notices.push(notice),
      onTold: ({ id }) => void told.push(id),
      playbackBase: "https://gw.example",
      clock: new ManualClock(),
      log: silentLog,
      ...changes,
    });
  return { west, looks, notices, told, open };
}

it("publishes each output under an id that follows from the job, and tells where it plays", async () => {
  const { west, looks, notices, open } = await stage();
  await open().publish(MESSAGE, signal);
  const ids = [locatorIdOf("job1", 0), locatorIdOf("job1", 1)];
  expect(new Set(ids).size).toBe(2);
  for (const [output, id] of ids.entries()) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await west.locator(`job1-o${output}`)).toMatchObject({ streamingLocatorId: id, assetName: MESSAGE.assets[output] });
  }
  expect(looks).toEqual(MESSAGE.assets.map((asset) => `west/${asset}`));
  expect(notices).toMatchObject([{ id: MESSAGE.id, playback: ids.map((locatorId) => ({ locatorId })) }]);
  expect(notices[0]?.playback[0]?.hls).toMatch(new RegExp(`^https://gw\\.example/${ids[0]}/`));
  expect(JSON.stringify(notices)).not.toContain("abcdefghijklmnop");
});

it("drops what it has taken, and does again without harm what another process has done", async () => {
  const { looks, notices, told, open } = await stage();
  const publisher = open();
  await publisher.publish(MESSAGE, signal);
  await publisher.publish(MESSAGE, signal);
  expect([looks.length, notices.length, told]).toEqual([2, 1, [MESSAGE.id]]);
  await open().publish(MESSAGE, signal);
  expect([looks.length, notices.length]).toEqual([4, 2]);
});

it("goes on where it was not taken", async () => {
  let answers = false;
  const tell = async (): Promise<void> => {
    if (!answers) throw new PaircastError("notice_refused", "busy", { retry: "retry" });
  };
  const { told, open } = await stage({ tell });
  const publisher = open();
  await expect(publisher.publish(MESSAGE, signal)).rejects.toMatchObject({ code: "notice_refused" });
  expect(told).toEqual([]);
  answers = true;
  await publisher.publish(MESSAGE, signal);
  expect(told).toEqual([MESSAGE.id]);
});

it("refuses a locator of another asset under its name, and an output that nobody has any more", async () => {
  const { west, open } = await stage();
  const unset = { alternativeMediaId: null, startTime: null, endTime: null, filters: [], contentKeys: [], created: 0 };
  const policies = { streamingPolicyName: "Predefined_ClearStreamingOnly", defaultContentKeyPolicyName: null };
  const id = "11111111-2222-4333-8444-555555555555";
  await west.createLocator({ name: "job1-o0", assetName: "job1-a2-o1", streamingLocatorId: id, ...policies, ...unset });
  await expect(open().publish(MESSAGE, signal)).rejects.toMatchObject({ code: "media_exists" });
  await expect(open().publish({ ...MESSAGE, account: "gone" }, signal)).rejects.toMatchObject({ code: "account_missing" });
});

it("publishes nothing of what did not finish, or where nothing is published", async () => {
  const { looks, notices, open } = await stage();
  await open().publish({ ...MESSAGE, id: "job1:r1:failed", kind: "failed", account: null, assets: [] }, signal);
  expect([looks, notices.map(({ kind, playback }) => [kind, playback])]).toEqual([[], [["failed", []]]]);
  const silent = await stage({ policy: null });
  await silent.open().publish(MESSAGE, signal);
  expect([silent.looks, silent.notices[0]?.playback]).toEqual([[], []]);
});
