/** Seeded changes to samples: to their lines, tokens and numbers, so that much of what comes out still looks like what it was. */

/** A number in [0, 1). */
export type Draw = () => number;

/** mulberry32 (Tommy Ettinger, public domain): the same numbers for the same seed, everywhere. */
export function mulberry32(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(items: readonly T[], draw: Draw): T {
  const item = items[Math.floor(draw() * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

function below(limit: number, draw: Draw): number {
  return Math.floor(draw() * limit);
}

/** Numbers at which parsers break. */
const NUMBERS = [
  "0",
  "-1",
  "1",
  "00",
  "255",
  "256",
  "65536",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "1e308",
  "1e400",
  "-0",
  "NaN",
];
const CHARACTERS = [
  "\u0000",
  "\u0001",
  "\t",
  "\n",
  "\r\n",
  " ",
  '"',
  "'",
  "<",
  ">",
  "&",
  "%",
  "\\",
  "/",
  "?",
  "#",
  "=",
  ",",
  ";",
  ":",
  "é",
  "\u2028",
  "\ud800",
  "😀",
  "\ufeff",
];

/** `dictionary`: words of the format. `other`: another sample, to take a piece from. */
export interface TextSource {
  readonly samples: readonly string[];
  readonly dictionary: readonly string[];
}

type TextChange = (text: string, source: TextSource, draw: Draw) => string;

const TEXT_CHANGES: readonly TextChange[] = [
  (text, _, draw) => spliced(text, draw, ""),
  (text, _, draw) => {
    const [from, to] = span(text.length, draw);
    return text.slice(0, to) + text.slice(from, to) + text.slice(to);
  },
  (text, { dictionary }, draw) => inserted(text, pick(dictionary, draw), draw),
  (text, { dictionary }, draw) => spliced(text, draw, pick(dictionary, draw)),
  (text, _, draw) => inserted(text, pick(CHARACTERS, draw), draw),
  (text, _, draw) => replacedMatch(text, /\d+/g, draw, () => pick(NUMBERS, draw)),
  (text, _, draw) => replacedMatch(text, /[\w.+-]+/g, draw, (found) => found.toUpperCase()),
  (text, { dictionary }, draw) => replacedMatch(text, /[\w.+-]+/g, draw, () => pick(dictionary, draw)),
  (text, _, draw) => replacedMatch(text, /"[^"]*"/g, draw, () => (draw() < 0.5 ? '""' : "")),
  (text, { samples }, draw) => {
    const other = pick(samples, draw);
    return text.slice(0, below(text.length + 1, draw)) + other.slice(below(other.length + 1, draw));
  },
  (text, _, draw) => text.slice(0, below(text.length + 1, draw)),
  (text, _, draw) => lines(text, draw, (all, at) => all.toSpliced(at, 1)),
  (text, _, draw) => lines(text, draw, (all, at) => all.toSpliced(at, 0, pick(all, draw))),
  (text, _, draw) => lines(text, draw, (all, at) => [...all.slice(at), ...all.slice(0, at)]),
  (text, _, draw) => inserted(text, pick(CHARACTERS, draw).repeat(1 + below(40, draw)), draw),
  (text, _, draw) => inserted(text, String.fromCharCode(below(0x10000, draw)), draw),
];

/** One to four changes to one of the samples. Samples themselves come now and then, too. */
export function mutatedText(source: TextSource, draw: Draw): string {
  let text = pick(source.samples, draw);
  for (let left = below(5, draw); left > 0; left -= 1) text = pick(TEXT_CHANGES, draw)(text, source, draw);
  return text;
}

/** One to eight changes to one of the samples: bits, bytes, words, pieces left out, repeated or cut off. */
export function mutatedBytes(samples: readonly Buffer[], draw: Draw): Buffer {
  let bytes = Buffer.from(pick(samples, draw));
  for (let left = below(9, draw); left > 0 && bytes.length > 0; left -= 1) bytes = changedBytes(bytes, draw);
  return bytes;
}

function changedBytes(bytes: Buffer, draw: Draw): Buffer<ArrayBuffer> {
  const at = below(bytes.length, draw);
  const changed = Buffer.from(bytes);
  switch (below(6, draw)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << below(8, draw));
      return changed;
    case 1:
      changed[at] = pick([0, 1, 0x1f, 0x20, 0x7f, 0x80, 0xfe, 0xff], draw);
      return changed;
    case 2:
      if (at + 4 <= changed.length) changed.writeUInt32BE(pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff], draw), at);
      return changed;
    case 3:
      return changed.subarray(0, at);
    case 4:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(Math.min(changed.length, at + 1 + below(8, draw)))]);
    default:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(Math.max(0, at - below(16, draw)))]);
  }
}

function span(length: number, draw: Draw): readonly [number, number] {
  const from = below(length + 1, draw);
  return [from, Math.min(length, from + below(24, draw))];
}

function spliced(text: string, draw: Draw, piece: string): string {
  const [from, to] = span(text.length, draw);
  return text.slice(0, from) + piece + text.slice(to);
}

function inserted(text: string, piece: string, draw: Draw): string {
  const at = below(text.length + 1, draw);
  return text.slice(0, at) + piece + text.slice(at);
}

function replacedMatch(text: string, pattern: RegExp, draw: Draw, by: (found: string) => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { 0: match, index } = pick(found, draw);
  return text.slice(0, index) + by(match) + text.slice(index + match.length);
}

function lines(text: string, draw: Draw, change: (all: readonly string[], at: number) => readonly string[]): string {
  const all = text.split("\n");
  return change(all, below(all.length, draw)).join("\n");
}
