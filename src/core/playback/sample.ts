/** Whether the first bytes of a segment are media, clear or after decryption. */
import { createDecipheriv } from "node:crypto";

/** AES-128: keys and cipher blocks alike. */
export const KEY_BYTES = 16;
const BLOCK = 16;
const TS_PACKET = 188;
/** Box types with which a segment or an initialisation section may begin (ISO/IEC 14496-12, 23000-19). */
const FIRST_BOXES: ReadonlySet<string> = new Set(["ftyp", "styp", "moof", "sidx", "emsg", "prft", "moov"]);

/** True for the beginning of fragmented MP4, of an MPEG transport stream, or of packed audio. */
export function looksLikeMedia(bytes: Uint8Array): boolean {
  return isBox(bytes) || isTransportStream(bytes) || isPackedAudio(bytes);
}

/** True for a box with which a segment may begin. */
export function isBox(bytes: Uint8Array): boolean {
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
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 7);
  const header = view.getUint32(0);
  const isHeader = (header & 0xfff60000) >>> 0 === 0xfff00000 && ((header >>> 10) & 0x0f) <= 12;
  const length = (view.getUint32(3) >>> 13) & 0x1fff;
  return isHeader && length >= 7 ? length : null;
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

/** True where the bytes are readable text: a login page or an error document in the place of ciphertext. */
export function isText(bytes: Uint8Array): boolean {
  const beginning = bytes.subarray(0, 64);
  return beginning.length > 0 && beginning.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}

/** AES-CBC with PKCS#7 padding is a positive multiple of the block, whatever was encrypted. */
export function isCipherLength(length: number): boolean {
  return length > 0 && length % BLOCK === 0;
}
