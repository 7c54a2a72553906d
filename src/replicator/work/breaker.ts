/** Which ways between regions are closed: several jobs in a row have failed with what may pass. Pure. */

const FAILURES = 3;
/** For so long nothing is tried; then one job is. */
const CLOSED_MS = 60_000;

interface Way {
  failures: number;
  closedUntil: number;
}

export class WayBreaker {
  readonly #ways = new Map<string, Way>();

  isClosed(source: string, target: string, now: number): boolean {
    const way = this.#ways.get(key(source, target));
    return way !== undefined && way.failures >= FAILURES && now < way.closedUntil;
  }

  /** True where that has closed the way. */
  failed(source: string, target: string, now: number): boolean {
    const way = this.#ways.get(key(source, target)) ?? { failures: 0, closedUntil: 0 };
    this.#ways.set(key(source, target), way);
    way.failures += 1;
    if (way.failures < FAILURES) return false;
    way.closedUntil = now + CLOSED_MS;
    return true;
  }

  worked(source: string, target: string): void {
    this.#ways.delete(key(source, target));
  }
}

function key(source: string, target: string): string {
  return `${source}->${target}`;
}
