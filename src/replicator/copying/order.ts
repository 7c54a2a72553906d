/** The order in which listings of two services and the journal are read side by side. Pure. */

/**
 * Negative where `one` comes before `other`: by code points, which is the order of the bytes of their UTF-8. So do SQLite, S3 and the keys of
 * table rows. JavaScript's own `<` goes by UTF-16, and puts what is beyond U+FFFF before U+E000.
 */
export function compareNames(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return one.length - other.length;
}

/** Surrogates stand for the highest code points: they are moved behind U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
