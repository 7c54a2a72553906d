import { describe, expect, it } from "vitest";
import { deliveryInMessage } from "../../src/core/events/envelope.ts";
import { written, type EncodingNotice, type WrittenNotice } from "../../src/encoding/notice.ts";
import { Notices } from "../../src/encoding/notices.ts";
import { NOW } from "./samples.ts";

const { signal } = new AbortController();
const NOTICE: EncodingNotice = {
  id: "job1:r1:finished",
  kind: "finished",
  jobId: "job1",
  clientId: "film",
  at: NOW,
  account: "west",
  assets: ["job1-a1-o0"],
  detail: "done",
  playback: [{ locatorId: "id", hls: "/id/video.m3u8", dash: null }],
};

describe("a notice", () => {
  it("is written down as it is, or as a CloudEvent whose id is its own", () => {
    const plain = written(NOTICE, "plain");
    expect([plain.contentType, JSON.parse(plain.text)]).toEqual(["application/json", NOTICE]);
    const { contentType, text } = written(NOTICE, "cloudevents");
    expect(contentType).toContain("application/cloudevents+json");
    expect(JSON.parse(text)).toEqual({
      specversion: "1.0",
      id: NOTICE.id,
      source: "/paircast/encoding",
      type: "paircast.encoding.finished",
      subject: "job1",
      time: "2026-01-01T00:00:00.000Z",
      datacontenttype: "application/json",
      data: NOTICE,
    });
    // As whoever reads CloudEvents would.
    expect(deliveryInMessage(Buffer.from(text).toString("base64"))).toMatchObject({
      kind: "events",
      malformed: 0,
      events: [{ id: NOTICE.id, eventType: "paircast.encoding.finished", subject: "job1" }],
    });
  });
});

describe("those who are told", () => {
  it("hear it all, and once only although another one does not listen", async () => {
    const heard: string[] = [];
    let listens = false;
    const queue = async ({ text }: WrittenNotice): Promise<void> => void heard.push(`queue ${(JSON.parse(text) as EncodingNotice).id}`);
    const webhook = async ({ text }: WrittenNotice): Promise<void> => {
      if (!listens) throw new Error("nobody listens");
      heard.push(`webhook ${(JSON.parse(text) as EncodingNotice).id}`);
    };
    const channels = [
      { name: "webhook", post: webhook },
      { name: "queue", post: queue },
    ];
    const { tell } = new Notices(channels, "plain");
    await expect(tell(NOTICE, signal)).rejects.toThrow("nobody listens");
    await expect(tell(NOTICE, signal)).rejects.toThrow("nobody listens");
    expect(heard).toEqual(["queue job1:r1:finished"]);
    listens = true;
    await tell(NOTICE, signal);
    await tell(NOTICE, signal);
    expect(heard).toEqual(["queue job1:r1:finished", "webhook job1:r1:finished"]);
    // Another process knows nothing of that.
    await new Notices(channels, "plain").tell(NOTICE, signal);
    expect(heard.length).toBe(4);
  });
});
