/** Attribute lists (RFC 8216 §4.2), read with the place of each value, so that one can be changed and the rest of the line stays as it is. Pure. */

export interface Attribute {
  readonly name: string;
  /** Without its quotation marks. */
  readonly value: string;
  readonly quoted: boolean;
  /** Where the value stands in the line, quotation marks included. */
  readonly from: number;
  readonly to: number;
}

/** The attributes of a tag's line; null where a quotation mark is never closed, so that nobody can say where the list ends. */
export function parseAttributes(line: string): readonly Attribute[] | null {
  const attributes: Attribute[] = [];
  let at = listStart(line);
  while (at < line.length) {
    const equals = endOfName(line, at);
    if (line[equals] === "=") {
      const attribute = attributeAt(line, line.slice(at, equals).trim(), equals + 1);
      if (attribute === null) return null;
      attributes.push(attribute);
      at = endOfItem(line, attribute.to);
    } else {
      at = equals + 1;
    }
  }
  return attributes;
}

export function attributeValue(attributes: readonly Attribute[], name: string): string | null {
  return attributes.find((attribute) => attribute.name === name)?.value ?? null;
}

/** The line with the values of `changes`, each as it is to be written; what it does not name yet is added behind the last attribute. */
export function withAttributes(line: string, attributes: readonly Attribute[], changes: ReadonlyMap<string, string>): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { name, from, to } of attributes) {
    const change = changes.get(name);
    if (change === undefined) continue;
    pieces.push(line.slice(at, from), change);
    at = to;
  }
  const end = attributes.at(-1)?.to ?? listStart(line);
  const named = new Set(attributes.map(({ name }) => name));
  const added = [...changes].filter(([name]) => !named.has(name)).map(([name, value]) => `${name}=${value}`);
  const lead = attributes.length > 0 ? "," : line.includes(":") ? "" : ":";
  return [...pieces, line.slice(at, end), added.length > 0 ? lead : "", added.join(","), line.slice(end)].join("");
}

/** A quoted-string; for values that hold no quotation mark. */
export function quoted(value: string): string {
  return `"${value}"`;
}

function listStart(line: string): number {
  const colon = line.indexOf(":");
  return colon < 0 ? line.length : colon + 1;
}

function endOfName(line: string, from: number): number {
  let at = from;
  while (at < line.length && line[at] !== "=" && line[at] !== ",") at += 1;
  return at;
}

function endOfItem(line: string, from: number): number {
  const comma = line.indexOf(",", from);
  return comma < 0 ? line.length : comma + 1;
}

function attributeAt(line: string, name: string, start: number): Attribute | null {
  let from = start;
  while (line[from] === " " || line[from] === "\t") from += 1;
  if (line[from] === '"') {
    const close = line.indexOf('"', from + 1);
    return close < 0 ? null : { name, value: line.slice(from + 1, close), quoted: true, from, to: close + 1 };
  }
  const comma = line.indexOf(",", from);
  const value = line.slice(from, comma < 0 ? line.length : comma).trimEnd();
  return { name, value, quoted: false, from, to: from + value.length };
}
