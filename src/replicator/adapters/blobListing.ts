/**
 * Reads a page of a container's listing: https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body. Pure.
 *
 * The SDK makes a dozen objects of every element of it, which is most of what it costs to look at a container of a hundred thousand blobs.
 */
import { PaircastError } from "../../core/errors.ts";

export interface ListedBlob {
  readonly name: string;
  /** By the names of their elements; empty texts are left out. */
  readonly properties: Readonly<Record<string, string>>;
  /** Names as they were written, whatever their case. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ListedPage {
  readonly blobs: readonly ListedBlob[];
  /** Where the list goes on; null at its end. */
  readonly next: string | null;
}

/** Throws `storage_unavailable` (retry) for what is no whole page. */
export function parseListing(text: string): ListedPage {
  if (!text.includes("<EnumerationResults") || !text.trimEnd().endsWith("</EnumerationResults>")) throw noPage("it is none, or cut off");
  const blobs: ListedBlob[] = [];
  for (let at = text.indexOf("<Blob>"); at >= 0;) {
    const end = text.indexOf("</Blob>", at);
    if (end < 0) throw noPage("an entry has no end");
    blobs.push(parseBlob(text.slice(at, end)));
    at = text.indexOf("<Blob>", end);
  }
  const next = elementText(text, "NextMarker");
  return { blobs, next: next === null || next === "" ? null : next };
}

function parseBlob(entry: string): ListedBlob {
  const name = nameOf(entry);
  if (name === null) throw noPage("an entry has no name");
  return {
    name,
    properties: elementsIn(section(entry, "Properties")),
    metadata: elementsIn(section(entry, "Metadata")),
    tags: tagsIn(section(entry, "TagSet")),
  };
}

/** Names that XML cannot hold come percent-encoded, and say so. */
function nameOf(entry: string): string | null {
  const [, attribute = "", text] = /<Name( [^>]*)?>([^<]*)<\/Name>/.exec(entry) ?? [];
  if (text === undefined) return null;
  const name = unescaped(text);
  if (!/Encoded="true"/.test(attribute)) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    throw noPage("a name is not encoded as it says");
  }
}

function section(entry: string, name: string): string {
  const begin = entry.indexOf(`<${name}>`);
  const end = begin < 0 ? -1 : entry.indexOf(`</${name}>`, begin);
  return end < 0 ? "" : entry.slice(begin + name.length + 2, end);
}

const ELEMENT = /<([^\s<>/]+)[^<>]*>([^<]*)<\/\1>/g;

function elementsIn(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, name = "", value = ""] of text.matchAll(ELEMENT)) if (value !== "") found[name] = unescaped(value);
  return found;
}

function tagsIn(text: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, tag = ""] of text.matchAll(/<Tag>([\s\S]*?)<\/Tag>/g)) {
    const key = elementText(tag, "Key");
    if (key !== null) found[key] = elementText(tag, "Value") ?? "";
  }
  return found;
}

function elementText(text: string, name: string): string | null {
  const begin = text.lastIndexOf(`<${name}>`);
  const end = begin < 0 ? -1 : text.indexOf(`</${name}>`, begin);
  return end < 0 ? null : unescaped(text.slice(begin + name.length + 2, end));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(
    /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

function noPage(why: string): PaircastError {
  return new PaircastError("storage_unavailable", `read a page of a container's listing: ${why}`, { retry: "retry" });
}
