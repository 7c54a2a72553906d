/** Key and licence URLs of an MPD: to the gateway where they can be carried there, counted where they are bound to a region. Pure. */
import type { Reference } from "./references.ts";
import { hasScheme, isHttp, keepsTokens, namesHost, resolve } from "./urls.ts";

export class KeyReferences {
  readonly #keyUrl: (absoluteUrl: string) => string | null;
  readonly #gateway: string;
  readonly #bound = new Set<string>();

  /** `gateway` is any absolute URL of the gateway: what has its origin is there already. */
  constructor(keyUrl: (absoluteUrl: string) => string | null, gateway: string) {
    this.#keyUrl = keyUrl;
    this.#gateway = new URL(gateway).origin;
  }

  /** Different URLs that stay bound to a host which is not the gateway's. */
  get bound(): number {
    return this.#bound.size;
  }

  /** A relative URL that cannot be carried is left too, and is not bound: it goes with the base that the player uses. */
  rewrite({ value, base, write }: Reference): void {
    const absolute = hasScheme(value) ? value : resolve(value, base);
    if (absolute === null || !isHttp(absolute) || URL.parse(absolute)?.origin === this.#gateway) return;
    const carried = this.#keyUrl(absolute);
    // `keyUriTemplate` is a template like those of segments (ISO/IEC 23009-4): without its tokens it would name one key for all periods.
    if (carried !== null && keepsTokens(value, carried)) write(carried);
    else if (namesHost(value)) this.#bound.add(absolute);
  }
}
