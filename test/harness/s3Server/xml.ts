/** Answers in XML, as S3 writes them. */

export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type XmlValue = string | number | boolean | XmlTree | readonly XmlTree[] | undefined;
export interface XmlTree {
  readonly [name: string]: XmlValue;
}

/** Lists become repeated elements; undefined is left out. */
export function xmlDocument(root: string, tree: XmlTree): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, tree, ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"')}`;
}

function element(name: string, value: XmlValue, attributes = ""): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((item: XmlTree) => element(name, item)).join("");
  const inner =
    typeof value === "object"
      ? Object.entries(value as XmlTree)
          .map(([child, grandchild]) => element(child, grandchild))
          .join("")
      : escaped(String(value));
  return `<${name}${attributes}>${inner}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Contents of every element of this name, entities decoded; enough for the few documents that clients send. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, "g"))].map((match) => decoded(match[1] ?? ""));
}

function decoded(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#34;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
