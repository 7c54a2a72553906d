/** Work under way: so much at a time, and what is left of it when all is to stop. */
export class Crowd {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();

  constructor(most: number) {
    this.#most = most;
  }

  get room(): number {
    return this.#most - this.#running.size;
  }

  /** `work` never rejects. */
  add(work: Promise<void>): void {
    const entry = work.finally(() => this.#running.delete(entry));
    this.#running.add(entry);
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
