/** Counts the calls that a fake received, and makes chosen ones fail. */
export interface Call {
  readonly operation: string;
  /** What it was about: a blob, an asset, a policy, a locator. */
  readonly subject: string;
  readonly mutating: boolean;
}

interface Failure {
  readonly operation: string;
  /** Calls to let through first; null fails every one. */
  remaining: number | null;
  readonly error: Error;
}

export class Calls {
  #calls: Call[] = [];
  #failures: Failure[] = [];
  /** Runs before each call, for instance to abort a run in the middle. What it throws, the call throws. */
  onCall: ((call: Call) => void | Promise<void>) | null = null;

  /** All calls since the last `reset`, oldest first. */
  get all(): readonly Call[] {
    return this.#calls;
  }

  /** Calls that write. Attempts count: a second run that changes nothing has none. */
  get mutations(): readonly Call[] {
    return this.#calls.filter((call) => call.mutating);
  }

  count(operation: string): number {
    return this.#calls.filter((call) => call.operation === operation).length;
  }

  reset(): void {
    this.#calls = [];
  }

  /** The nth call of `operation` from now on (1 is the next) fails with `error`; once. */
  failNth(operation: string, nth: number, error: Error): void {
    this.#failures.push({ operation, remaining: nth - 1, error });
  }

  /** Every call of `operation` (`*`: of any) fails until `heal`. */
  failAll(operation: string, error: Error): void {
    this.#failures.push({ operation, remaining: null, error });
  }

  heal(): void {
    this.#failures = [];
  }

  /** For the fake: records a call, then throws what was planned for it. */
  async enter(operation: string, subject: string, kind: "reads" | "writes"): Promise<void> {
    const call = { operation, subject, mutating: kind === "writes" };
    this.#calls.push(call);
    await this.onCall?.(call);
    const planned = this.#due(operation);
    if (planned !== undefined) throw planned;
  }

  #due(operation: string): Error | undefined {
    let due: Error | undefined;
    for (const failure of this.#failures.filter((planned) => planned.operation === operation || planned.operation === "*")) {
      if (failure.remaining === null) due ??= failure.error;
      else if (failure.remaining === 0) {
        due ??= failure.error;
        this.#failures = this.#failures.filter((planned) => planned !== failure);
      } else failure.remaining -= 1;
    }
    return due;
  }
}
