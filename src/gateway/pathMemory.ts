/** What is found out once for each host and path that are asked for again and again. */
import { MAX_TARGET_BYTES } from "./target.ts";

/** A few hundred bytes each. */
const MAX_PATHS = 4_096;
/** No blank, control, non-ASCII character or fragment. */
const PLAIN_QUERY = /[!"$-~]*$/y;

export class PathMemory<Facts extends { readonly host: string | null }> {
  readonly #read: (path: string, host: Facts["host"]) => Facts | null;
  readonly #paths = new Map<string, Facts>();

  /** `read`: null for what is not to be remembered. */
  constructor(read: (path: string, host: Facts["host"]) => Facts | null) {
    this.#read = read;
  }

  /** Null where the front door has something against the target, whatever its path, and for what `read` does not take. */
  of(target: string, host: Facts["host"]): Facts | null {
    if (target.length > MAX_TARGET_BYTES) return null;
    const cut = target.indexOf("?");
    if (!hasPlainQuery(target, cut)) return null;
    const path = cut < 0 ? target : target.slice(0, cut);
    const known = this.#paths.get(path);
    return known?.host === host ? known : this.#learnt(path, host);
  }

  #learnt(slice: string, host: Facts["host"]): Facts | null {
    // A copy: a slice would keep the whole target in memory.
    const path = Buffer.from(slice, "latin1").toString("latin1");
    const facts = this.#read(path, host);
    if (facts === null) return null;
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear();
    this.#paths.set(path, facts);
    return facts;
  }
}

/** `cut`: where the query begins; negative: there is none. */
function hasPlainQuery(target: string, cut: number): boolean {
  PLAIN_QUERY.lastIndex = cut + 1;
  return cut < 0 || PLAIN_QUERY.test(target);
}
