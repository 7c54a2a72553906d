/** A TCP port that can be given up and taken back: nothing listens in between, and it stays the same number. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";

export interface PortOptions {
  /** For errors: whose port it is. */
  readonly label: string;
  readonly host: string;
  /** 0 for any free one at the first `open`. */
  readonly port: number;
  readonly accept: (socket: Socket) => void;
  readonly clock: Clock;
}

const RETAKE_TIMEOUT_MS = 5000;
const RETAKE_INTERVAL_MS = 50;

export class Port {
  readonly #options: PortOptions;
  readonly #server: Server;
  #number: number;
  #opened = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: PortOptions) {
    this.#options = options;
    this.#number = options.port;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, options.accept);
  }

  get number(): number {
    return this.#number;
  }

  /** Listens; nothing happens when it does already. Throws `port_taken`. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    await this.#closing;
    using limit = this.#options.clock.deadline(RETAKE_TIMEOUT_MS);
    for (;;) {
      try {
        await this.#bind();
        return;
      } catch (cause) {
        if (!this.#opened || limit.signal.aborted) throw this.#taken(cause);
        // Somebody's outgoing connection was given the number meanwhile; it soon goes away.
        await this.#options.clock.sleep(RETAKE_INTERVAL_MS);
      }
    }
  }

  /** Listens no more, from the moment of the call; resolves when the connections that it accepted have ended too. */
  async close(): Promise<void> {
    if (this.#server.listening) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#closing = promise;
      this.#server.close(() => {
        resolve();
      });
    }
    await this.#closing;
  }

  async #bind(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(this.#number, this.#options.host, () => {
      this.#server.off("error", reject);
      resolve();
    });
    await promise;
    this.#opened = true;
    this.#number = (this.#server.address() as AddressInfo).port;
  }

  #taken(cause: unknown): PaircastError {
    const { label, host } = this.#options;
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    const message = `${label} cannot listen on ${host}:${this.#number}${code}: end what uses the port, or choose another`;
    return new PaircastError("port_taken", message, { cause });
  }
}
