/** Manifest texts as players get them, each made once for everybody who gets the same. */
import { LRUCache } from "lru-cache";
import type { RewritingMode } from "../../core/contracts.ts";
import { anchorDash, steerDash } from "../dash/dash.ts";
import { anchorHls } from "../hls/anchor.ts";
import { steerHls } from "../hls/steer.ts";
import type { Pathway, Rewritten } from "../pathway.ts";
import type { ManifestText } from "./fetchManifest.ts";

export interface RewriterOptions {
  /** Streaming base URL of a region. */
  readonly base: (region: string) => string;
  readonly keyUrl: (gateway: string) => (absoluteUrl: string) => string | null;
  /** Texts that are kept. */
  readonly entries: number;
  readonly cacheBytes: number;
}

export interface Rewriting {
  readonly mode: RewritingMode;
  readonly manifest: ManifestText;
  /** Path and query of the manifest, in the regions and at the gateway. */
  readonly target: string;
  /** By which players reach the gateway, without a slash at its end. */
  readonly gateway: string;
  readonly steering: Steering;
}

export interface Steering {
  /** Best first; the one that the text was read from is among them. */
  readonly regions: readonly string[];
  readonly reloadUri: string;
  /** True where that is this viewer's alone: nobody else gets the same text. */
  readonly isOwn: boolean;
  readonly ttlSeconds: number;
  /** Whether the gateway's own path stands last. */
  readonly anchorLast: boolean;
}

interface Made {
  readonly manifest: ManifestText;
  readonly rewritten: Rewritten;
}

export class Rewriter {
  readonly #options: RewriterOptions;
  readonly #made: LRUCache<string, Made>;

  constructor(options: RewriterOptions) {
    this.#options = options;
    const { entries, cacheBytes } = options;
    this.#made = new LRUCache({ max: entries, maxSize: cacheBytes, sizeCalculation: sizeOf });
  }

  rewritten(rewriting: Rewriting): Rewritten {
    const { manifest, mode, gateway, target, steering } = rewriting;
    if (mode === "steer" && steering.isOwn) return this.#steered(rewriting);
    const own = mode === "anchor" ? "" : `${steering.regions.join()} ${steering.ttlSeconds} ${steering.anchorLast} ${steering.reloadUri}`;
    const key = `${mode} ${gateway}${target} ${own}`;
    const known = this.#made.get(key);
    if (known?.manifest === manifest) return known.rewritten;
    const rewritten = mode === "anchor" ? this.#anchored(rewriting) : this.#steered(rewriting);
    this.#made.set(key, { manifest, rewritten });
    return rewritten;
  }

  #steered({ manifest, target, gateway, steering }: Rewriting): Rewritten {
    const { regions, reloadUri, ttlSeconds, anchorLast } = steering;
    const pathways = regions.map((id): Pathway => ({ id, url: this.#options.base(id) + target }));
    const here = gateway + target;
    const options = {
      pathways,
      from: manifest.region,
      reloadUri,
      ttlSeconds,
      keyUrl: this.#options.keyUrl(gateway),
      anchor: anchorLast ? here : null,
    };
    if (manifest.kind !== "mpd") return steerHls(manifest.text, options);
    return steerDash(manifest.text, { ...options, location: manifest.live ? here : null });
  }

  #anchored({ manifest, target, gateway }: Rewriting): Rewritten {
    const base = this.#options.base(manifest.region);
    const options = { url: base + target, base, gateway, keyUrl: this.#options.keyUrl(gateway) };
    return manifest.kind === "mpd"
      ? anchorDash(manifest.text, { ...options, location: gateway + target })
      : anchorHls(manifest.text, options);
  }
}

function sizeOf({ rewritten }: Made): number {
  return (rewritten.ok ? rewritten.text.length : 0) + 500;
}
