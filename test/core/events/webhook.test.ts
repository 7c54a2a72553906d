import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deliveryInMessage, deliveryOf, eventKey, type GridEvent } from "../../../src/core/events/envelope.ts";
import type { TokenVerdict } from "../../../src/core/events/senderTokens.ts";
import { EventWebhook, type WebhookOptions } from "../../../src/core/events/webhook.ts";
import { silentLog } from "../../../src/core/log.ts";

const SECRET = "a secret of the subscription's";
const EVENT = {
  id: "e9b8b8a5-0a2b-4f3a-8f1d-000000000001",
  eventType: "Microsoft.Media.JobFinished",
  topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Media/mediaservices/a",
  subject: "transforms/t/jobs/j",
  eventTime: "2026-03-01T12:00:00.1234567",
  data: { state: "Finished" },
  dataVersion: "1.0",
  metadataVersion: "1",
};
const { dataVersion: _dataVersion, metadataVersion: _metadataVersion, ...READ } = EVENT;
const CLOUD = {
  specversion: "1.0",
  id: EVENT.id,
  type: EVENT.eventType,
  source: EVENT.topic,
  subject: EVENT.subject,
  time: EVENT.eventTime,
  data: EVENT.data,
};
const HANDSHAKE = {
  ...EVENT,
  eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
  data: { validationCode: "512d38b6", validationUrl: "https://rp-eastus2.eventgrid.azure.net/validate" },
};

describe("a delivery", () => {
  it("is the same event in either schema, alone or in a batch, in a queue or not", () => {
    const one = { kind: "events", events: [READ], malformed: 0 };
    for (const body of [EVENT, [EVENT], CLOUD, [CLOUD]]) expect(deliveryOf(body)).toEqual(one);
    const text = JSON.stringify(EVENT);
    expect(deliveryInMessage(Buffer.from(text).toString("base64"))).toEqual(one);
    expect(deliveryInMessage(text)).toEqual(one);
    expect(deliveryInMessage("not an event")).toBeNull();
  });

  it("keeps what can be read beside what cannot", () => {
    const delivery = deliveryOf([EVENT, null, { ...EVENT, id: 7 }, { ...EVENT, data: "text" }, CLOUD]);
    expect(delivery).toEqual({ kind: "events", events: [READ, READ], malformed: 3 });
    expect([deliveryOf(null), deliveryOf("text"), deliveryOf(7)]).toEqual([null, null, null]);
  });

  it("of a subscription in the making is its code", () => {
    expect(deliveryOf([HANDSHAKE])).toEqual({ kind: "validation", code: "512d38b6" });
    expect(deliveryOf([{ ...HANDSHAKE, data: {} }])).toEqual({ kind: "events", events: [], malformed: 0 });
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const delivery = deliveryOf(body);
        if (delivery?.kind === "events") for (const event of delivery.events) eventKey(event);
        deliveryInMessage(JSON.stringify(body));
      }),
    );
  });

  it("is known again by everything that tells it from others", () => {
    const progress = { ...READ, id: "00000000-0000-0000-0000-000000000000" };
    expect(eventKey(progress)).not.toBe(eventKey({ ...progress, subject: "transforms/t/jobs/k" }));
    expect(eventKey(progress)).toBe(eventKey({ ...progress, data: {} }));
  });
});

function webhook(take: (events: readonly GridEvent[]) => Promise<void> = async () => undefined, options: Partial<WebhookOptions> = {}) {
  const app = new EventWebhook({ path: "/events", secret: SECRET, tokens: null, take, log: silentLog, ...options });
  const ask = async (body: unknown, init: RequestInit & { readonly path?: string } = {}): Promise<Response> => {
    const { path = `/events?code=${encodeURIComponent(SECRET)}`, ...rest } = init;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return app.fetch(new Request(`http://gateway.test${path}`, { method: "POST", body: text, ...rest }));
  };
  return { app, ask };
}

