/** What becomes of jobs, told to an address and into a Storage queue (Azurite's). */
import { QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { noticesOf } from "../../src/compose/encodingNotices.ts";
import type { EncodingNotice } from "../../src/encoding/notice.ts";
import { SharedState } from "../harness/sharedState.ts";

const SECRET = "the-secret-of-the-notices";
const { signal } = new AbortController();
const chance = { clock: systemClock, random: systemRandom };
const heard: { readonly type: string; readonly key: string; readonly body: string }[] = [];

let shared: SharedState;
let server: Server;
let url: string;
let status = 204;

beforeAll(async () => {
  shared = await SharedState.start();
  server = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push({ type: String(request.headers["content-type"]), key: String(request.headers["x-paircast-events-key"]), body });
      response.writeHead(status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jobs`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await shared[Symbol.asyncDispose]();
});

function noticeOf(id: string): EncodingNotice {
  const what = { kind: "finished", jobId: "job", clientId: "film ü", at: 1, account: "west", assets: ["a"], detail: "done" } as const;
  return { id, ...what, playback: [{ locatorId: "l", hls: "/l/video.m3u8", dash: null }] };
}

function theirs(name: string) {
  const { accountName, accountKey } = shared.credential;
  return new QueueServiceClient(shared.queues, new StorageSharedKeyCredential(accountName, accountKey)).getQueueClient(name);
}

async function taken(name: string): Promise<readonly unknown[]> {
  const { receivedMessageItems } = await theirs(name).receiveMessages({ numberOfMessages: 32 });
  return receivedMessageItems.map(({ messageText }) => JSON.parse(Buffer.from(messageText, "base64").toString("utf8")) as unknown);
}

describe("notices", () => {
  it("go into the queue, which is made where it is not there, and to the address; the same to both", async () => {
    const name = `${shared.prefix()}-notices`;
    const tell = await noticesOf(
      { url, secret: SECRET, queue: { url: shared.queues, name, credential: shared.credential }, format: "plain" },
      chance,
    );
    await tell?.(noticeOf("one"), signal);
    await tell?.(noticeOf("two"), signal);
    expect(await taken(name)).toEqual([noticeOf("one"), noticeOf("two")]);
    expect(heard.splice(0)).toEqual(
      ["one", "two"].map((id) => ({ type: "application/json", key: SECRET, body: JSON.stringify(noticeOf(id)) })),
    );
  });

  it("are in the queue once although the address refuses them for a while", async () => {
    const name = `${shared.prefix()}-notices`;
    const queue = { url: shared.queues, name, credential: shared.credential };
    const tell = await noticesOf({ url, secret: SECRET, queue, format: "cloudevents" }, chance);
    status = 500;
    for (let count = 0; count < 3; count += 1)
      await expect(tell?.(noticeOf("three"), signal)).rejects.toMatchObject({ code: "notice_refused", retry: "retry" });
    status = 204;
    await tell?.(noticeOf("three"), signal);
    expect(await taken(name)).toMatchObject([
      { specversion: "1.0", id: "three", type: "paircast.encoding.finished", data: { jobId: "job" } },
    ]);
    expect(heard.splice(0).map(({ type }) => type.split(";")[0])).toEqual(Array.from({ length: 4 }, () => "application/cloudevents+json"));
  });

  it("say where they could not be put, without a secret", async () => {
    const sas = { kind: "sas", sas: "sv=2025-01-05&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D" } as const;
    const tell = await noticesOf({ queue: { url: shared.queues, name: "not-ours", credential: sas }, format: "plain" }, chance);
    const failed: unknown = await tell?.(noticeOf("four"), signal).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "notice_refused", retry: "retry", message: expect.stringContaining("not-ours") });
    expect(`${String(failed)} ${String((failed as Error).cause)}`).not.toContain("c2VjcmV0");
  });
});
