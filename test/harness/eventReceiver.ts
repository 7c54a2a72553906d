/** A webhook that takes events, after the handshake, and keeps what it was sent. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { startHttpServer, type HttpServer } from "./httpServer.ts";

export interface ReceivedEvent {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class EventReceiver implements AsyncDisposable {
  readonly url: string;
  readonly events: ReceivedEvent[] = [];
  /** Headers of the last delivery. */
  headers: IncomingMessage["headers"] = {};
  /** Handshakes that were answered. */
  handshakes = 0;
  /** Answers this instead of taking deliveries; 200 takes them. */
  status = 200;
  readonly #server: HttpServer;

  private constructor(server: HttpServer) {
    this.url = `${server.url}/events`;
    this.#server = server;
  }

  static async start(): Promise<EventReceiver> {
    const late: { receiver: EventReceiver | null } = { receiver: null };
    late.receiver = new EventReceiver(await startHttpServer((req, res) => void late.receiver?.hear(req, res)));
    return late.receiver;
  }

  async hear(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const events = JSON.parse((await buffer(req)).toString("utf8")) as ReceivedEvent[];
    this.headers = req.headers;
    if (req.headers["aeg-event-type"] === "SubscriptionValidation") {
      this.handshakes += 1;
      res.end(JSON.stringify({ validationResponse: events[0]?.data["validationCode"] }));
      return;
    }
    if (this.status === 200) this.events.push(...events);
    res.writeHead(this.status).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
