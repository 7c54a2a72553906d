/** The connection of a storage front to Azurite: bodies are streamed both ways. */
import { Agent, request, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * Azurite closes a connection that was idle for the 5 s that it announces. On a busy machine it does so although a request is already there, so
 * none is sent on a connection that was idle until so many milliseconds before.
 */
const SPARED_MS = 4_000;

export class AzuriteLink {
  readonly #agent = new Agent({ keepAlive: true, agentKeepAliveTimeoutBuffer: SPARED_MS });
  readonly #url: URL;

  /** `url` is Azurite's own, `http://127.0.0.1:port`. */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  /**
   * Sends the request of `res` on with these `headers` (names and values in turn, Host included); resolves with the answer, its body unread.
   * Gives up when the client goes away. Not `pipeline`, which would close the client's connection when Azurite answers before it has read the body.
   */
  async forward(res: ServerResponse, headers: readonly string[]): Promise<IncomingMessage> {
    const { req } = res;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { hostname, port } = this.#url;
    const upstream = request({ agent: this.#agent, hostname, port, method: req.method, path: req.url, headers }, (answer) => {
      // Azurite may refuse a body and not read it: what is left is dropped, or the client's next request would wait behind it.
      answer.once("end", () => {
        if (!req.readableEnded) upstream.destroy();
      });
      resolve(answer);
    });
    upstream.on("error", reject);
    upstream.once("close", () => {
      req.unpipe(upstream).resume();
    });
    res.once("close", () => {
      if (!res.writableFinished) upstream.destroy();
    });
    req.pipe(upstream);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
