/** The gateway's own URLs, as manifests have to name them. Pure. */
import { inNetwork, parseAddress, type Network } from "../../core/address.ts";
import type { Region } from "../../core/contracts.ts";
import type { WireFacts } from "../order/viewer.ts";

export interface GatewayUrlRules {
  /** By which players reach the gateway; null: by whatever name they ask. */
  readonly publicUrl: string | null;
  /** Whose X-Forwarded-Proto is believed. */
  readonly proxies: readonly Network[];
  readonly keyPrefix: string;
  readonly regions: readonly Region[];
  /** Whether the gateway answers a request for this path and query as one for a part of a video. */
  readonly isServed: (target: string) => boolean;
}

export class GatewayUrls {
  readonly #rules: GatewayUrlRules;
  /** Longest first, so that the nearest base of a URL is found. */
  readonly #keyBases: readonly string[];
  readonly #streamingBases: readonly string[];
  readonly #origins: ReadonlySet<string>;

  constructor(rules: GatewayUrlRules) {
    this.#rules = rules;
    this.#keyBases = longestFirst(rules.regions.flatMap(({ keys }) => keys ?? []));
    this.#streamingBases = longestFirst(rules.regions.map(({ streaming }) => streaming));
    this.#origins = new Set([...this.#keyBases, ...this.#streamingBases].map((base) => new URL(base).origin));
  }

  /** True where the origin depends on more than the Host field. */
  get readsProxies(): boolean {
    return this.#rules.publicUrl === null && this.#rules.proxies.length > 0;
  }

  /** Without a slash at its end; `host` passed the front door. Null where a client named no host and nothing is configured. */
  origin(host: string | null, wire: Pick<WireFacts, "header" | "peer">): string | null {
    const { publicUrl } = this.#rules;
    if (publicUrl !== null) return publicUrl;
    return host === null ? null : `${this.#scheme(wire)}://${host.toLowerCase()}`;
  }

  /**
   * Where a key or licence URL of a manifest is to be asked for: at the gateway, if it lies under some region's key delivery, or beside the video
   * where the gateway redirects it as it does segments. Null for what lies at a region otherwise, and so dies with it; any other host stays.
   */
  keyUrl(origin: string): (absoluteUrl: string) => string | null {
    return (absoluteUrl) => {
      const rest = restUnder(this.#keyBases, absoluteUrl);
      if (rest !== null) return origin + this.#rules.keyPrefix + rest;
      const path = restUnder(this.#streamingBases, absoluteUrl);
      if (path !== null && this.#rules.isServed(path)) return origin + path;
      return this.#isAtRegion(absoluteUrl) ? null : absoluteUrl;
    };
  }

  #isAtRegion(url: string): boolean {
    return URL.canParse(url) && this.#origins.has(new URL(url).origin);
  }

  #scheme({ header, peer }: Pick<WireFacts, "header" | "peer">): "http" | "https" {
    if (!this.readsProxies) return "http";
    const other = peer();
    const address = other === null ? null : parseAddress(other);
    if (address === null || !this.#rules.proxies.some((network) => inNetwork(address, network))) return "http";
    // The first of several is what the viewer spoke.
    return header("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase() === "https" ? "https" : "http";
  }
}

function longestFirst(bases: readonly string[]): readonly string[] {
  return bases.toSorted((one, other) => other.length - one.length);
}

function restUnder(bases: readonly string[], url: string): string | null {
  for (const base of bases) {
    const rest = after(base, url);
    if (rest !== null) return rest;
  }
  return null;
}

/** What of a URL follows a base URL; null where it does not lie there. Both spellings of a host name and its default port are one. */
function after(base: string, url: string): string | null {
  return behind(base, url) ?? (URL.canParse(url) ? behind(base, new URL(url).href) : null);
}

function behind(base: string, url: string): string | null {
  if (!url.startsWith(base)) return null;
  const rest = url.slice(base.length);
  return rest === "" || rest.startsWith("/") || rest.startsWith("?") ? rest : null;
}
