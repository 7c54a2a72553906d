/** An operator's word on deletions: it is meant, it is to stay, or neither. */
import { errorCode } from "../../core/errors.ts";
import type { Deletion, DeletionStore } from "../../core/ports/deletions.ts";
import type { Log } from "../../core/log.ts";

const TRIES = 5;

export interface Said {
  /** Deletions that carry the word now. */
  readonly said: readonly Deletion[];
  /** Names that no open deletion has. */
  readonly unknown: readonly string[];
}

/** `names` are assets, locator ids, or ids of deletions; of all their targets. What is done, or was begun, is past any word. */
export async function say(
  { deletions, log }: { readonly deletions: DeletionStore; readonly log: Log },
  names: readonly string[],
  word: Deletion["word"],
): Promise<Said> {
  const said: Deletion[] = [];
  const known = new Set<string>();
  for await (const { deletion } of deletions.list()) {
    const name = names.find((each) => isNamed(deletion, each));
    if (name === undefined) continue;
    const next = await saidOf(deletions, deletion.id, word);
    if (next === null) continue;
    known.add(name);
    said.push(next);
    log.info("deletion.word", { id: next.id, asset: next.assetName, word });
  }
  return { said, unknown: names.filter((name) => !known.has(name)) };
}

function isNamed({ id, assetName, locatorId }: Deletion, name: string): boolean {
  return name === assetName || name.toLowerCase() === locatorId || name.toLowerCase() === id.toLowerCase();
}

/** Null where nothing can be said of it any more. */
async function saidOf(store: DeletionStore, id: string, word: Deletion["word"]): Promise<Deletion | null> {
  for (let attempt = 1; ; attempt += 1) {
    const stored = await store.get(id);
    if (stored === null || stored.deletion.state === "done" || stored.deletion.state === "deleting") return null;
    const next = { ...stored.deletion, word };
    try {
      await store.put(next, stored.version);
      return next;
    } catch (error) {
      if (errorCode(error) !== "deletion_conflict" || attempt >= TRIES) throw error;
    }
  }
}
