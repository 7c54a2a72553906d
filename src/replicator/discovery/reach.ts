/** Which regions answered when they were asked for their lists. Whoever needs a region waits until that is known. */

export class Reach {
  readonly #answers: ReadonlyMap<string, PromiseWithResolvers<boolean>>;
  readonly #answered = new Set<string>();
  readonly #lost = new Set<string>();

  constructor(regions: Iterable<string>) {
    this.#answers = new Map([...regions].map((region) => [region, Promise.withResolvers<boolean>()]));
  }

  /** Resolves once it is known; false for a region that nobody asks. */
  async isReachable(region: string): Promise<boolean> {
    return (await (this.#answers.get(region)?.promise ?? false)) && !this.#lost.has(region);
  }

  /** Whether it is known already that the region does not answer. */
  isLost(region: string): boolean {
    return this.#lost.has(region);
  }

  answered(region: string): void {
    this.#answered.add(region);
    this.#answers.get(region)?.resolve(true);
  }

  lost(region: string): void {
    this.#lost.add(region);
    this.#answers.get(region)?.resolve(false);
  }

  /** Regions of which it is not known yet. */
  get unanswered(): readonly string[] {
    return [...this.#answers.keys()].filter((region) => !this.#answered.has(region) && !this.#lost.has(region));
  }

  get unreachable(): readonly string[] {
    return [...this.#lost];
  }
}
