/** Whether the first bytes of a segment are media, clear or after decryption. */
import { createDecipheriv } from "node:crypto";

const BLOCK = 16;
const TS_PACKET = 188;
/** Box types with which a segment or an initialisation section may begin (ISO/IEC 14496-12, 23000-19). */
const FIRST_BOXES: ReadonlySet<string> = new Set(["ftyp", "styp", "moof", "sidx", "emsg", "prft", "moov"]);

/** True for the beginning of fragmented MP4, an MPEG transport stream, or packed audio. */
export function looksLikeMedia(bytes: Uint8Array): boolean {
  return isBox(bytes) || isTransportStream(bytes) || isPackedAudio(bytes);
}

function isBox(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const size = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return (size === 1 || size >= 8) && FIRST_BOXES.has(Buffer.from(bytes.subarray(4, 8)).toString("latin1"));
}

/** One sync byte is right by chance once in 256: every packet that is there must have it. */
function isTransportStream(bytes: Uint8Array): boolean {
  if (bytes.length < TS_PACKET) return false;
  for (let at = 0; at < bytes.length; at += TS_PACKET) if (bytes[at] !== 0x47) return false;
  return true;
}

function isPackedAudio(bytes: Uint8Array): boolean {
  if (bytes.length >= 10 && Buffer.from(bytes.subarray(0, 3)).toString("latin1") === "ID3") return true;
  const length = adtsLength(bytes, 0);
  return length !== null && (length >= bytes.length || adtsLength(bytes, length) !== null);
}

/** Length of the ADTS frame at `at`, null where there is none (ISO/IEC 13818-7, 6.2). A header that is cut off counts as one. */
function adtsLength(bytes: Uint8Array, at: number): number | null {
  if (bytes.length - at < 7) return at > 0 ? 7 : null;
  const [sync = 0, flags = 0, format = 0, high = 0, middle = 0, low = 0] = bytes.subarray(at, at + 6);
  if (sync !== 0xff || (flags & 0xf6) !== 0xf0 || ((format >> 2) & 0x0f) > 12) return null;
  const length = ((high & 0x03) << 11) | (middle << 3) | (low >> 5);
  return length >= 7 ? length : null;
}

/**
 * Decrypts the beginning of an AES-128 segment (CBC; padding stands at the end and is not looked at when the end was not read).
 * `iv` is 32 hex digits. Throws a RangeError for a key that is not 16 bytes.
 */
export function decryptBeginning(bytes: Uint8Array, key: Uint8Array, iv: string): Uint8Array {
  const whole = bytes.subarray(0, bytes.length - (bytes.length % BLOCK));
  const decipher = createDecipheriv("aes-128-cbc", key, Buffer.from(iv, "hex"));
  decipher.setAutoPadding(false);
  return decipher.update(whole);
}

/** AES-CBC with PKCS#7 padding is a positive multiple of the block, whatever was encrypted. */
export function isCipherLength(length: number): boolean {
  return length > 0 && length % BLOCK === 0;
}
