/** A webhook that takes events, after the handshake, and keeps what it was sent. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

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
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<EventReceiver> {
    const late: { receiver: EventReceiver | null } = { receiver: null };
    const server = createServer((req, res) => void late.receiver?.hear(req, res));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      const closed = once(server, "close");
      server.close();
      await closed;
    };
    late.receiver = new EventReceiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, close);
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
    await this.#close();
  }
}
