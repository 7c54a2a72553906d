import { describe, expect, it } from "vitest";
import type { GridEvent } from "../../../src/core/events/envelope.ts";
import { silentLog } from "../../../src/core/log.ts";
import type { EventMessage, EventQueue } from "../../../src/core/ports/events.ts";
import { EventIntake, followEvents } from "../../../src/replicator/events/intake.ts";
import { looksOf, type EventPlace } from "../../../src/replicator/events/looks.ts";
import { pieceOf } from "../../../src/replicator/work/piece.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { MemoryWorkQueue } from "../../fakes/memoryWorkQueue.ts";

const ACCOUNT = "/subscriptions/S-1/resourceGroups/Media/providers/Microsoft.Media/mediaservices/WestMedia";
const PLACES: readonly EventPlace[] = [
  { region: "west", account: ACCOUNT.toLowerCase(), storage: null, containers: "*" },
  { region: "north", account: ACCOUNT.toLowerCase().replace("west", "north"), storage: null, containers: "*" },
  { region: "files", account: null, storage: "https://files.blob.core.windows.net", containers: "video-*" },
];

function event(eventType: string, data: GridEvent["data"], topic = ACCOUNT): GridEvent {
  return { id: "1", eventType, topic, subject: "transforms/t/jobs/j", eventTime: "2026-03-01T12:00:00", data };
}

const output = (assetName: string, state = "Finished") => ({ "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName, state });
const blob = (url: string, eventType = "Microsoft.Storage.BlobCreated") => event(eventType, { api: "PutBlockList", url }, "/storage");

describe("what an event gives reason to look at", () => {
  const soon = (asset: string, region = "west") => ({ region, asset, soon: true });
  it.each([
    [
      "outputs of a finished job, each once",
      event("Microsoft.Media.JobFinished", { outputs: [output("a"), output("b"), output("a"), output("c", "Error")] }),
      [soon("a"), soon("b")],
    ],
    ["a finished output", event("Microsoft.Media.JobOutputFinished", { output: output("a") }), [soon("a")]],
    ["an output that failed", event("Microsoft.Media.JobOutputErrored", { output: output("a", "Error") }), []],
    ["progress", event("Microsoft.Media.JobOutputProgress", { label: "l", progress: 4 }), []],
    [
      "the other region's account",
      event("Microsoft.Media.JobOutputFinished", { output: output("a") }, ACCOUNT.replace("West", "North")),
      [soon("a", "north")],
    ],
    ["an account of somebody else's", event("Microsoft.Media.JobOutputFinished", { output: output("a") }, `${ACCOUNT}2`), []],
    ["outputs in a form that nobody knows", event("Microsoft.Media.JobFinished", { outputs: [null, { assetName: 7 }, "a"] }), []],
    ["a manifest", blob("https://files.blob.core.windows.net/video-1/master.m3u8"), [{ region: "files", asset: "video-1", soon: false }]],
    ["a segment", blob("https://files.blob.core.windows.net/video-1/seg-1.m4s"), []],
    ["a manifest that is not at the top", blob("https://files.blob.core.windows.net/video-1/hd/index.m3u8"), []],
    ["a container that is no video", blob("https://files.blob.core.windows.net/logs/a.mpd"), []],
    ["another storage account", blob("https://files2.blob.core.windows.net/video-1/master.m3u8"), []],
    [
      "a manifest that was taken away",
      blob("https://files.blob.core.windows.net/video-1/master.m3u8", "Microsoft.Storage.BlobDeleted"),
      [],
    ],
    ["something else", event("Microsoft.Media.LiveEventIngestHeartbeat", {}), []],
  ])("%s", (_, given, expected) => {
    expect(looksOf(given, PLACES)).toEqual(expected);
  });
});

function setup() {
  const clock = new ManualClock();
  const queue = new MemoryWorkQueue(clock, 5);
  return { clock, queue, intake: new EventIntake({ queue, places: PLACES, clock, log: silentLog }) };
}

async function queued(queue: MemoryWorkQueue) {
  const pieces = [];
  for (let item = await queue.take(1); item !== null; item = await queue.take(60_000)) pieces.push(pieceOf(item.body));
  return pieces;
}

describe("events", () => {
  const finished = event("Microsoft.Media.JobFinished", { outputs: [output("a")] });

  it("become pieces of work: an encoded asset is looked at until its locator is there", async () => {
    const { queue, intake, clock } = setup();
    await intake.take([finished, blob("https://files.blob.core.windows.net/video-1/a.mpd")]);
    expect(await queued(queue)).toMatchObject([
      { region: "west", asset: "a", target: null, full: true, at: clock.now(), again: 5 },
      { region: "files", asset: "video-1", target: null, full: true, again: 0 },
    ]);
  });

  it("that come again are no work again; what only looks alike is", async () => {
    const { queue, intake } = setup();
    await intake.take([finished, finished]);
    await intake.take([finished]);
    await intake.take([{ ...finished, eventTime: "2026-03-01T13:00:00" }]);
    expect(await queue.pending()).toBe(2);
  });

  it("that could not be put are put when they come again", async () => {
    const { queue, intake } = setup();
    queue.calls.failNth("put", 1, new Error("full"));
    await expect(intake.take([finished])).rejects.toThrow("full");
    await intake.take([finished]);
    expect(await queue.pending()).toBe(1);
  });
});

describe("a queue of events", () => {
  function eventQueue(bodies: readonly string[]) {
    const waiting = bodies.map((body, at) => ({ id: String(at), receipt: "r", body, takes: 0 }));
    const done: string[] = [];
    let failing = false;
    const events: EventQueue = {
      receive: async (): Promise<readonly EventMessage[]> => {
        if (failing) throw new Error("away");
        for (const message of waiting) message.takes += 1;
        return waiting.filter(({ id }) => !done.includes(id)).map((message) => ({ ...message }));
      },
      done: async ({ id }) => void done.push(id),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const setFailing = (value: boolean): void => {
      failing = value;
    };
    return { events, done, setFailing };
  }

  it("is emptied into the queue of work; what cannot be read is let go after some tries", async () => {
    const { clock, queue, intake } = setup();
    const text = JSON.stringify(event("Microsoft.Media.JobFinished", { outputs: [output("a")] }));
    const { events, done } = eventQueue(["rubbish", Buffer.from(text).toString("base64")]);
    const stop = new AbortController();
    const following = followEvents(events, intake, { clock, log: silentLog }, stop.signal);
    await clock.advance(60_000);
    expect(done).toEqual(["1", "0"]);
    expect(await queue.pending()).toBe(1);
    stop.abort();
    await following;
  });

  it("that is away is asked again, and a message whose work cannot be put stays", async () => {
    const { clock, queue, intake } = setup();
    const text = JSON.stringify(event("Microsoft.Media.JobFinished", { outputs: [output("a")] }));
    const { events, done, setFailing } = eventQueue([text]);
    setFailing(true);
    queue.calls.failNth("put", 1, new Error("full"));
    const stop = new AbortController();
    const following = followEvents(events, intake, { clock, log: silentLog }, stop.signal);
    await clock.advance(20_000);
    expect(done).toEqual([]);
    setFailing(false);
    await clock.advance(20_000);
    expect(done).toEqual(["0"]);
    expect(await queue.pending()).toBe(1);
    stop.abort();
    await following;
  });
});
