/** The address to which Event Grid delivers: handshakes of both schemas, who may send, and no success before the events are kept. */
import { createHash, timingSafeEqual } from "node:crypto";
import { errorChain, errorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { deliveryOf, type Delivery, type GridEvent } from "./envelope.ts";
import type { SenderTokens } from "./senderTokens.ts";

export interface WebhookOptions {
  /** Path of the endpoint, starting with `/`. */
  readonly path: string;
  /** In the query as `code`, or in the header `x-paircast-events-key`; null: none is asked for. Then `tokens` is not null. */
  readonly secret: string | null;
  /** What else is asked for; null: nothing. */
  readonly tokens: Pick<SenderTokens, "check"> | null;
  /** Keeps what was delivered. While it rejects, Event Grid delivers again. */
  readonly take: (events: readonly GridEvent[]) => Promise<void>;
  readonly log: Log;
}

/** Event Grid sends batches of at most 1 MiB. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;
const SECRET_HEADER = "x-paircast-events-key";

/** Never rejects. Not even the path of an endpoint is told to who does not know it. */
export class EventWebhook {
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    if (url.pathname !== this.#options.path) return answer(404, "unknown_path");
    if (request.method === "OPTIONS") return handshake(request);
    if (request.method !== "POST") return answer(405, "method", { allow: "OPTIONS, POST" });
    return (await this.#refusal(request, url)) ?? this.#deliver(request);
  };

  /** Of what is not let in; null: it is. Event Grid gives up what is answered with 401, and comes again for what could not be checked. */
  async #refusal(request: Request, url: URL): Promise<Response | null> {
    const { secret, tokens } = this.#options;
    const given = request.headers.get(SECRET_HEADER) ?? url.searchParams.get("code");
    if (secret === null ? tokens === null : given === null || !equal(given, secret)) return answer(401, "unauthorized");
    const verdict = (await tokens?.check(request.headers.get("authorization"))) ?? "good";
    if (verdict === "good") return null;
    return verdict === "bad" ? answer(401, "unauthorized") : answer(503, "unverifiable", { "retry-after": "30" });
  }

  async #deliver(request: Request): Promise<Response> {
    const { log } = this.#options;
    const body = await bodyOf(request);
    if (body === "too large") return answer(413, "body_too_large");
    const delivery = body === null ? null : deliveryOf(body.json);
    if (delivery === null || isNothing(delivery)) {
      log.warn("events.malformed", { bytes: Number(request.headers.get("content-length") ?? 0) });
      return answer(400, "malformed");
    }
    if (delivery.kind === "validation") {
      log.info("events.subscribed", { schema: "EventGrid" });
      return Response.json({ validationResponse: delivery.code });
    }
    return this.#keep(delivery);
  }

  /** What cannot be read is no better the next time: it is not asked for again. */
  async #keep({ events, malformed }: Extract<Delivery, { kind: "events" }>): Promise<Response> {
    const { log, take } = this.#options;
    if (malformed > 0) log.warn("events.malformed", { count: malformed });
    try {
      await take(events);
      return answer(200, "kept");
    } catch (error) {
      log.error("events.not_kept", { count: events.length, code: errorCode(error), error: errorChain(error) });
      return answer(503, "not_kept", { "retry-after": "10" });
    }
  }
}

function isNothing(delivery: Delivery): boolean {
  return delivery.kind === "events" && delivery.events.length === 0 && delivery.malformed > 0;
}

/**
 * Before it delivers CloudEvents, the service asks whether it may. There is nothing to protect: what it then sends has to have the secret.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 */
function handshake(request: Request): Response {
  const origin = request.headers.get("webhook-request-origin");
  if (origin === null || !/^[A-Za-z0-9.:-]{1,255}$/.test(origin)) return answer(400, "no_origin");
  return new Response(null, {
    status: 200,
    headers: { "webhook-allowed-origin": origin, "webhook-allowed-rate": "*", allow: "OPTIONS, POST" },
  });
}

async function bodyOf(request: Request): Promise<{ readonly json: unknown } | "too large" | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > MAX_BODY_BYTES) return "too large";
    parts.push(part);
  }
  try {
    return { json: JSON.parse(Buffer.concat(parts).toString("utf8")) };
  } catch {
    return null;
  }
}

/** Digests have one length, so the comparison tells nothing of the secret's own. */
function equal(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function answer(status: number, result: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ result }, { status, headers });
}
