/** Variables of a playlist: EXT-X-DEFINE and `{$name}` (draft-pantos-hls-rfc8216bis §4.3). Pure. */
import { percentDecoded } from "../../core/percent.ts";
import { Refusal } from "../refusal.ts";
import { attributeValue, parseAttributes } from "./attributes.ts";

const REFERENCE = /\{\$([\w-]+)\}/g;

/** Characters that references may come to in one playlist: tokens for a day of segments, but no long value a thousand times. */
const MAX_SUBSTITUTED = 4_000_000;

/** What a playlist has defined so far. */
export class Variables {
  readonly #values = new Map<string, string>();
  readonly #url: string;
  #substituted = 0;

  /** `url`: where the playlist came from, for QUERYPARAM. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Takes an EXT-X-DEFINE line. IMPORT is left out: its value stands in another playlist. */
  define(line: string): void {
    const attributes = parseAttributes(line) ?? [];
    const parameter = attributeValue(attributes, "QUERYPARAM");
    const name = parameter ?? attributeValue(attributes, "NAME");
    const value = parameter === null ? attributeValue(attributes, "VALUE") : queryParameter(this.#url, parameter);
    if (name !== null && value !== null) this.#values.set(name, value);
  }

  /** The text with its references resolved; `missing` is the first name without a value, and its reference stays. Refuses a flood of values. */
  substitute(text: string): { readonly text: string; readonly missing: string | null } {
    if (!text.includes("{$")) return { text, missing: null };
    let missing: string | null = null;
    const resolved = text.replace(REFERENCE, (reference, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) missing ??= name;
      this.#substituted += value?.length ?? 0;
      if (this.#substituted > MAX_SUBSTITUTED) {
        throw new Refusal("malformed", `the values of its variables come to more than ${MAX_SUBSTITUTED} characters`);
      }
      return value ?? reference;
    });
    return { text: resolved, missing };
  }
}

/** Percent-decoded, as the specification wants it; a plus sign stays one, or signatures in Base64 would break. */
function queryParameter(url: string, name: string): string | null {
  for (const pair of new URL(url).search.slice(1).split("&")) {
    const cut = pair.indexOf("=");
    if (cut > 0 && decoded(pair.slice(0, cut)) === name) return decoded(pair.slice(cut + 1));
  }
  return null;
}

function decoded(text: string): string {
  return percentDecoded(text) ?? text;
}
