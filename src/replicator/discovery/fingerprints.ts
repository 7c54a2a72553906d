/**
 * Texts as fingerprints of 64 bits in one flat array, each with a few numbers: a million of them in some tens of MB. Two of ten million texts have
 * the same fingerprint once in four hundred thousand libraries. Pure.
 */

const FIRST_CAPACITY = 1024;
/** Of the places, at most so many are taken: more, and finding takes long. */
const LOAD = 0.6;
/** Words of a place before its numbers: the fingerprint. */
const KEY = 2;

export class FingerprintTable {
  /** Numbers that each text has. */
  readonly #width: number;
  readonly #stride: number;
  #capacity = FIRST_CAPACITY;
  #words: Uint32Array;
  #size = 0;

  constructor(width: number) {
    this.#width = width;
    this.#stride = KEY + width;
    this.#words = new Uint32Array(this.#capacity * this.#stride);
  }

  get size(): number {
    return this.#size;
  }

  has(text: string): boolean {
    return this.find(text) !== null;
  }

  /** The numbers of a text, to read and to write; good until the next `add`. Null where it is not there. */
  find(text: string): Uint32Array | null {
    const [high, low] = fingerprint(text);
    const at = this.#place(high, low);
    return this.#words[at] === 0 ? null : this.#numbersAt(at);
  }

  /** As `find`; all 0 where the text is new. */
  add(text: string): Uint32Array {
    if (this.#size >= this.#capacity * LOAD) this.#grow();
    const [high, low] = fingerprint(text);
    const at = this.#place(high, low);
    if (this.#words[at] === 0) {
      this.#words[at] = high;
      this.#words[at + 1] = low;
      this.#size += 1;
    }
    return this.#numbersAt(at);
  }

  /** The numbers of every text, in no order. */
  *rows(): Generator<Uint32Array> {
    for (let at = 0; at < this.#words.length; at += this.#stride) if (this.#words[at] !== 0) yield this.#numbersAt(at);
  }

  #numbersAt(at: number): Uint32Array {
    return this.#words.subarray(at + KEY, at + KEY + this.#width);
  }

  /** Where the fingerprint stands, or would stand. */
  #place(high: number, low: number): number {
    for (let index = low % this.#capacity; ; index = (index + 1) % this.#capacity) {
      const at = index * this.#stride;
      if (this.#words[at] === 0 || (this.#words[at] === high && this.#words[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const before = this.#words;
    this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * this.#stride);
    for (let at = 0; at < before.length; at += this.#stride) {
      const [high = 0, low = 0] = before.subarray(at, at + KEY);
      if (high !== 0) this.#words.set(before.subarray(at, at + this.#stride), this.#place(high, low));
    }
  }
}

/** Two rounds of multiplying and mixing with different constants, as in cyrb53. The first word is never 0, which marks a free place. */
function fingerprint(text: string): readonly [number, number] {
  let [one, two] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x9e3779b1);
    two = Math.imul(two ^ unit, 0x5f356495);
  }
  const high = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(two ^ (two >>> 13), 0xc2b2ae35);
  const low = Math.imul(two ^ (two >>> 16), 0x85ebca6b) ^ Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return [high >>> 0 === 0 ? 1 : high >>> 0, low >>> 0];
}
