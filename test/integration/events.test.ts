/** Event Grid's deliveries, into a Storage queue and to the webhook, up to the copy in the other region. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { AzureEventQueue } from "../../src/replicator/adapters/azureEventQueue.ts";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { newCalls, SharedState } from "../harness/sharedState.ts";
import { eventually, within } from "../harness/wait.ts";

const root = new URL("../../", import.meta.url);
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
  let sandbox: SandboxProcess;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "paircast-follow-"));
    sandbox = await SandboxProcess.start();
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** With a state of its own, and passes so far apart that only an event can be the reason. */
  function configuration(): { readonly file: string; readonly state: string; readonly account: string } {
    const settings = parse(readFileSync(sandbox.ready.config, "utf8")) as {
      regions: { name: string; account: { subscriptionId: string; resourceGroup: string; accountName: string } }[];
      replication: object;
      state: { path: string };
      log: object;
    };
    const state = join(folder, "follow.db");
    settings.state = { path: state };
    settings.log = { level: "info" };
    settings.replication = { interval: "1h", events: { webhook: { listen: "127.0.0.1:0", secret: SECRET } } };
    const file = join(folder, "follow.yaml");
    writeFileSync(file, stringify(settings));
    const { subscriptionId, resourceGroup, accountName } = settings.regions.find(({ name }) => name === "westeurope")?.account ?? {
      subscriptionId: "",
      resourceGroup: "",
      accountName: "",
    };
    const account = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${accountName}`;
    return { file, state, account };
  }

  it("hears of an encoded asset and carries it, long before the next pass; it stops when it is told to", async () => {
    const { file, state, account } = configuration();
    const child = spawn(process.execPath, ["src/main.ts", "replicate", "--follow", "--json", "--config", file], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = once(child, "exit");
    const log: { event?: string; url?: string }[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => log.push(JSON.parse(line) as (typeof log)[number]));
    const firstPass = once(createInterface({ input: child.stdout }), "line");
    const listening = await eventually(20_000, "the listener for events", async () =>
      Promise.resolve(log.find(({ event }) => event === "events.listening") ?? null),
    );
    await within(30_000, "the first pass", firstPass);
    const video = (await sandbox.control("POST", "/videos", { region: "westeurope", protection: "clear" })) as SandboxVideo;
    const delivery = await request(`${listening.value.url ?? ""}?code=${encodeURIComponent(SECRET)}`, {
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
    expect(delivery.statusCode).toBe(200);
    await using catalogue = new SqliteCatalogue(state);
    await eventually(30_000, "the video in both regions", async () => {
      const regions = (await catalogue.get(video.locatorId))?.entry.regions;
      return regions?.["westeurope"]?.state === "verified" && regions["northeurope"]?.state === "verified" ? true : null;
    });
    expect(JSON.stringify(log)).not.toContain(SECRET);
    child.kill("SIGTERM");
    const [code] = await within(15_000, "the command to end", exited);
    expect(code).toBe(0);
  });
});
