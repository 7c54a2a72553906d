/** Reads a segment, an initialisation section or an index by range and looks whether it is what the manifest says. */
import type { FailureReason } from "../contracts.ts";
import { withoutQuery } from "../http.ts";
import type { HttpAnswer } from "../ports/http.ts";
import { PlaybackFailure, type PlaybackStep } from "./failure.ts";
import { get, type GetOptions } from "./get.ts";
import type { ByteRange, MediaPart, PlaybackKey } from "./media.ts";
import { decryptBeginning, isBox, isCipherLength, isText, KEY_BYTES, looksLikeMedia } from "./sample.ts";

const SAMPLE_BYTES = 64 * 1024;
/** An origin that ignores Range answers with the whole resource: accepted up to here. */
const RESOURCE_BYTES = 64 * 1024 * 1024;

/** What the bytes proved: media as they stand, media after decryption, or no more than a possible ciphertext. */
export type Evidence = "media" | "decrypted" | "ciphertext";

export interface PartSample {
  readonly url: string;
  /** How many bytes were read. */
  readonly bytes: number;
  /** How many there are, null where the origin did not say. */
  readonly length: number | null;
  readonly evidence: Evidence;
  /** What was read, still encrypted where it is. */
  readonly content: Uint8Array;
  /** How long the answer took, and how many bytes it had; null where that is not measured. */
  readonly transfer: Transfer | null;
}

export interface Transfer {
  readonly bytes: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

export interface ReadPartOptions extends GetOptions {
  readonly contentKey?: (key: PlaybackKey) => Promise<Uint8Array | null>;
}

/** Reads the part, to its end or its first 64 KB, and checks it. Rejects with `PlaybackFailure`. */
export async function readPart(options: ReadPartOptions, step: PlaybackStep, part: MediaPart, whole: boolean): Promise<PartSample> {
  const range = wantedRange(part.range, whole);
  const { url, answer } = await get(options, { step, url: part.url, range, maxBytes: RESOURCE_BYTES });
  const refuse: Refuse = (problem, reason = "segment") => new PlaybackFailure(reason, step, `${step} ${withoutQuery(url)} ${problem}`);
  const content = range === null ? answer.body : cut(answer, range, refuse);
  if (content.length === 0) throw refuse("is empty");
  if (part.range !== null && range !== null && content.length < range.length) throw refuse("ends before its declared byte range does");
  const length = part.range?.length ?? resourceLength(answer);
  const evidence =
    part.key?.method === "AES-128"
      ? await examineEncrypted(options, { step, content, length, key: part.key }, refuse)
      : examineClear(content, refuse);
  return { url, bytes: content.length, length, evidence, content, transfer: transferOf(answer) };
}

function transferOf({ timing, body }: HttpAnswer): Transfer | null {
  return timing === undefined ? null : { bytes: body.length, ...timing };
}

type Refuse = (problem: string, reason?: FailureReason) => PlaybackFailure;

function wantedRange(declared: ByteRange | null, whole: boolean): ByteRange | null {
  if (whole) return declared;
  const { offset, length } = declared ?? { offset: 0, length: SAMPLE_BYTES };
  return { offset, length: Math.min(length, SAMPLE_BYTES) };
}

/** The wanted bytes of a partial or a whole answer. */
function cut({ status, headers, body }: HttpAnswer, range: ByteRange, refuse: Refuse): Uint8Array {
  if (status === 200) return body.subarray(range.offset, range.offset + range.length);
  const start = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  if (Number(start) !== range.offset || body.length > range.length) throw refuse("answered another range than was asked for");
  return body;
}

function resourceLength({ status, headers, body }: HttpAnswer): number | null {
  if (status === 200) return body.length;
  const total = /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1];
  return total === undefined ? null : Number(total);
}

/** Sample encryption (CENC, SAMPLE-AES) leaves the container readable, so this holds for it too. */
function examineClear(content: Uint8Array, refuse: Refuse): Evidence {
  if (!looksLikeMedia(content)) throw refuse("does not begin like media");
  return "media";
}

interface Encrypted {
  readonly step: PlaybackStep;
  readonly content: Uint8Array;
  readonly length: number | null;
  readonly key: PlaybackKey;
}

async function examineEncrypted(options: ReadPartOptions, part: Encrypted, refuse: Refuse): Promise<Evidence> {
  // A packager may leave the initialisation section clear although the key stands before EXT-X-MAP.
  if (part.step === "init" && isBox(part.content)) return "media";
  examineCiphertext(part, refuse);
  const key = (await options.contentKey?.(part.key)) ?? null;
  return key === null || part.key.iv === null ? "ciphertext" : examineDecrypted(part.content, key, part.key.iv, refuse);
}

function examineCiphertext({ content, length }: Encrypted, refuse: Refuse): void {
  if (isBox(content)) throw refuse("is clear though the manifest declares it encrypted");
  if (length !== null && !isCipherLength(length)) throw refuse("has a length that is not a multiple of the cipher's block");
  if (isText(content)) throw refuse("is text");
}

function examineDecrypted(content: Uint8Array, key: Uint8Array, iv: string, refuse: Refuse): Evidence {
  if (key.length !== KEY_BYTES) throw refuse(`has a content key of ${key.length} bytes, not ${KEY_BYTES}`, "key_length");
  if (!looksLikeMedia(decryptBeginning(content, key, iv))) throw refuse("does not decrypt to media with its content key");
  return "decrypted";
}
