/** How far a look through everything has come, kept such that the next process goes on there. Cursors that cannot be kept are no reason to fail. */
import { errorChain, errorCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Cursor, CursorStore } from "../../core/ports/cursor.ts";
import { FIRST_PAGE, type PageMark } from "./sweep.ts";

/** What was begun longer ago is begun anew. */
const LIFE_MS = 7 * 86_400_000;

export interface ProgressOptions {
  readonly cursors: CursorStore;
  readonly log: Log;
  /** Names the look: its sources and targets. */
  readonly scope: string;
  readonly now: number;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #found: ReadonlyMap<string, Cursor>;
  readonly #marks = new Map<string, PageMark[]>();
  readonly #saved = new Map<string, number>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: ProgressOptions, found: ReadonlyMap<string, Cursor>) {
    this.#options = options;
    this.#found = found;
  }

  /** Reads where the regions were left. */
  static async of(options: ProgressOptions, regions: readonly string[]): Promise<Progress> {
    const { cursors, log, scope, now } = options;
    const found = new Map<string, Cursor>();
    for (const region of regions) {
      const cursor = await cursors.load(scope, region).catch((error: unknown) => {
        log.warn("replication.cursor_unreadable", { region, code: errorCode(error), error: errorChain(error) });
        return null;
      });
      if (cursor === null || cursor.startedAt > now || now - cursor.startedAt > LIFE_MS) continue;
      found.set(region, cursor);
      log.info("replication.resumed", { region, pages: cursor.pages, startedAt: cursor.startedAt });
    }
    return new Progress(options, found);
  }

  /** When the look began: what was done since then is done. */
  get since(): number {
    return Math.min(this.#options.now, ...[...this.#found.values()].map(({ startedAt }) => startedAt));
  }

  from(region: string): PageMark {
    const cursor = this.#found.get(region);
    return cursor === undefined ? FIRST_PAGE : { number: cursor.pages, place: cursor.place };
  }

  /** The list goes on at `mark`. */
  reached(region: string, mark: PageMark): void {
    const marks = this.#marks.get(region) ?? [];
    this.#marks.set(region, marks);
    marks[mark.number] = mark;
  }

  /** Where the page begins; the beginning of the list where that is not known. */
  markOf(region: string, page: number): PageMark {
    return this.#marks.get(region)?.[page] ?? (this.from(region).number === page ? this.from(region) : FIRST_PAGE);
  }

  /** Everything before the page is done. Written one after the other, behind the caller's back. */
  done(region: string, page: number): void {
    const { cursors, scope } = this.#options;
    const { place } = this.markOf(region, page);
    if (place === null || page <= (this.#saved.get(region) ?? this.from(region).number)) return;
    this.#saved.set(region, page);
    const cursor = { startedAt: this.since, place, pages: page };
    this.#write(region, async () => cursors.save(scope, region, cursor));
  }

  /** The end of the list was reached, and everything is done. */
  ended(region: string): void {
    const { cursors, scope } = this.#options;
    if (this.#found.has(region) || this.#saved.has(region)) this.#write(region, async () => cursors.clear(scope, region));
  }

  /** Resolves when everything is written. */
  async settled(): Promise<void> {
    return this.#writing;
  }

  #write(region: string, write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#options.log.warn("replication.cursor_unwritten", { region, code: errorCode(error), error: errorChain(error) });
    });
  }
}
