/** The record of keys, read and written: what is stored is always encrypted. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock, Random } from "../../core/clock.ts";
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Fence } from "../../core/ports/journal.ts";
import type { KeyRecords, SealedRecord } from "../../core/ports/keyRecords.ts";
import { recordFrom, recordText, type ContentOf, type RecordedContent, type RecordedKind } from "./content.ts";
import type { Keyring } from "./keyring.ts";
import { open, seal } from "./seal.ts";

const TRIES = 20;
/** So long what was seen in the store is believed to be there still: policies and filters are shared by thousands of locators. */
const KNOWN_MS = 600_000;
const KNOWN_AT_MOST = 10_000;

export interface RecordBookOptions {
  readonly records: KeyRecords;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Rotation {
  /** Encrypted anew. */
  readonly rotated: number;
  /** Under the newest key already. */
  readonly current: number;
  /** Cannot be read, and are left as they are: one sentence each for the first few. */
  readonly unreadable: number;
  readonly problems: readonly string[];
}

const PROBLEMS_TOLD = 5;

interface Known {
  readonly digest: string;
  /** By the monotonic clock. */
  readonly until: number;
}

export class RecordBook {
  readonly #options: RecordBookOptions;
  /** What the store has, as a hash: secrets are not kept in memory longer than a job. */
  readonly #known = new LRUCache<string, Known>({ max: KNOWN_AT_MOST });

  constructor(options: RecordBookOptions) {
    this.#options = options;
  }

  /** Null where there is none. Throws `key_record_locked`, `key_record_damaged`, `key_record_newer`, and what the store or a key vault throws. */
  async read<K extends RecordedKind>(kind: K, id: string): Promise<ContentOf<K> | null> {
    const stored = await this.#options.records.get(id);
    if (stored === null) return null;
    const content = recordFrom(await this.#text(stored), id);
    if (isOf(kind, content)) return content;
    throw new PaircastError("key_record_damaged", `read key record ${id}: it is of another kind than its name says`);
  }

  /** Throws as `read` does where a record cannot be read. */
  async check(stored: SealedRecord): Promise<void> {
    recordFrom(await this.#text(stored), stored.id);
  }

  /**
   * False where the record says the same already. One that cannot be read (changed by somebody, or its master key is lost) is replaced: the
   * content is at hand. What was seen to be recorded in the last ten minutes is not looked at again. With `fence`, nothing is written once the lease is lost.
   */
  async write(id: string, content: RecordedContent, fence?: Fence): Promise<boolean> {
    const text = recordText(content);
    if (this.#isKnown(id, text)) return false;
    const written = await this.#write(id, text, fence);
    this.#known.set(id, { digest: digestOf(text), until: this.#options.clock.monotonic() + KNOWN_MS });
    return written;
  }

  async #write(id: string, text: string, fence?: Fence): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.#options.records.get(id);
      if (stored !== null && (await this.#readable(stored)) === text) return false;
      try {
        await this.#put(text, { id, at: this.#options.clock.now() }, stored, fence);
        return true;
      } catch (error) {
        if (errorCode(error) !== "key_record_conflict" || attempt >= TRIES) throw error;
      }
    }
  }

  /** Encrypts under the newest key what is under an older one. What was done stays done; a later run goes on. */
  async rotate(stop?: AbortSignal): Promise<Rotation> {
    const newest = await this.#options.keyring.newest();
    const problems: string[] = [];
    let [rotated, current, unreadable] = [0, 0, 0];
    for await (const stored of this.#options.records.list()) {
      stop?.throwIfAborted();
      if (stored.keyId === newest.id) {
        current += 1;
        continue;
      }
      try {
        await this.#put(await this.#text(stored), stored, stored);
        rotated += 1;
      } catch (error) {
        // Whoever wrote it meanwhile used the newest key.
        if (errorCode(error) === "key_record_conflict") current += 1;
        else if (!isUnreadable(error)) throw error;
        else {
          unreadable += 1;
          if (problems.length < PROBLEMS_TOLD) problems.push(errorChain(error));
        }
      }
    }
    return { rotated, current, unreadable, problems };
  }

  #isKnown(id: string, text: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && known.until > this.#options.clock.monotonic() && known.digest === digestOf(text);
  }

  async #put(text: string, { id, at }: Pick<SealedRecord, "id" | "at">, stored: SealedRecord | null, fence?: Fence): Promise<void> {
    const { records, keyring, random } = this.#options;
    const sealed = seal(text, { id, at, version: random.uuid() }, await keyring.newest());
    await records.put(sealed, stored?.version ?? null, fence);
  }

  async #text(stored: SealedRecord): Promise<string> {
    return open(stored, await this.#options.keyring.find(stored.keyId, stored.id));
  }

  async #readable(stored: SealedRecord): Promise<string | null> {
    try {
      return await this.#text(stored);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#options.log.warn("replication.key_record_replaced", { record: stored.id, code: errorCode(error), error: errorChain(error) });
      return null;
    }
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function isUnreadable(error: unknown): boolean {
  return ["key_record_locked", "key_record_damaged"].includes(errorCode(error));
}

function isOf<K extends RecordedKind>(kind: K, content: RecordedContent): content is ContentOf<K> {
  return content.kind === kind;
}
