/** Time servers of an MPD (`UTCTiming`). Pure. */
import type { Reference } from "./references.ts";
import { hasScheme, resolve } from "./urls.ts";

/** Makes relative ones absolute: the time is one and the same everywhere, and the base is about to change. */
export function fixClocks({ value, base, write }: Reference): void {
  const urls = value.split(/\s+/).map((url) => (hasScheme(url) ? url : (resolve(url, base) ?? url)));
  const text = urls.join(" ");
  if (text !== value) write(text);
}
