/** Entities by name. ARM names are compared without regard to case and kept as first written. */
export class NamedMap<T extends { readonly name: string }> {
  readonly #entries = new Map<string, T>();

  get(name: string): T | undefined {
    return this.#entries.get(name.toLowerCase());
  }

  set(entry: T): void {
    this.#entries.set(entry.name.toLowerCase(), entry);
  }

  delete(name: string): boolean {
    return this.#entries.delete(name.toLowerCase());
  }

  clear(): void {
    this.#entries.clear();
  }

  values(): T[] {
    return [...this.#entries.values()];
  }
}
