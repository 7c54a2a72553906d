/** State files of tests, and the connections to them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

/** Gives paths of state files that are not there yet, each in a folder of its own, which goes after the test. To be called once in a file. */
export function stateFiles(): () => string {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "paircast-state-"));
    folders.push(folder);
    return join(folder, "state.db");
  };
}

/** A harness that disposes of all its stores that want it, each once. */
export function closing<Stores extends object>(stores: Stores): Stores & AsyncDisposable {
  const close = async (): Promise<void> => {
    for (const store of new Set(Object.values(stores) as readonly Partial<AsyncDisposable>[])) await store[Symbol.asyncDispose]?.();
  };
  return { ...stores, [Symbol.asyncDispose]: close };
}
