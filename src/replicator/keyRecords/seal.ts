/** AES-256-GCM under a master key: a fresh random nonce for each record, bound to the record that it is of. */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes, type KeyObject } from "node:crypto";
import { PaircastError } from "../../core/errors.ts";
import type { SealedRecord } from "../../core/ports/keyRecords.ts";

const CIPHER = "aes-256-gcm";
/** https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf §8.2.2: random nonces of 96 bits, at most 2^32 under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface MasterKey {
  /** Tells keys apart, and nothing else: 64 bits of a hash. */
  readonly id: string;
  /** Not printable, so that no log line can show it. */
  readonly key: KeyObject;
}

/** `bytes`: 32 of them. */
export function masterKey(bytes: Uint8Array): MasterKey {
  const id = createHash("sha256").update("paircast master key\0").update(bytes).digest("hex").slice(0, 16);
  return { id, key: createSecretKey(bytes) };
}

export type RecordHead = Pick<SealedRecord, "id" | "version" | "at">;

export function seal(text: string, head: RecordHead, { id: keyId, key }: MasterKey): SealedRecord {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo({ ...head, keyId }));
  const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { ...head, keyId, sealed: sealed.toString("base64") };
}

/** Throws `key_record_damaged` where the record is not as it was written: changed, or put into another's place. */
export function open(record: SealedRecord, { key }: MasterKey): string {
  const bytes = Buffer.from(record.sealed, "base64");
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(record));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return text.toString("utf8");
  } catch (cause) {
    throw new PaircastError(
      "key_record_damaged",
      `read key record ${record.id}: it is not as it was written, so it is not used; the next full pass of replication writes it anew while its source is there`,
      { cause },
    );
  }
}

function boundTo({ id, version, at, keyId }: Omit<SealedRecord, "sealed">): Buffer {
  return Buffer.from(JSON.stringify(["paircast key record", id, version, at, keyId]));
}
