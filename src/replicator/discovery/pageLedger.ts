/** Which pages of a list have jobs that are not done yet: what must not be passed over when the list is taken up again. Pure. */

export class PageLedger {
  readonly #open = new Map<number, number>();
  readonly #held = new Set<number>();

  /** A job of this page is waiting or under way. */
  begun(page: number): void {
    this.#open.set(page, (this.#open.get(page) ?? 0) + 1);
  }

  /** True where that was the last one of the page. */
  ended(page: number): boolean {
    const left = (this.#open.get(page) ?? 0) - 1;
    if (left > 0) this.#open.set(page, left);
    else this.#open.delete(page);
    return left <= 0;
  }

  /** There was no room for a job of this page: the page must be read again. */
  hold(page: number): void {
    this.#held.add(page);
  }

  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  /** The pages are about to be read again. */
  release(): void {
    this.#held.clear();
  }

  /** The first page that is not done with; Infinity where there is none. */
  get low(): number {
    let low = Number.POSITIVE_INFINITY;
    for (const page of this.#open.keys()) low = Math.min(low, page);
    for (const page of this.#held) low = Math.min(low, page);
    return low;
  }
}
