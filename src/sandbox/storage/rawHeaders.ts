/** Header lists as they came over the wire: names and values in turn, case kept, since the case of `x-ms-meta-…` names is data. */

/** New value by lower-case name; null takes the header out. */
export type HeaderEdits = Readonly<Record<string, string | null>>;

/** RFC 9110 §7.6.1, and what Node sets itself. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"]);

/** A copy without hop-by-hop headers and with `edits`. */
export function editHeaders(raw: readonly string[], edits: HeaderEdits): string[] {
  const edited: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !(lower in edits)) edited.push(name, raw[at + 1] ?? "");
  }
  for (const [name, value] of Object.entries(edits)) if (value !== null) edited.push(name, value);
  return edited;
}
