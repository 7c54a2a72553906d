/** A work queue in memory. Keeps the contract of `WorkQueue`. */
import type { Clock } from "../../src/core/clock.ts";
import type { DeadLetter, WorkItem, WorkQueue } from "../../src/core/ports/work.ts";
import { checkWork, exhausted, workLost } from "../../src/replicator/workLimits.ts";
import { Calls } from "./calls.ts";

interface Work {
  readonly id: string;
  readonly body: string;
  readonly putAt: number;
  takes: number;
  visibleAt: number;
}

export class MemoryWorkQueue implements WorkQueue {
  readonly calls = new Calls();
  readonly #clock: Clock;
  readonly #maxTakes: number;
  readonly #work = new Map<string, Work>();
  /** Oldest burial first. */
  #letters: DeadLetter[] = [];
  #count = 0;

  constructor(clock: Clock, maxTakes: number) {
    this.#clock = clock;
    this.#maxTakes = maxTakes;
  }

  async put(body: string, delayMs = 0): Promise<void> {
    await this.calls.enter("put", body, "writes");
    checkWork(body, delayMs);
    this.#count += 1;
    const id = String(this.#count);
    const now = this.#clock.now();
    this.#work.set(id, { id, body, putAt: now, takes: 0, visibleAt: now + delayMs });
  }

  async take(leaseMs: number): Promise<WorkItem | null> {
    await this.calls.enter("take", "*", "writes");
    const now = this.#clock.now();
    for (const work of [...this.#work.values()].filter(({ visibleAt }) => visibleAt <= now)) {
      if (work.takes < this.#maxTakes) return this.#give(work, now + leaseMs);
      this.#bury(work, exhausted(this.#maxTakes));
    }
    return null;
  }

  async renew(item: WorkItem, leaseMs: number): Promise<WorkItem> {
    await this.calls.enter("renew", item.body, "writes");
    this.#ours(item).visibleAt = this.#clock.now() + leaseMs;
    return item;
  }

  async complete(item: WorkItem): Promise<void> {
    await this.calls.enter("complete", item.body, "writes");
    this.#work.delete(this.#ours(item).id);
  }

  async release(item: WorkItem, delayMs = 0): Promise<void> {
    await this.calls.enter("release", item.body, "writes");
    this.#ours(item).visibleAt = this.#clock.now() + delayMs;
  }

  async bury(item: WorkItem, reason: string): Promise<void> {
    await this.calls.enter("bury", item.body, "writes");
    this.#bury(this.#ours(item), reason);
  }

  async pending(): Promise<number> {
    return this.#work.size;
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const newest = this.#letters.toSorted((one, other) => other.putAt - one.putAt || Number(other.id) - Number(one.id));
    return newest.slice(0, limit);
  }

  async replay(id: string): Promise<boolean> {
    const letter = this.#letters.find((each) => each.id === id);
    if (letter === undefined) return false;
    this.#letters = this.#letters.filter((each) => each !== letter);
    await this.put(letter.body);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #give(work: Work, visibleAt: number): WorkItem {
    work.takes += 1;
    work.visibleAt = visibleAt;
    return { id: work.id, body: work.body, takes: work.takes, receipt: `${work.id}/${work.takes}` };
  }

  #bury({ id, body, takes, putAt }: Work, reason: string): void {
    this.#work.delete(id);
    this.#letters.push({ id, body, takes, reason, putAt });
  }

  #ours(item: WorkItem): Work {
    const work = this.#work.get(item.id);
    if (work === undefined || work.takes !== item.takes) throw workLost(item);
    return work;
  }
}
