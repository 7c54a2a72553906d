/**
 * Numbers from names, the same in every gateway and every release: what is spread by them must not move with an upgrade. Pure.
 * Not for secrets: a viewer may choose his number, and wins nothing by it.
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const TWO_TO_32 = 4_294_967_296;

/** 32 bits of a text: FNV-1a over its UTF-16 code units, then the finaliser of MurmurHash3, without which similar names lie close. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return finalise(hash);
}

/** 32 bits of two numbers; neither can be told from the result without the other. */
export function mix(one: number, other: number): number {
  return finalise(Math.imul(finalise(one ^ 0x9e3779b9), 0x85ebca6b) ^ other);
}

/** A 32-bit number as a fraction in (0, 1): never 0, so that its logarithm exists. */
export function fraction(bits: number): number {
  return ((bits >>> 0) + 0.5) / TWO_TO_32;
}

/** 32 bits of a number in [0, 1). */
export function bitsOf(chance: number): number {
  return Math.floor(chance * TWO_TO_32) >>> 0;
}

/** The inverse: the least number of which these are the bits. */
export function chanceOf(bits: number): number {
  return (bits >>> 0) / TWO_TO_32;
}

/** fmix32 of MurmurHash3 (Austin Appleby, public domain). */
function finalise(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
