/** Lays held copies over a blob listing. */
import type { CopyStatus } from "./heldCopies.ts";

const BLOB = /<Blob>.*?<\/Blob>/gs;
const NAME = /<Name(?: Encoded="(true)")?>(.*?)<\/Name>/s;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** `statusOf` is asked with the decoded name of each blob; `success` leaves its entry alone. */
export function overlayListing(xml: string, statusOf: (blob: string) => CopyStatus): string {
  return xml.replace(BLOB, (entry) => {
    const status = statusOf(nameIn(entry));
    if (status === "success") return entry;
    const marked = entry.replace(/<CopyStatus>[^<]*<\/CopyStatus>/, `<CopyStatus>${status}</CopyStatus>`);
    return status === "pending"
      ? marked.replace(/<CopyCompletionTime>[^<]*<\/CopyCompletionTime>/, "")
      : marked.replace(/<Content-Length>\d+</, "<Content-Length>0<").replace(/<Content-MD5>[^<]*<\/Content-MD5>/, "");
  });
}

function nameIn(entry: string): string {
  const [, encoded, name = ""] = NAME.exec(entry) ?? [];
  return encoded === "true" ? decodeURIComponent(name) : unescapeXml(name);
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
