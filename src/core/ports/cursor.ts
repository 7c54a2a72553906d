/** How far a region's publications have been looked through. */
export interface Cursor {
  /** When the look began, epoch milliseconds: what was done since then was done for it. */
  readonly startedAt: number;
  /** Where the list goes on, in the words of the region's service. */
  readonly place: string;
  /** Pages before that place. */
  readonly pages: number;
}

/**
 * Remembers how far long looks through regions have come, so that a crash in the middle of a million costs a page.
 * - `scope` names the look, for instance its sources and targets; another scope is another look. Any text.
 * - `save` replaces, and what was saved survives a crash. `clear` forgets, and ignores what is not there.
 * - Cursors may be lost: the look begins again then.
 */
export interface CursorStore extends AsyncDisposable {
  load(scope: string, region: string): Promise<Cursor | null>;
  save(scope: string, region: string, cursor: Cursor): Promise<void>;
  clear(scope: string, region: string): Promise<void>;
}
