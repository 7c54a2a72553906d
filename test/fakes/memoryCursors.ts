/** Cursors in memory. Keeps the contract of `CursorStore`. */
import type { Cursor, CursorStore } from "../../src/core/ports/cursor.ts";
import { Calls } from "./calls.ts";

export class MemoryCursors implements CursorStore {
  readonly calls = new Calls();
  readonly #cursors = new Map<string, Cursor>();

  async load(scope: string, region: string): Promise<Cursor | null> {
    await this.calls.enter("load", region, "reads");
    return this.#cursors.get(JSON.stringify([scope, region])) ?? null;
  }

  async save(scope: string, region: string, cursor: Cursor): Promise<void> {
    await this.calls.enter("save", region, "writes");
    this.#cursors.set(JSON.stringify([scope, region]), { ...cursor });
  }

  async clear(scope: string, region: string): Promise<void> {
    await this.calls.enter("clear", region, "writes");
    this.#cursors.delete(JSON.stringify([scope, region]));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
