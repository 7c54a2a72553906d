/** Event Grid's deliveries, into a Storage queue and to the webhook, up to the copy in the other region. */
import { QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AzureEventQueue } from "../../src/replicator/adapters/azureEventQueue.ts";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import { startRunning, stopRunning } from "../harness/command.ts";
import { CommandLab } from "../harness/commandLab.ts";
import { newCalls, SharedState } from "../harness/sharedState.ts";
import { eventually } from "../harness/wait.ts";

const SECRET = "the secret of the subscription";

describe("a Storage queue of events", () => {
  let shared: SharedState;
  beforeAll(async () => {
    shared = await SharedState.start();
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
  });

  it("gives what Event Grid has put into it, until it is done with", async () => {
    const { accountName, accountKey } = shared.credential;
    const name = "media-events";
    const theirs = new QueueServiceClient(shared.queues, new StorageSharedKeyCredential(accountName, accountKey)).getQueueClient(name);
    const options = { url: shared.queues, name, login: shared.credential, calls: newCalls() };
    await using events = new AzureEventQueue(options);
    await expect(events.receive()).rejects.toMatchObject({ code: "state_rejected", retry: "never" });
    await theirs.create();
    expect(await events.receive()).toEqual([]);
    const body = Buffer.from('{"id":"1"}').toString("base64");
    for (let count = 0; count < 3; count += 1) await theirs.sendMessage(body);
    const messages = await events.receive();
    expect(messages.map((message) => [message.body, message.takes])).toEqual([
      [body, 1],
      [body, 1],
      [body, 1],
    ]);
    expect(await events.receive()).toEqual([]);
    const [first] = messages;
    for (const message of messages) await events.done(message);
    if (first !== undefined) await events.done(first);
    expect((await theirs.getProperties()).approximateMessagesCount).toBe(0);
  });
});

describe("paircast replicate --follow", () => {
  let lab: CommandLab;
  beforeAll(async () => {
    lab = await CommandLab.start();
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  /** Passes are so far apart that only an event can be the reason. */
  const SETTINGS = {
    log: { level: "info" },
    replication: { interval: "1h", events: { webhook: { listen: "127.0.0.1:0", secret: SECRET } } },
  };

  it("hears of an encoded asset and carries it, long before the next pass; it stops when it is told to", async () => {
    const command = ["replicate", "--follow", "--json", "--config", lab.configure("follow", SETTINGS)];
    // Its first line is that of the first pass.
    await using following = await startRunning(command, 120_000);
    const { value: url } = await eventually(30_000, "the listener for events", async () => {
      const lines = following.log.map((line) => JSON.parse(line) as { event?: string; url?: string });
      return Promise.resolve(lines.find(({ event }) => event === "events.listening")?.url ?? null);
    });
    const { subscriptionId, resourceGroup, accountName } = lab.region("westeurope").account;
    const account = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${accountName}`;
    const video = await lab.publish();
    const delivery = await request(`${url}?code=${encodeURIComponent(SECRET)}`, {
      method: "POST",
      headers: { "content-type": "application/json", "aeg-event-type": "Notification" },
      body: JSON.stringify([
        {
          id: "1",
          eventType: "Microsoft.Media.JobFinished",
          topic: account,
          subject: "transforms/t/jobs/j",
          eventTime: "2026-03-01T12:00:00.1234567",
          data: {
            state: "Finished",
            outputs: [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName: video.name, state: "Finished" }],
          },
          dataVersion: "1.0",
          metadataVersion: "1",
        },
      ]),
    });
    await delivery.body.dump();
    expect(delivery.statusCode).toBe(200);
    await using catalogue = new SqliteCatalogue(lab.state("follow"));
    await eventually(60_000, "the video in both regions", async () => {
      const regions = (await catalogue.get(video.locatorId))?.entry.regions;
      return regions?.["westeurope"]?.state === "verified" && regions["northeurope"]?.state === "verified" ? true : null;
    });
    expect(following.log.join("\n")).not.toContain(SECRET);
    expect(await stopRunning(following.child)).toBe(0);
  });
});
