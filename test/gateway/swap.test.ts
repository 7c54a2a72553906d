import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { FetchApp } from "../../src/gateway/server.ts";
import { SwappableApp } from "../../src/gateway/swap.ts";

const REQUEST = new Request("http://gateway/");

function answering(text: string): FetchApp {
  return { fetch: () => new Response(text) };
}

async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return done;
}

describe("a swapped application", () => {
  it("gets no new request", async () => {
    const app = new SwappableApp(answering("first"));
    expect(await (await app.fetch(REQUEST, {})).text()).toBe("first");
    expect(await settled(app.swap(answering("second")))).toBe(true);
    expect(await (await app.fetch(REQUEST, {})).text()).toBe("second");
  });

  it("answers what it was asked before, and is waited for", async () => {
    const late = Promise.withResolvers<Response>();
    const app = new SwappableApp({ fetch: () => late.promise });
    const answer = app.fetch(REQUEST, {});
    const over = app.swap(answering("second"));
    expect(await settled(over)).toBe(false);
    late.resolve(new Response("first, late"));
    expect(await (await answer).text()).toBe("first, late");
    expect(await settled(over)).toBe(true);
  });

  it("is over too when what it was asked has failed", async () => {
    const late = Promise.withResolvers<Response>();
    const app = new SwappableApp({ fetch: () => late.promise });
    const answer = app.fetch(REQUEST, {});
    const over = app.swap(answering("second"));
    late.reject(new Error("broken"));
    await expect(answer).rejects.toThrow("broken");
    expect(await settled(over)).toBe(true);
  });

  it("is waited for where it answers on the socket, until that has closed", async () => {
    const outgoing = Object.assign(new EventEmitter(), { writableEnded: false });
    const app = new SwappableApp({ ...answering("first"), answerNow: () => true });
    const incoming = {} as IncomingMessage;
    expect(app.answerNow(incoming, outgoing as unknown as ServerResponse)).toBe(true);
    const over = app.swap(answering("second"));
    expect(app.answerNow(incoming, outgoing as unknown as ServerResponse)).toBe(false);
    expect(await settled(over)).toBe(false);
    outgoing.emit("close");
    expect(await settled(over)).toBe(true);
  });

  it("owes nothing for what it has answered at once", async () => {
    const outgoing = Object.assign(new EventEmitter(), { writableEnded: true });
    const app = new SwappableApp({ ...answering("first"), answerNow: () => true });
    app.answerNow({} as IncomingMessage, outgoing as unknown as ServerResponse);
    expect(outgoing.listenerCount("close")).toBe(0);
    expect(await settled(app.swap(answering("second")))).toBe(true);
  });
});
