/** Percent-encoding (https://www.rfc-editor.org/rfc/rfc3986#section-2.1). Pure. */

/** The text with its percent escapes decoded as UTF-8; null where one is malformed. */
export function percentDecoded(text: string): string | null {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
