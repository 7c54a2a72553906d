/** How many second tries may be under way at once, so that retries and hedges never double the load when every region is slow. Pure. */

/** Of the requests that are under way, this share may have a second try running (Envoy's `retry_budget` has the same default). */
const SHARE = 0.2;
/** Where few requests are under way, a share of them would be none. */
const AT_LEAST = 3;

export class RetryBudget {
  #active = 0;
  #extra = 0;

  /** A request begins, with its first try. */
  begin(): void {
    this.#active += 1;
  }

  end(): void {
    this.#active -= 1;
  }

  /** Takes a place for a further try; false where none is free. */
  take(): boolean {
    if (this.#extra >= Math.max(AT_LEAST, Math.floor(this.#active * SHARE))) return false;
    this.#extra += 1;
    return true;
  }

  /** Gives the place of a further try back. */
  give(): void {
    this.#extra -= 1;
  }
}