describe("the webhook", () => {
  it("proves that it wants the events: by the code of Event Grid's own schema", async () => {
    const answer = await webhook().ask([HANDSHAKE]);
    expect([answer.status, await answer.json()]).toEqual([200, { validationResponse: "512d38b6" }]);
  });

  it("proves that it wants the events: by the handshake of CloudEvents", async () => {
    const options = (origin?: string) =>
      webhook().app.fetch(
        new Request("http://gateway.test/events?code=x", {
          method: "OPTIONS",
          headers: origin === undefined ? {} : { "webhook-request-origin": origin, "webhook-request-rate": "120" },
        }),
      );
    const answer = await options("eventgrid.azure.net");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("webhook-allowed-origin")).toBe("eventgrid.azure.net");
    expect(answer.headers.get("webhook-allowed-rate")).toBe("*");
    expect([(await options()).status, (await options("a b")).status]).toEqual([400, 400]);
  });

  it("hands on what was delivered, before it says so", async () => {
    const taken: GridEvent[] = [];
    const { ask } = webhook(async (events) => void taken.push(...events));
    expect((await ask([EVENT, CLOUD])).status).toBe(200);
    expect(taken).toEqual([READ, READ]);
  });

  it("wants it again while it cannot be kept", async () => {
    const answer = await webhook(async () => Promise.reject(new Error("no queue"))).ask([EVENT]);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "10"]);
  });

  it("takes nothing from who does not know the secret, in query or header, and no handshake either", async () => {
    const taken: GridEvent[] = [];
    const { ask } = webhook(async (events) => void taken.push(...events));
    const statuses = [
      await ask([EVENT], { path: "/events" }),
      await ask([EVENT], { path: "/events?code=" }),
      await ask([HANDSHAKE], { path: "/events?code=wrong" }),
      await ask([EVENT], { path: "/events", headers: { "x-paircast-events-key": `${SECRET}x` } }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 401]);
    expect(taken).toEqual([]);
    expect((await ask([EVENT], { path: "/events", headers: { "x-paircast-events-key": SECRET } })).status).toBe(200);
    expect(taken).toHaveLength(1);
  });

  it("asks for a token in the place of a secret, or for both, and wants it again where a token cannot be checked", async () => {
    const verdicts: Readonly<Record<string, TokenVerdict>> = { "Bearer good": "good", "Bearer new": "unknown" };
    const tokens = { check: async (authorization: string | null) => verdicts[authorization ?? ""] ?? "bad" };
    const taken: GridEvent[] = [];
    const take = async (events: readonly GridEvent[]): Promise<void> => void taken.push(...events);
    const statuses = async (secret: string | null): Promise<readonly number[]> => {
      const { ask } = webhook(take, { secret, tokens });
      const asked = ["/events", `/events?code=${encodeURIComponent(SECRET)}`].flatMap((path) =>
        [{}, { authorization: "Bearer bad" }, { authorization: "Bearer new" }, { authorization: "Bearer good" }].map(async (headers) =>
          ask([EVENT], { path, headers }),
        ),
      );
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    expect(await statuses(null)).toEqual([401, 401, 503, 200, 401, 401, 503, 200]);
    expect(taken).toHaveLength(2);
    expect(await statuses(SECRET)).toEqual([401, 401, 401, 401, 401, 401, 503, 200]);
    expect(taken).toHaveLength(3);
  });

  it("lets nobody in where nothing is asked for", async () => {
    expect((await webhook(async () => undefined, { secret: null, tokens: null }).ask([EVENT])).status).toBe(401);
  });

  it("refuses what is no delivery", async () => {
    const { ask, app } = webhook();
    const tooLarge = "x".repeat(2 * 1024 * 1024 + 1);
    const statuses = [await ask("{"), await ask("7"), await ask([null]), await ask(tooLarge), await ask([EVENT], { path: "/other" })];
    expect(statuses.map(({ status }) => status)).toEqual([400, 400, 400, 413, 404]);
    expect((await app.fetch(new Request("http://gateway.test/events"))).status).toBe(405);
    expect((await ask([])).status).toBe(200);
  });
});
