/** Configuration -> the record of keys. Null where none is configured. */
import type { Clock } from "../core/clock.ts";
import { masterKeyBytes, type MasterKeySource } from "../core/config/keyRecord.ts";
import type { Config } from "../core/config/schema.ts";
import { PaircastError } from "../core/errors.ts";
import { RecordBook } from "../replicator/keyRecords/book.ts";
import { Keyring, type KeyReader } from "../replicator/keyRecords/keyring.ts";
import type { State } from "./state.ts";

export function recordBook(state: Pick<State, "keyRecords" | "clock" | "random" | "log">, config: Config): RecordBook | null {
  const { keyRecord } = config.replication;
  if (keyRecord === undefined) return null;
  const { keyRecords: records, clock, random, log } = state;
  return new RecordBook({ records, keyring: keyringOf(keyRecord.keys, clock), clock, random, log });
}

/** A vault is not asked before a key is needed: one that is down keeps nothing from starting. */
export function keyringOf(keys: readonly MasterKeySource[], clock: Clock): Keyring {
  return new Keyring(keys.map((source) => readerOf(source, clock)));
}

function readerOf(source: MasterKeySource, clock: Clock): KeyReader {
  if ("masterKey" in source) return async () => bytesOf(source.masterKey, "replication.keyRecord.keys");
  return async () => {
    const { readVaultSecret } = await import("../replicator/adapters/keyVault.ts");
    return bytesOf(await readVaultSecret({ url: source.vaultSecret, clock }), source.vaultSecret);
  };
}

function bytesOf(text: string, place: string): Uint8Array {
  const bytes = masterKeyBytes(text);
  if (bytes !== null) return bytes;
  throw new PaircastError("master_key_invalid", `read the master key in ${place}: it is not 32 bytes in base64 or hexadecimal`);
}
