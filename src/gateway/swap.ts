/** An application that can be exchanged for another while its listener stays open. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FetchApp } from "./server.ts";

/** One application in its time behind the listener, and what it still owes. */
class Tenure {
  readonly app: FetchApp;
  #owed = 0;
  readonly #settled = Promise.withResolvers<void>();
  #over = false;

  constructor(app: FetchApp) {
    this.app = app;
  }

  /** An answer that `answerNow` has begun and not ended. */
  begun(outgoing: ServerResponse): void {
    this.#owed += 1;
    outgoing.once("close", () => {
      this.#owed -= 1;
      this.#settle();
    });
  }

  /** What is answered at once is owed to nobody: only promises are counted. */
  async follow(answer: Promise<Response>): Promise<Response> {
    this.#owed += 1;
    try {
      return await answer;
    } finally {
      this.#owed -= 1;
      this.#settle();
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    this.#settle();
    return this.#settled.promise;
  }

  #settle(): void {
    if (this.#over && this.#owed === 0) this.#settled.resolve();
  }
}

export class SwappableApp implements FetchApp {
  #tenure: Tenure;

  constructor(app: FetchApp) {
    this.#tenure = new Tenure(app);
  }

  fetch(request: Request, bindings: object): Response | Promise<Response> {
    const tenure = this.#tenure;
    const answer = tenure.app.fetch(request, bindings);
    return answer instanceof Promise ? tenure.follow(answer) : answer;
  }

  answerNow(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const tenure = this.#tenure;
    const answered = tenure.app.answerNow?.(incoming, outgoing) ?? false;
    if (answered && !outgoing.writableEnded) tenure.begun(outgoing);
    return answered;
  }

  /** New requests go to `app` from now on. Resolves when the former application has answered what it was asked. */
  async swap(app: FetchApp): Promise<void> {
    const former = this.#tenure;
    this.#tenure = new Tenure(app);
    await former.end();
  }
}
