/**
 * Which part of a library's bytes a verification reads, so that a few reads each time become all of it in the end. Pure.
 *
 * Blobs lie on a ring in the order of a hash of locator and name; each check reads the next few and leaves a mark where it ended: of n blobs, k are
 * read each time, and every one within ⌈n/k⌉ checks. Of a blob of N ranges, r are read each time: the first, the last and r−2 others, so that one
 * bad range in between is found with probability (r−2)/(N−2) by one look, and for certain within ⌈(N−2)/(r−2)⌉ looks.
 */

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Where on the ring sampling goes on, 0 to 1, and how often it has gone round. */
export interface SampleMark {
  readonly place: number;
  readonly lap: number;
}

export const FIRST_MARK: SampleMark = { place: 0, lap: 0 };

/** One that is to be read. `lap` counts how often it was read before. */
export interface Sampled<T> {
  readonly item: T;
  readonly lap: number;
}

interface Placed<T> {
  readonly item: T;
  readonly place: number;
  /** From the mark onwards, 0 to 1. */
  readonly distance: number;
}

/** Chooses the next `count` blobs after a mark out of a listing of any length, in the memory of twice as many. */
export class RingSample<T> {
  readonly #count: number;
  readonly #seed: string;
  readonly #from: SampleMark;
  #nearest: Placed<T>[] = [];

  constructor(count: number, seed: string, from: SampleMark) {
    this.#count = count;
    this.#seed = seed;
    this.#from = from;
  }

  add(name: string, item: T): void {
    const place = fraction(`${this.#seed}\n${name}`);
    const distance = place >= this.#from.place ? place - this.#from.place : place + 1 - this.#from.place;
    this.#nearest.push({ item, place, distance });
    if (this.#nearest.length > 2 * (this.#count + 1)) this.#trim();
  }

  /** Those chosen, and where the next check goes on. */
  chosen(): { readonly items: readonly Sampled<T>[]; readonly next: SampleMark } {
    this.#trim();
    const { place: from, lap } = this.#from;
    const lapOf = ({ place }: Placed<T>): number => (place >= from ? lap : lap + 1);
    const items = this.#nearest.slice(0, this.#count).map((placed) => ({ item: placed.item, lap: lapOf(placed) }));
    const following = this.#nearest[this.#count];
    return { items, next: following === undefined ? { place: from, lap: lap + 1 } : { place: following.place, lap: lapOf(following) } };
  }

  /** One more than wanted is kept: the next check begins with it. */
  #trim(): void {
    this.#nearest = this.#nearest.sort((one, other) => one.distance - other.distance).slice(0, this.#count + 1);
  }
}

/**
 * The ranges of a blob to read, in order, without overlap: all of them where there are at most `count` (at least 3), else the first, the last and
 * others drawn by `seed` (locator and ETag). Looks with laps that follow one another draw different ones until all were drawn.
 */
export function sampleRanges(
  length: number,
  options: { readonly count: number; readonly bytes: number },
  seed: string,
  lap: number,
): readonly ByteRange[] {
  const { count, bytes } = options;
  const total = Math.ceil(length / bytes);
  const range = (index: number): ByteRange => ({ offset: index * bytes, length: Math.min(bytes, length - index * bytes) });
  if (total <= Math.max(3, count)) return Array.from({ length: total }, (_, index) => range(index));
  const between = total - 2;
  const drawn = drawWithout(between, Math.max(1, count - 2), seed, lap).map((index) => index + 1);
  return [0, ...drawn.sort((one, other) => one - other), total - 1].map(range);
}

/** `count` different numbers below `size`: a walk with a stride that has no divisor in common with `size` meets each once before any again. */
function drawWithout(size: number, count: number, seed: string, lap: number): number[] {
  const stride = coprime(Math.max(1, Math.floor(size * (0.25 + fraction(`stride\n${seed}`) / 2))), size);
  const start = Math.floor(fraction(`start\n${seed}`) * size);
  const steps = Math.min(count, size);
  const walked = Number((BigInt(lap) * BigInt(steps) * BigInt(stride)) % BigInt(size));
  return Array.from({ length: steps }, (_, step) => (start + walked + ((step * stride) % size)) % size);
}

/** The first number from `wanted` on that has no divisor in common with `size`. */
function coprime(wanted: number, size: number): number {
  let candidate = wanted;
  while (divisor(candidate, size) !== 1) candidate += 1;
  return candidate;
}

function divisor(one: number, other: number): number {
  return other === 0 ? one : divisor(other, one % other);
}

/** Uniform in [0, 1) and the same for the same text everywhere: 52 bits of two sums by FNV-1a, mixed. */
export function fraction(text: string): number {
  let [high, low] = [0x811c9dc5, 0x1b873593];
  for (let at = 0; at < text.length; at += 1) {
    high = Math.imul(high ^ text.charCodeAt(at), 0x01000193);
    low = Math.imul(low ^ text.charCodeAt(at), 0x5bd1e995) ^ (low >>> 13);
  }
  return ((mixed(high ^ low) >>> 6) * 0x400_0000 + (mixed(low + Math.imul(high, 5)) >>> 6)) / 0x10_0000_0000_0000;
}

function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x7feb352d);
  bits ^= bits >>> 15;
  bits = Math.imul(bits, 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}
