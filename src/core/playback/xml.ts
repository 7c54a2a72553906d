/**
 * Whether a text is well-formed XML, as far as an MPD needs it. Players parse strictly; the XML parser behind the MPD parser repairs what it
 * can and writes the rest to the console. Names have one prefix at most (Namespaces in XML, §4). A document type is refused: no MPD has one,
 * and it is the way to entity expansion.
 */
const TOKEN =
  /[^<&]+|&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);|<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<(\/?)([\p{L}_][\p{L}\d_.-]*(?::[\p{L}_][\p{L}\d_.-]*)?)((?:[ \t\r\n]+[\p{L}_][\p{L}\d_.-]*(?::[\p{L}_][\p{L}\d_.-]*)?[ \t\r\n]*=[ \t\r\n]*(?:"[^"<]*"|'[^'<]*'))*)[ \t\r\n]*(\/?)>/uy;
const BARE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/;

/** True for one element with everything in it closed in order, and nothing in it deeper than so many levels. */
export function isWellFormed(text: string, maxDepth = Infinity): boolean {
  const token = new RegExp(TOKEN);
  const open: string[] = [];
  let roots = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return false;
    if (match[2] === undefined) continue;
    if (open.length === 0) roots += 1;
    if (!takeTag(match, match[2], open) || open.length > maxDepth) return false;
  }
  return open.length === 0 && roots === 1;
}

function takeTag([, closing, , attributes = "", empty]: RegExpExecArray, name: string, open: string[]): boolean {
  if (closing === "/") return open.pop() === name;
  if (empty !== "/") open.push(name);
  return !BARE_AMPERSAND.test(attributes);
}
