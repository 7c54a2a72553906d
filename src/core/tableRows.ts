/** How texts become keys and values of table rows. */
import { createHash } from "node:crypto";
import { PaircastError } from "./errors.ts";
import type { Row, RowRange, RowValues } from "./table.ts";

/** A key may have 1 KiB, that is 512 characters; what stands before it in the row's key needs some of them. */
const LONGEST_KEY = 400;
/** A property may have 64 KiB in UTF-16. */
const CHUNK = 32_000;
/** A row may have 1 MiB in UTF-16, and some writes hold it twice in the 2 MiB that Cosmos DB allows a transaction. */
const LONGEST_TEXT = 300_000;

/**
 * A key for any text: the same for the same, in the order of the texts (byte by byte of their UTF-8), without the characters that the service
 * forbids in keys (`/ \ # ?`, control characters) or that suffer in URLs (`%`, `'`, spaces). Texts over 400 characters keep their beginning and
 * end in their hash.
 *
 * Each other byte is written in hexadecimal, after a sign that stands in the order where the byte does: that is what keeps the order.
 */
export function keyOf(text: string): string {
  const key = Array.from(Buffer.from(text, "utf8"), keyPart).join("");
  if (key.length <= LONGEST_KEY) return key;
  return `${key.slice(0, LONGEST_KEY - 66)}~~${createHash("sha256").update(text).digest("hex")}`;
}

const PLAIN = /^[-0-9A-Za-z]$/;

function keyPart(byte: number): string {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `${signFor(byte)}${byte.toString(16).padStart(2, "0")}`;
}

function signFor(byte: number): string {
  if (byte < 0x2d) return "!";
  if (byte < 0x30) return ".";
  if (byte < 0x41) return ":";
  return byte < 0x61 ? "_" : "~";
}

/** All keys that begin with `prefix`, which ends with a hyphen. */
export function keysUnder(prefix: string, limit?: number): RowRange {
  const below = `${prefix.slice(0, -1)}.`;
  return limit === undefined ? { from: prefix, below } : { from: prefix, below, limit };
}

const DIGITS = 15;
const LAST = 10 ** DIGITS - 1;

/** Keys of numbers from 0 on, in their order. */
export function ascending(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

/** Keys of numbers from 0 on, the greatest first: what is newest is then read without reading the rest. */
export function descending(number: number): string {
  return ascending(LAST - number);
}

/** They end lines to some: Azurite answers 500 to a transaction that holds one, and to every one after it. */
const LINE_ENDS = /[\u2028\u2029]/g;

/** A record as JSON in as many values as it takes. Throws `state_too_large`; `what` is for people. */
export function jsonValues(record: unknown, what: string): RowValues {
  const text = JSON.stringify(record).replaceAll(LINE_ENDS, (character) => (character === "\u2028" ? "\\u2028" : "\\u2029"));
  if (text.length > LONGEST_TEXT)
    throw new PaircastError(
      "state_too_large",
      `store ${what}: it has ${text.length} characters of JSON, a table row at most ${LONGEST_TEXT}`,
    );
  const values: Record<string, string> = {};
  for (let start = 0, at = 0; start < text.length; at += 1) {
    const end = chunkEnd(text, start);
    values[`json${at}`] = text.slice(start, end);
    start = end;
  }
  return values;
}

/** Half a surrogate pair is no text that could be sent. */
function chunkEnd(text: string, start: number): number {
  const end = start + CHUNK;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** What `jsonValues` was given. Throws `state_unavailable` for a row that is none of ours. */
export function recordOf(row: Row): unknown {
  const parts: string[] = [];
  for (let part = row.values["json0"]; part !== undefined; part = row.values[`json${parts.length}`]) parts.push(part);
  try {
    return JSON.parse(parts.join(""));
  } catch (cause) {
    throw new PaircastError("state_unavailable", `read row ${row.key}: it is not as it was written; restore the table from a backup`, {
      cause,
    });
  }
}
