/** The master keys of the record, the newest first. What lies in a vault is asked for when it is needed, and kept. */
import { PaircastError } from "../../core/errors.ts";
import { masterKey, type MasterKey } from "./seal.ts";

/** Gives the 32 bytes of one configured key. */
export type KeyReader = () => Promise<Uint8Array>;

export class Keyring {
  readonly #readers: readonly KeyReader[];
  readonly #known = new Map<number, Promise<MasterKey>>();

  /** At least one. Nothing is read before it is needed. */
  constructor(readers: readonly KeyReader[]) {
    this.#readers = readers;
  }

  /** Encrypts. Throws what its reader throws; the next call reads again. */
  async newest(): Promise<MasterKey> {
    return this.#key(0);
  }

  /** Throws `key_record_locked` where no configured key has the fingerprint, or what a reader throws that might have had it. */
  async find(id: string, record: string): Promise<MasterKey> {
    const failures: unknown[] = [];
    for (const at of this.#readers.keys()) {
      try {
        const key = await this.#key(at);
        if (key.id === id) return key;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    throw new PaircastError(
      "key_record_locked",
      `read key record ${record}: it is encrypted under the master key ${id}, which is none of replication.keyRecord.keys; add that key behind the newest. If it is lost, only the region that publishes the video still knows its keys: a full pass of replication records them anew`,
    );
  }

  /** Fingerprints, the newest first. Throws what a reader throws. */
  async ids(): Promise<readonly string[]> {
    return Promise.all(this.#readers.keys().map(async (at) => (await this.#key(at)).id));
  }

  async #key(at: number): Promise<MasterKey> {
    const known = this.#known.get(at);
    if (known !== undefined) return known;
    const reader = this.#readers[at];
    if (reader === undefined) throw new PaircastError("not_configured", "read the master key of the key record: none is configured");
    const read = reader().then(masterKey);
    this.#known.set(at, read);
    read.catch(() => this.#known.delete(at));
    return read;
  }
}
