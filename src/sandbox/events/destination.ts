/** Where events are delivered to: an HTTP webhook, or a Storage queue. */
import { QueueClient, RestError } from "@azure/storage-queue";
import { request } from "undici";
import type { Clock, Random } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { GridEvent } from "./jobEvents.ts";

export type DestinationAddress =
  /** `headers` are sent with every delivery (delivery properties): for instance a shared secret. */
  | { readonly kind: "webhook"; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  /** URL of the queue with a SAS that may add messages. */
  | { readonly kind: "queue"; readonly url: string };

type Webhook = DestinationAddress & { readonly kind: "webhook" };

interface Chance {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Destination {
  /** Resolves when the other side has taken it; rejects when it may be tried again. */
  deliver(event: GridEvent, signal: AbortSignal): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16_384;

/** The webhook has shown that it wants the events, and the queue is there: `subscription_refused` otherwise. */
export async function openDestination(address: DestinationAddress, topic: string, { clock, random }: Chance): Promise<Destination> {
  if (address.kind === "queue") return openQueue(address.url);
  const eventTime = new Date(clock.now()).toISOString();
  await handshake(address, { topic, eventTime, id: random.uuid(), code: random.uuid() });
  return {
    deliver: async (event, signal) => {
      const { status } = await post(address, "Notification", [event], signal);
      if (status < 200 || status >= 300) throw new PaircastError("event_refused", `the webhook answered ${status}`, { retry: "retry" });
    },
  };
}

/** `data.validationCode` has to come back: nobody is sent events who did not ask for them. */
interface Validation {
  readonly topic: string;
  readonly eventTime: string;
  readonly id: string;
  readonly code: string;
}

async function handshake(address: Webhook, { topic, eventTime, id, code }: Validation): Promise<void> {
  const eventType = "Microsoft.EventGrid.SubscriptionValidationEvent";
  const data = { validationCode: code };
  const event = { id, topic, subject: "", data, eventType, eventTime, metadataVersion: "1", dataVersion: "2" };
  const answer = await post(address, "SubscriptionValidation", [event], null).catch((cause: unknown) => {
    throw new PaircastError("subscription_refused", "the webhook does not answer: start it first", { cause });
  });
  if (answer.status === 200 && validationResponse(answer.text) === code) return;
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
  { url, headers }: Webhook,
  type: string,
  events: readonly object[],
  signal: AbortSignal | null,
): Promise<{ readonly status: number; readonly text: string }> {
  const { statusCode, body } = await request(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json; charset=utf-8", "aeg-event-type": type },
    body: JSON.stringify(events),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    signal,
  });
  let text = "";
  for await (const chunk of body as AsyncIterable<Buffer>) if (text.length < MAX_ANSWER_BYTES) text += chunk.toString("utf8");
  return { status: statusCode, text };
}

async function openQueue(url: string): Promise<Destination> {
  const queue = new QueueClient(url, undefined, { retryOptions: { maxTries: 1, tryTimeoutInMs: TIMEOUT_MS } });
  await queue.getProperties().catch((error: unknown) => {
    // A SAS that may only add messages is enough.
    if (statusOf(error) !== 403)
      throw new PaircastError("subscription_refused", `the queue cannot be reached (${statusOf(error) ?? "no answer"})`);
  });
  return {
    deliver: async (event, abortSignal) => {
      await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString("base64"), { abortSignal }).catch((error: unknown) => {
        // Without its cause, which has the address with the SAS.
        throw new PaircastError("event_refused", `the queue answered ${statusOf(error) ?? "nothing"}`, { retry: "retry" });
      });
    },
  };
}

function statusOf(error: unknown): number | null {
  return error instanceof RestError ? (error.statusCode ?? null) : null;
}
