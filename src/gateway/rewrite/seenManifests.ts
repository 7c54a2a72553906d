/** What manifests turned out to be when they were last rewritten, for people who ask why: a bound on memory, oldest forgotten first. */
import { LRUCache } from "lru-cache";
import type { PlaybackFallback } from "../../core/contracts.ts";
import { pathOf } from "../target.ts";

export interface SeenManifest {
  /** Why it was redirected after it had been read, or because it could not be; null: it was given. */
  readonly fallback: PlaybackFallback | null;
  /** For people: what of it cannot be rewritten. */
  readonly detail: string | null;
  /** Key and licence URLs in it that stay bound to a region. */
  readonly boundKeys: number;
}

const MOST = 1_000;

export class SeenManifests {
  readonly #seen = new LRUCache<string, SeenManifest>({ max: MOST });

  note(target: string, seen: SeenManifest): void {
    this.#seen.set(pathOf(target), seen);
  }

  of(target: string): SeenManifest | undefined {
    return this.#seen.get(pathOf(target));
  }
}
