/** Tells when files may have changed. Their folders are watched, because editors and orchestrators replace files instead of writing them. */
import { realpathSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "../clock.ts";

export interface FileWatchOptions {
  readonly clock: Clock;
  /** Events that come closer together than this, in milliseconds, are one change. */
  readonly settleMs: number;
  /** Called once things have settled; the files may also be what they were. */
  readonly onChange: () => void;
  /** A folder cannot be watched, or no longer. */
  readonly onProblem: (folder: string, error: unknown) => void;
}

export class FileWatch implements Disposable {
  readonly #options: FileWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #names = new Set<string>();
  #settling: AbortController | null = null;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Watches these files (absolute paths) from now on, and no others. */
  follow(files: readonly string[]): void {
    if (this.#closed) return;
    const places = files.flatMap((file) => [file, target(file)]);
    this.#names = new Set(places.map((place) => basename(place)));
    const folders = new Set(places.map((place) => dirname(place)));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#settling?.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #open(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || this.#concerns(name)) this.#settle();
      });
      watcher.on("error", (error) => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#options.onProblem(folder, error);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#options.onProblem(folder, error);
    }
  }

  /** The state file lies in the same folder as often as not. Kubernetes exchanges a link named `..data` and leaves the files' own links alone. */
  #concerns(name: string): boolean {
    return this.#names.has(name) || name.startsWith("..");
  }

  /** Every event begins the wait anew: a file that is being written is not looked at. */
  #settle(): void {
    this.#settling?.abort();
    const settling = new AbortController();
    this.#settling = settling;
    const { clock, settleMs, onChange } = this.#options;
    clock.sleep(settleMs, settling.signal).then(onChange, () => undefined);
  }
}

/** Where a link leads, so that a change at its end is seen too. */
function target(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
