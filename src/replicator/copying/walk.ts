/** Walks source, target and journal side by side, name by name: one page of each in memory, however many blobs there are. */
import type { BlobRecord, Journal } from "../../core/ports/journal.ts";
import type { BlobContainer, BlobInfo } from "../../core/ports/storage.ts";
import { compareNames } from "./order.ts";

/** What there is of one name; at least one side is not null. */
export interface Met {
  readonly source: BlobInfo | null;
  readonly target: BlobInfo | null;
  readonly record: BlobRecord | null;
}

export interface WalkedSides {
  readonly source: BlobContainer;
  readonly target: BlobContainer;
  readonly journal: Pick<Journal, "blobsAfter">;
  readonly jobId: string;
  readonly signal?: AbortSignal;
}

interface Named {
  readonly name: string;
}

/** Records of the journal in one read. */
const RECORDS = 1000;

/** A service lists in an order of its own, as accounts with a hierarchical namespace may: then the walk has to sort. */
export class Unordered extends Error {}

/** Every name of either side once, in order. Throws `Unordered`. */
export async function* walk({ source, target, journal, jobId, signal }: WalkedSides): AsyncGenerator<Met> {
  yield* sideBySide(source.list(signal), target.list(signal), recordsOf(journal, jobId));
}

/** The same for services that list in an order of their own: everything is in memory meanwhile. */
export async function* walkSorted({ source, target, journal, jobId, signal }: WalkedSides): AsyncGenerator<Met> {
  const listings = [source.list(signal), target.list(signal)] as const;
  const [from, to, records] = await Promise.all([sorted(listings[0]), sorted(listings[1]), sorted(recordsOf(journal, jobId))]);
  yield* sideBySide(from, to, records);
}

async function* sideBySide(from: Items<BlobInfo>, to: Items<BlobInfo>, known: Items<BlobRecord>): AsyncGenerator<Met> {
  await using left = new Cursor(from);
  await using right = new Cursor(to);
  await using records = new Cursor(known);
  await Promise.all([left.move(), right.move(), records.move()]);
  for (let name = firstOf(left.item, right.item); name !== null; name = firstOf(left.item, right.item)) {
    const [source, target] = [left.named(name), right.named(name)];
    yield { source, target, record: await records.find(name) };
    if (source !== null) await left.move();
    if (target !== null) await right.move();
  }
}

function firstOf(one: Named | null, other: Named | null): string | null {
  if (one === null || other === null) return (one ?? other)?.name ?? null;
  return compareNames(one.name, other.name) <= 0 ? one.name : other.name;
}

type Items<T> = AsyncIterable<T> | Iterable<T>;

class Cursor<T extends Named> implements AsyncDisposable {
  /** Null at the end. */
  item: T | null = null;
  readonly #items: AsyncIterator<T> | Iterator<T>;

  constructor(items: Items<T>) {
    this.#items = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  async move(): Promise<void> {
    const result: IteratorResult<T, unknown> = await this.#items.next();
    const next = result.done === true ? null : result.value;
    if (next !== null && this.item !== null && compareNames(this.item.name, next.name) >= 0) throw new Unordered();
    this.item = next;
  }

  /** The item of this name, if there is one; those before it are passed over. */
  async find(name: string): Promise<T | null> {
    while (this.item !== null && compareNames(this.item.name, name) < 0) await this.move();
    return this.named(name);
  }

  /** The present item where it has this name. */
  named(name: string): T | null {
    return this.item?.name === name ? this.item : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#items.return?.();
  }
}

async function* recordsOf(journal: Pick<Journal, "blobsAfter">, jobId: string): AsyncGenerator<BlobRecord> {
  let last: string | null = null;
  for (;;) {
    const page: readonly BlobRecord[] = await journal.blobsAfter(jobId, last, RECORDS);
    yield* page;
    last = page.at(-1)?.name ?? null;
    if (page.length < RECORDS || last === null) return;
  }
}

async function sorted<T extends Named>(items: AsyncIterable<T>): Promise<readonly T[]> {
  return (await Array.fromAsync(items)).sort((one, other) => compareNames(one.name, other.name));
}
