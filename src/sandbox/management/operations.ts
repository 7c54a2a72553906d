/** The long-running operations of an account's resources. No timers: an operation that is due has happened when anybody looks. */
import type { Clock, Random } from "../../core/clock.ts";

/** What is known of every operation, whatever it is about. */
export interface Operation {
  readonly id: string;
  /** On the monotonic clock. */
  readonly dueAt: number;
  done: boolean;
}

export interface OperationsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long each takes. */
  readonly operationMs: number;
}

export class Operations<About extends object> {
  readonly #options: OperationsOptions;
  readonly #all = new Map<string, About & Operation>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  get(id: string): (About & Operation) | undefined {
    return this.#all.get(id);
  }

  begin(about: About): About & Operation {
    const { clock, random, operationMs } = this.#options;
    const operation = { ...about, id: random.uuid(), dueAt: clock.monotonic() + operationMs, done: false };
    this.#all.set(operation.id, operation);
    return operation;
  }

  /** Calls `happen` once for each that has become due. */
  settle(happen: (operation: About & Operation) => void): void {
    const now = this.#options.clock.monotonic();
    for (const operation of this.#all.values()) {
      if (operation.done || operation.dueAt > now) continue;
      operation.done = true;
      happen(operation);
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
