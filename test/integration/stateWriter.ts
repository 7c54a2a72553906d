/** A process that writes to a state file and says each time that a write has returned. Arguments: file, `count` or `endless`, name. */
import { errorCode } from "../../src/core/errors.ts";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import { SqliteJournal } from "../../src/replicator/sqlite/journal.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";

const [path = "", mode = "", name = ""] = process.argv.slice(2);
const catalogue = new SqliteCatalogue(path);
const journal = new SqliteJournal(path);

/** Resolves once the message has left. */
function told(value: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(value, undefined, undefined, () => resolve());
  return promise;
}

/** Adds one to the shared entry, again when another process was faster. */
async function increment(): Promise<void> {
  for (;;) {
    const stored = await catalogue.get("shared");
    const regions = { ...stored?.entry.regions, [name]: { state: "verified", at: 1, detail: name } } as const;
    try {
      await catalogue.put(
        catalogueEntry("shared", { regions, publishedAt: (stored?.entry.publishedAt ?? 0) + 1 }),
        stored?.version ?? null,
      );
      return;
    } catch (error) {
      if (errorCode(error) !== "catalogue_conflict") throw error;
    }
  }
}

if (mode === "count") {
  for (let at = 0; at < 20; at += 1) await increment();
  process.send?.("done");
  process.disconnect?.();
} else {
  await journal.acquire(name, name, 1_000, 1_000);
  let version: string | null = null;
  for (let at = 1; ; at += 1) {
    await journal.recordBlob(name, { name: `blob-${at}`, sourceEtag: "s", targetEtag: "t", length: at, md5: "m" });
    version = await catalogue.put(catalogueEntry(name, { publishedAt: at }), version);
    await told(at);
  }
}
