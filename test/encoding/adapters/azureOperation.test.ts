/** When an operation of the service is looked at again, and that nothing is left waiting behind it. */
import { describe, expect, it } from "vitest";
import { operate, type OperationCall } from "../../../src/encoding/adapters/azureOperation.ts";
import { ManualClock } from "../../fakes/clock.ts";

/** An operation of the SDK's. `looks`: when it was looked at. */
class Running {
  readonly clock = new ManualClock();
  readonly looks: number[] = [];
  readonly stop = new AbortController();
  readonly #endsAt: number;
  readonly #retryAfter: string | undefined;

  constructor({ endsAt, retryAfter }: { readonly endsAt: number; readonly retryAfter?: string }) {
    this.#endsAt = endsAt;
    this.#retryAfter = retryAfter;
  }

  operate(): Promise<void> {
    return operate(
      async (call) => {
        await this.#answer(call);
        return { isDone: () => this.clock.monotonic() >= this.#endsAt, poll: async () => this.#answer(call) };
      },
      { clock: this.clock, pollMs: 2_000, signal: this.stop.signal },
    );
  }

  async #answer({ onResponse }: OperationCall): Promise<void> {
    this.looks.push(this.clock.monotonic());
    onResponse({ headers: { get: (name) => (name === "retry-after" ? this.#retryAfter : undefined) } });
    await Promise.resolve();
  }
}

describe("an operation that goes on in the service", () => {
  it("is looked at ever more seldom, up to the longest pause, and waits for nothing after its end", async () => {
    const running = new Running({ endsAt: 6_000 });
    const done = running.operate();
    await running.clock.advance(8_000);
    await done;
    const pauses = running.looks.slice(1).map((look, at) => Math.round(look - (running.looks[at] ?? 0)));
    expect(pauses).toEqual([250, 375, 563, 844, 1_266, 1_898, 2_000]);
    expect(running.clock.pendingTimers).toBe(0);
  });

  it("is asked for no sooner than the service says", async () => {
    const running = new Running({ endsAt: 10_000, retryAfter: "5" });
    const done = running.operate();
    await running.clock.advance(10_000);
    await done;
    expect(running.looks).toEqual([0, 5_000, 10_000]);
  });

  it("is let go at once when the signal aborts", async () => {
    const running = new Running({ endsAt: Infinity, retryAfter: "3600" });
    const done = running.operate();
    await running.clock.advance(1_000);
    running.stop.abort();
    await expect(done).rejects.toMatchObject({ name: "AbortError" });
    expect([running.looks, running.clock.pendingTimers]).toEqual([[0], 0]);
  });

  it("that is done with its first answer is not looked at again", async () => {
    const running = new Running({ endsAt: 0 });
    await running.operate();
    expect(running.looks).toEqual([0]);
  });
});
