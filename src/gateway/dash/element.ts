/** What the rewriting needs of a document tree. The DOM of `document.ts` has this shape; nothing here knows the library. Pure. */

export interface XmlNode {
  readonly nodeType: number;
  readonly nodeValue: string | null;
  readonly parentNode: XmlNode | null;
  readonly previousSibling: XmlNode | null;
  readonly nextSibling: XmlNode | null;
  readonly childNodes: Iterable<XmlNode>;
  readonly ownerDocument: XmlDocument | null;
  textContent: string | null;
  insertBefore(node: XmlNode, reference: XmlNode | null): XmlNode;
  removeChild(node: XmlNode): XmlNode;
}

export interface XmlAttribute {
  /** With its prefix. */
  readonly name: string;
  readonly localName: string | null;
  readonly namespaceURI: string | null;
  readonly value: string;
}

export interface XmlElement extends XmlNode {
  readonly localName: string | null;
  readonly namespaceURI: string | null;
  readonly prefix: string | null;
  readonly attributes: Iterable<XmlAttribute>;
  getAttribute(name: string): string | null;
  getAttributeNS(namespace: string | null, localName: string): string | null;
  setAttribute(name: string, value: string): void;
  setAttributeNS(namespace: string | null, name: string, value: string): void;
}

export interface XmlDocument {
  createElementNS(namespace: string | null, name: string): XmlElement;
  createTextNode(data: string): XmlNode;
}

const ELEMENT_NODE = 1;
const TEXT_NODE = 3;

function isElement(node: XmlNode): node is XmlElement {
  return node.nodeType === ELEMENT_NODE;
}

export function childElements(parent: XmlElement): XmlElement[] {
  return [...parent.childNodes].filter(isElement);
}

/** Children of the parent's own namespace with this name. */
export function childrenNamed(parent: XmlElement, name: string): XmlElement[] {
  return childElements(parent).filter((child) => isNamed(child, parent, name));
}

/** True for an element of this name in the namespace of `like`. */
export function isNamed(element: XmlElement, like: XmlElement, name: string): boolean {
  return element.localName === name && element.namespaceURI === like.namespaceURI;
}

export function textOf(element: XmlElement): string {
  return (element.textContent ?? "").trim();
}

/** A new element in the namespace of `like`, written with the same prefix. */
export function createLike(like: XmlElement, name: string, text: string): XmlElement {
  const document = documentOf(like);
  const element = document.createElementNS(like.namespaceURI, like.prefix === null ? name : `${like.prefix}:${name}`);
  element.textContent = text;
  return element;
}

/** Puts the element before the other one, indented like it. */
export function putBefore(element: XmlElement, reference: XmlElement): void {
  const parent = parentOf(reference);
  const indent = documentOf(reference).createTextNode(indentOf(reference));
  parent.insertBefore(element, reference);
  parent.insertBefore(indent, reference);
}

/** Puts the element after the other one, indented like it. */
export function putAfter(element: XmlElement, reference: XmlElement): void {
  const parent = parentOf(reference);
  const indent = documentOf(reference).createTextNode(indentOf(reference));
  const next = reference.nextSibling;
  parent.insertBefore(indent, next);
  parent.insertBefore(element, next);
}

/** Takes the element out, with the white space that indents it: what `putBefore` and `putAfter` have put in is gone without a trace. */
export function takeOut(element: XmlElement): void {
  const parent = parentOf(element);
  const before = element.previousSibling;
  if (before !== null && indentOf(element) !== "") {
    const rest = documentOf(element).createTextNode((before.nodeValue ?? "").trimEnd());
    parent.insertBefore(rest, before);
    parent.removeChild(before);
  }
  parent.removeChild(element);
}

/** The white space right before an element. */
function indentOf({ previousSibling }: XmlElement): string {
  if (previousSibling?.nodeType !== TEXT_NODE) return "";
  const text = previousSibling.nodeValue ?? "";
  return text.slice(text.trimEnd().length);
}

function parentOf(element: XmlElement): XmlNode {
  if (element.parentNode === null) throw new Error("the element is in no tree");
  return element.parentNode;
}

function documentOf(element: XmlElement): XmlDocument {
  if (element.ownerDocument === null) throw new Error("the element is of no document");
  return element.ownerDocument;
}
