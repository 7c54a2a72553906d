/** A front of a blob service that shows chosen blobs as the target of a copy under way, which Azurite cannot: its copies end at once. */
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

type CopyStatus = "pending" | "success" | "failed";

export class PendingFront implements AsyncDisposable {
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  /** Path of a blob -> what HEAD requests for it show, one after the other; the last one stays. */
  readonly #shown = new Map<string, CopyStatus[]>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(upstream: string): Promise<PendingFront> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const front = new PendingFront(server);
    server.on("request", (asked, answer) => {
      front.#forward(upstream, asked, answer);
    });
    return front;
  }

  /** `statuses` are shown for the blob at `path` (`/account/container/name`), one per HEAD request, until it is written. */
  show(path: string, ...statuses: CopyStatus[]): void {
    this.#shown.set(path, [...(this.#shown.get(path) ?? []), ...statuses]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #forward(upstream: string, asked: IncomingMessage, answer: ServerResponse): void {
    const target = new URL(asked.url ?? "/", upstream);
    const headers = { ...asked.headers, host: target.host };
    const onward = request(target, { method: asked.method ?? "GET", headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, { ...got.headers, ...this.#status(target.pathname, asked.method ?? "", got) });
      got.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  }

  #status(path: string, method: string, got: IncomingMessage): Readonly<Record<string, string>> {
    if (method === "PUT" && (got.statusCode ?? 500) < 300) this.#shown.delete(path);
    const statuses = this.#shown.get(path);
    if (method !== "HEAD" || statuses === undefined) return {};
    const status = statuses.length > 1 ? statuses.shift() : statuses[0];
    return status === undefined ? {} : { "x-ms-copy-status": status };
  }
}
