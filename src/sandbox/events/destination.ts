/** Where events are delivered to: an HTTP webhook, or a Storage queue. */
import { QueueClient } from "@azure/storage-queue";
import { request } from "undici";
import type { Random } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { GridEvent } from "./jobEvents.ts";

export type DestinationAddress =
  /** `headers` are sent with every delivery (delivery properties): for instance a shared secret. */
  | { readonly kind: "webhook"; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  /** URL of the queue with a SAS that may add messages. */
  | { readonly kind: "queue"; readonly url: string };

export interface Destination {
  /** Resolves when the other side has taken it; rejects when it may be tried again. */
  deliver(event: GridEvent): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16_384;

/** The webhook has shown that it wants the events, and the queue is there: `subscription_refused` otherwise. */
export async function openDestination(address: DestinationAddress, topic: string, random: Random): Promise<Destination> {
  if (address.kind === "queue") return openQueue(address.url);
  await handshake(address, topic, random);
  return {
    deliver: async (event) => {
      const status = await post(address, "Notification", [event]).then((answer) => answer.status);
      if (status < 200 || status >= 300) throw new PaircastError("event_refused", `the webhook answered ${status}`, { retry: "retry" });
    },
  };
}

/** `data.validationCode` has to come back: nobody is sent events who did not ask for them. */
async function handshake(address: DestinationAddress & { readonly kind: "webhook" }, topic: string, random: Random): Promise<void> {
  const validationCode = random.uuid();
  const event = {
    id: random.uuid(),
    topic,
    subject: "",
    data: { validationCode },
    eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
    eventTime: "2020-01-01T00:00:00.0000000Z",
    metadataVersion: "1",
    dataVersion: "2",
  };
  const answer = await post(address, "SubscriptionValidation", [event]).catch((cause: unknown) => {
    throw new PaircastError("subscription_refused", "the webhook does not answer: start it first", { cause });
  });
  if (answer.status === 200 && validationResponse(answer.text) === validationCode) return;
  throw new PaircastError(
    "subscription_refused",
    `the webhook answered ${answer.status} and not the validation code: it must answer 200 with {"validationResponse": data.validationCode}`,
  );
}

function validationResponse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "validationResponse" in body ? body.validationResponse : null;
  } catch {
    return null;
  }
}

async function post(
  { url, headers }: DestinationAddress & { readonly kind: "webhook" },
  type: string,
  events: readonly object[],
): Promise<{ readonly status: number; readonly text: string }> {
  const { statusCode, body } = await request(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json; charset=utf-8", "aeg-event-type": type },
    body: JSON.stringify(events),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  let text = "";
  for await (const chunk of body as AsyncIterable<Buffer>) if (text.length < MAX_ANSWER_BYTES) text += chunk.toString("utf8");
  return { status: statusCode, text };
}

async function openQueue(url: string): Promise<Destination> {
  const queue = new QueueClient(url, undefined, { retryOptions: { maxTries: 1, tryTimeoutInMs: TIMEOUT_MS } });
  return {
    deliver: async (event) => {
      await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString("base64"));
    },
  };
}
